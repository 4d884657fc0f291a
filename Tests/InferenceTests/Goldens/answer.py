#!/usr/bin/env python3
"""Ask onnxruntime: answer.py MODEL.onnx PICTURE WIDTH HEIGHT OUTPUT; samples of eight bits in and out, plane by plane."""
import sys

import numpy as np
import onnxruntime as ort

model, picture, width, height, output = sys.argv[1:]
session = ort.InferenceSession(model, providers=["CPUExecutionProvider"])
x = np.fromfile(picture, np.uint8).reshape(1, -1, int(height), int(width)).astype(np.float32) / np.float32(255)
y = session.run(None, {session.get_inputs()[0].name: x})[0]
np.clip(np.round(y * 255), 0, 255).astype(np.uint8).tofile(output)

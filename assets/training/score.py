#!/usr/bin/env python3
"""Score ONNX networks through onnxruntime: score.py MODEL.onnx... --eval SET5 SET14 KODAK24 [--card]

Eight bits in and out, as a video has them. `--card` writes the figures into the model's metadata
(int8_set5=..., or float_set5=... for a float file).
"""
import argparse
import pathlib

import numpy as np
import onnx
import onnxruntime

import evaluate


def upscaler(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def upscale(small):
        return session.run(None, {"x": small[None, None].astype(np.float32) / 255})[0][0, 0] * 255

    return upscale


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+")
    parser.add_argument("--eval", nargs="+", required=True)
    parser.add_argument("--card", action="store_true")
    options = parser.parse_args()
    for path in options.models:
        model = onnx.load(path)
        card = {entry.key: entry.value for entry in model.metadata_props}
        kind = "int8" if card.get("precision") == "int8" else "float"
        figures = {pathlib.Path(f).name: evaluate.score(upscaler(path), f, int(card.get("scale", 2))) for f in options.eval}
        print(path, kind, *(f"{name} {value:.3f}" for name, value in figures.items()), flush=True)
        if options.card:
            card |= {f"{kind}_{name}_psnr": f"{value:.2f}" for name, value in figures.items()}
            onnx.helper.set_model_props(model, card)
            onnx.save(model, path)


if __name__ == "__main__":
    main()

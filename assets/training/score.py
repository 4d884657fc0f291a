#!/usr/bin/env python3
"""Score ONNX networks through onnxruntime: score.py MODEL.onnx... --eval SET5 SET14 KODAK24

Eight bits in and out, as a video has them: of upscalers on bicubic halves, of denoisers at sigma 15, 25 and 50.
"""
import argparse

import numpy as np
import onnx
import onnxruntime

import evaluate


def runner(path):
    """`run(uint8 luma, sigma) -> luma in 0...255` through onnxruntime, one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    takes_sigma = any(entry.name == "sigma" for entry in session.get_overridable_initializers())

    def run(plane, sigma=None):
        feeds = {"x": plane[None, None].astype(np.float32) / 255}
        if takes_sigma and sigma is not None:
            feeds["sigma"] = np.full((1, 1, 1, 1), sigma / 255, np.float32)
        return session.run(None, feeds)[0][0, 0] * 255

    return run


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+")
    parser.add_argument("--eval", nargs="+", required=True)
    options = parser.parse_args()
    for path in options.models:
        model = onnx.load(path)
        card = {entry.key: entry.value for entry in model.metadata_props}
        figures = evaluate.scores(runner(path), options.eval, {"task": card["task"], "scale": int(card["scale"])})
        print(path, card["precision"], *(f"{name} {value:.3f}" for name, value in figures.items()), flush=True)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Export a finished pair of runs: ship.py CONFIG.toml FLOAT.npz INT8.npz --models FOLDER --eval SET5 SET14 KODAK24

Writes FOLDER/NAME.onnx with float and int8 scores (onnxruntime, 8 bits in and out) in its metadata. `--weights FOLDER`
keeps both sets of weights, too, so that training can go on from them: NAME.npz and NAME-int8.npz.
"""
import argparse
import pathlib
import shutil
import tempfile
import tomllib

import numpy as np
import onnx

import evaluate
from export import export
from score import runner


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config")
    parser.add_argument("floats")
    parser.add_argument("integers")
    parser.add_argument("--models", required=True)
    parser.add_argument("--eval", nargs="+", required=True)
    parser.add_argument("--weights", type=pathlib.Path)
    options = parser.parse_args()
    with open(options.config, "rb") as file:
        config = tomllib.load(file)
    facts = {}
    with tempfile.TemporaryDirectory() as folder:
        for kind, path in (("float", options.floats), ("int8", options.integers)):
            trial = pathlib.Path(folder) / "trial.onnx"
            onnx.save(export(dict(np.load(path)), config, kind == "int8", {}), trial)
            figures = evaluate.scores(runner(trial), options.eval, config)
            facts |= {f"{kind}_{name}": f"{value:.3f}" for name, value in figures.items()}
    model = export(dict(np.load(options.integers)), config, True, facts)
    onnx.save(model, pathlib.Path(options.models) / f"{config['name']}.onnx")
    if options.weights:
        shutil.copy(options.floats, options.weights / f"{config['name']}.npz")
        shutil.copy(options.integers, options.weights / f"{config['name']}-int8.npz")
    print(config["name"], *(f"{key} {value}" for key, value in facts.items()))


if __name__ == "__main__":
    main()

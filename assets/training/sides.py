#!/usr/bin/env python3
"""Begin a grouped network as an ensemble of one: sides.py NARROW.npz OUT.npz --sides 6

A network's mean over turned and mirrored copies of a picture is better than the network (geometric self-ensemble:
Timofte, Rothe and Van Gool 2016). Instead of the picture its kernels can be turned: OUT has one group of channels for
each of `--sides` views, which only meet in the last convolution. From there they are trained on as one network.
"""
import argparse

import numpy as np

# Turns and mirrors in the order in which they help most: 1 mirrors rows, 2 columns, 4 transposes.
VIEWS = [0, 3, 4, 7, 1, 2, 5, 6]


def turned_back(array, view, *squares):
    """`array`, of which each of `squares` is a pair of axes, as seen by a network that is shown turned pictures."""
    for rows, columns in squares:
        if view & 2:
            array = np.flip(array, columns)
        if view & 1:
            array = np.flip(array, rows)
        if view & 4:
            array = array.swapaxes(rows, columns)
    return array


def ends_turned_back(kernel, view, inputs, outputs):
    """A kernel whose inputs or outputs are the places of a square of pixels of so many a side, which turn, too."""
    places = kernel.reshape(outputs, outputs, -1, inputs, inputs, *kernel.shape[2:])
    return turned_back(places, view, (0, 1), (3, 4), (5, 6)).reshape(kernel.shape)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("narrow")
    parser.add_argument("out")
    parser.add_argument("--sides", type=int, default=6)
    options = parser.parse_args()
    stored = np.load(options.narrow)
    views, end = VIEWS[: options.sides], sum(key.startswith("w") for key in stored) - 1
    fold, scale = (round(size**0.5) for size in (stored["w0"].shape[1], len(stored[f"b{end}"])))
    arrays = {"w0": np.concatenate([ends_turned_back(stored["w0"], view, fold, 1) for view in views])}
    for i in range(1, end):
        arrays[f"w{i}"] = np.concatenate([turned_back(stored[f"w{i}"], view, (2, 3)) for view in views])
    ends = [ends_turned_back(stored[f"w{end}"], view, 1, scale) for view in views]
    arrays[f"w{end}"] = np.concatenate(ends, axis=1) / np.float32(len(views))
    for i in range(end):
        arrays[f"b{i}"] = np.tile(stored[f"b{i}"], len(views))
    bias = stored[f"b{end}"].reshape(scale, scale)
    arrays[f"b{end}"] = np.mean([turned_back(bias, view, (0, 1)).ravel() for view in views], axis=0)
    if "level" in stored:
        arrays["level"] = np.tile(stored["level"], len(views))
    if "scales" in stored:
        arrays["scales"] = stored["scales"]
    np.savez(options.out, **arrays)


if __name__ == "__main__":
    main()

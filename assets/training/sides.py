#!/usr/bin/env python3
"""Begin a grouped network as an ensemble of one, or of a few: sides.py NARROW.npz ... OUT.npz --sides 6

A network's mean over turned and mirrored copies of a picture is better than the network (geometric self-ensemble:
Timofte, Rothe and Van Gool 2016). Instead of the picture its kernels can be turned: OUT has one group of channels for
each of `--sides` views, which only meet in the last convolution; several networks share them, in that order. From there
they are trained on as one network.
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
    parser.add_argument("narrow", nargs="+")
    parser.add_argument("out")
    parser.add_argument("--sides", type=int, default=6)
    options = parser.parse_args()
    networks = [np.load(path) for path in options.narrow]
    sides = [(networks[i * len(networks) // options.sides], view) for i, view in enumerate(VIEWS[: options.sides])]
    first = networks[0]
    end = sum(key.startswith("w") for key in first) - 1
    fold, scale = (round(size**0.5) for size in (first["w0"].shape[1], len(first[f"b{end}"])))
    arrays = {"w0": np.concatenate([ends_turned_back(side["w0"], view, fold, 1) for side, view in sides])}
    for i in range(1, end):
        arrays[f"w{i}"] = np.concatenate([turned_back(side[f"w{i}"], view, (2, 3)) for side, view in sides])
    ends = [ends_turned_back(side[f"w{end}"], view, 1, scale) for side, view in sides]
    arrays[f"w{end}"] = np.concatenate(ends, axis=1) / np.float32(len(sides))
    for i in range(end):
        arrays[f"b{i}"] = np.concatenate([side[f"b{i}"] for side, _ in sides])
    biases = [turned_back(side[f"b{end}"].reshape(scale, scale), view, (0, 1)).ravel() for side, view in sides]
    arrays[f"b{end}"] = np.mean(biases, axis=0)
    if "level" in first:
        arrays["level"] = np.concatenate([side["level"] for side, _ in sides])
    if "scales" in first:
        arrays["scales"] = np.mean([network["scales"] for network in networks], axis=0)
    np.savez(options.out, **arrays)


if __name__ == "__main__":
    main()

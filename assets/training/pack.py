#!/usr/bin/env python3
"""Pack a folder of photos into training patches: pack.py PHOTOS OUT.npz [--patch 128] [--keep 0.5] [--limit 16000]

Luma patches of PHOTOS at full and half size, cut on a grid; with `--opponent`, for denoisers, patches of the mean of
red, green and blue and of two differences of colour, as `pipe` shows them. The flattest are dropped: a patch is worth
what bicubic gets wrong in it. OUT.npz holds `hr` uint8 (n, patch, patch) and `lr` uint8 (n, patch/2, patch/2), the rounded bicubic
half of the whole photo (so patch borders see real neighbours).
"""
import argparse

import numpy as np

from images import crop_to_multiple, images, imresize, load, luma, opponent, to8


def patches(plane, small, size):
    """Yield (error, hr, lr) for each grid cell of one uint8 luma plane and its half."""
    h, w = plane.shape
    big = imresize(small, h, w)
    error = (big - plane) ** 2
    for y in range(0, h - size + 1, size):
        for x in range(0, w - size + 1, size):
            cell = np.s_[y : y + size, x : x + size]
            half = np.s_[y // 2 : (y + size) // 2, x // 2 : (x + size) // 2]
            yield error[cell].mean(), plane[cell], small[half]


def hardest(full, sizes, patch, keep):
    """Yield (hr, lr) for the part `keep` of one float plane's patches at each of `sizes`."""
    for size in sizes:
        h, w = (int(n * size) for n in full.shape)
        if min(h, w) < 2 * patch:
            continue
        plane = crop_to_multiple(to8(full if size == 1 else imresize(full, h, w)), 2)
        small = to8(imresize(plane, plane.shape[0] // 2, plane.shape[1] // 2))
        found = sorted(patches(plane, small, patch), key=lambda cell: -cell[0])
        for _, big, half in found[: max(1, round(keep * len(found)))]:
            yield big, half


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos")
    parser.add_argument("out")
    parser.add_argument("--patch", type=int, default=128)
    parser.add_argument("--keep", type=float, default=0.5, help="part of each photo's patches that is kept, hardest first")
    parser.add_argument("--limit", type=int, default=16000)
    parser.add_argument("--sizes", type=float, nargs="+", default=[1.0, 0.5])
    parser.add_argument("--opponent", action="store_true", help="the opponent planes of colours, not luma")
    options = parser.parse_args()
    hr, lr = [], []
    for path in images(options.photos):
        picture = load(path)
        colours = options.opponent and picture.ndim == 3
        for index, full in enumerate(np.moveaxis(opponent(picture), 2, 0) if colours else [luma(picture)]):
            keep = options.keep / (4 if index else 1)  # differences of colour are mostly flat
            for big, half in hardest(full, options.sizes, options.patch, keep):
                hr.append(big)
                lr.append(half)
    order = np.random.default_rng(0).permutation(len(hr))[: options.limit]
    np.savez(options.out, hr=np.stack([hr[i] for i in order]), lr=np.stack([lr[i] for i in order]))
    print(f"{options.out}: {len(order)} of {len(hr)} patches of {options.patch}x{options.patch}")


if __name__ == "__main__":
    main()

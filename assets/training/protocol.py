#!/usr/bin/env python3
"""Denoise as papers do: protocol.py CONFIG.toml FLOAT.npz FOLDER [--sigmas 15 25 50]

White Gaussian noise on R, G and B in float, neither clipped nor rounded, seeded by file name; the float network cleans
the three opponent planes, each by itself, as the `denoise` stage does; mean PSNR in dB over R, G and B. Zhang, Zuo and Zhang
(FFDNet, 2018) publish 33.87, 31.21 and 27.96 on CBSD68, and 34.63, 32.13 and 28.98 on Kodak24.
"""
import argparse
import tomllib

import numpy as np

import evaluate
import model as networks
from images import OPPONENT, OPPONENT_OFFSET, crop_to_multiple, images, load, noise, opponent, psnr
from weights import load_weights

def denoised(run, noisy, sigma):
    """(h, w, 3) float R, G and B in 0...255, with noise of `sigma`, without it."""
    planes = opponent(noisy)
    levels = sigma * np.linalg.norm(OPPONENT, axis=1)
    clean = np.stack([run(planes[..., i], level) for i, level in enumerate(levels)], axis=-1)
    return (clean - OPPONENT_OFFSET) @ np.linalg.inv(OPPONENT).T


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config")
    parser.add_argument("floats")
    parser.add_argument("folder")
    parser.add_argument("--sigmas", type=float, nargs="+", default=[15, 25, 50])
    options = parser.parse_args()
    with open(options.config, "rb") as file:
        config = tomllib.load(file)
    model = networks.build(config)
    load_weights(model, options.floats)
    run = evaluate.torch_runner(model)
    for sigma in options.sigmas:
        scores = []
        for path in images(options.folder):
            picture = crop_to_multiple(load(path), config.get("fold", 1)).astype(np.float64)
            noisy = picture + noise(path.stem, picture.shape, sigma)
            scores.append(psnr(np.clip(denoised(run, noisy, sigma), 0, 255), picture))
        print(f"{config['name']}: sigma {sigma:g}, {np.mean(scores):.2f} dB over {len(scores)} pictures", flush=True)


if __name__ == "__main__":
    main()

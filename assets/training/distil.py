#!/usr/bin/env python3
"""Put a teacher's answers in the place of the truth: distil.py CONFIG.toml WEIGHTS.npz PATCHES.npz OUT.npz

The teacher is the network turned and mirrored eight ways, in the mean. OUT.npz has PATCHES' `lr`, and as `hr` (float16
levels) `--share` of the teacher's answer and the rest of the truth; for a denoiser `lr` are noisy patches, and `sigma`
says how noisy. Nearly all of a network's error is what none can know: without it a student learns in fewer steps.
"""
import argparse

import numpy as np
import torch

import degrade
import model as networks
from train import read_config
from weights import load_weights


@torch.no_grad()
def answers(model, lr, sigma):
    """(n, h, w) uint8, noise levels / 255 (n,) -> (n, scale h, scale w) levels."""
    x, sigma = torch.from_numpy(lr)[:, None].float() / 255, torch.from_numpy(sigma).view(-1, 1, 1, 1)
    total = 0
    for turn in range(4):
        for flip in (False, True):
            view = torch.rot90(x, turn, (2, 3))
            y = model((view.flip(3) if flip else view).contiguous(), sigma=sigma)
            total = total + torch.rot90(y.flip(3) if flip else y, -turn, (2, 3))
    return (total[:, 0] * (255 / 8)).numpy()


def noisy_patch(clean, level):
    x = degrade.noisy(torch.from_numpy(clean).float() / 255, level)[0]
    return (x * 255).round().to(torch.uint8).numpy()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config")
    parser.add_argument("weights")
    parser.add_argument("patches")
    parser.add_argument("out")
    parser.add_argument("--share", type=float, default=0.75)
    parser.add_argument("--limit", type=int, default=12000)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    config = read_config(options.config)
    model = networks.build(config)
    load_weights(model, options.weights)
    packed = np.load(options.patches)
    lr, hr = packed["lr"][: options.limit], packed["hr"][: options.limit]
    sigma = np.zeros(len(lr), np.float32)
    if config.get("task") == "denoise":
        hr = hr[:, : config["crop"], : config["crop"]]
        levels = degrade.noise_levels(len(hr), config["largest_sigma"], "cpu")
        lr = np.stack([noisy_patch(*pair) for pair in zip(hr, levels)])
        sigma = levels.flatten().numpy()
    hr = hr.astype(np.float16)
    errors = np.zeros(2)
    for start in range(0, len(lr), 4):
        part = np.s_[start : start + 4]
        taught = np.clip(answers(model, lr[part], sigma[part]), 0, 255)
        errors += (taught - hr[part]).astype(np.float64).__pow__(2).mean(), 1
        hr[part] = options.share * taught + (1 - options.share) * hr[part].astype(np.float32)
        if start % 1000 == 0:
            print(start, "of", len(lr), f"teacher's rms error {np.sqrt(errors[0] / errors[1]):.2f} levels", flush=True)
    np.savez(options.out, hr=hr, lr=lr, **({"sigma": sigma} if sigma.any() else {}))


if __name__ == "__main__":
    main()

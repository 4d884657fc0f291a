#!/usr/bin/env python3
"""Put a teacher's answers in the place of the truth: distil.py CONFIG.toml WEIGHTS.npz PATCHES.npz OUT.npz

The teacher is a network, best one of several sides (sides.py). OUT.npz has its inputs as `lr`, for a denoiser with the
noise `sigma` that was put in, and as `hr` (float16 levels) `--share` of its answers and the rest of the truth. Nearly all
of a network's error is what none can know: without it a student learns in fewer steps.
"""
import argparse

import numpy as np
import torch

import model as networks
from batches import Batches
from train import read_config
from weights import load_weights


@torch.no_grad()
def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config")
    parser.add_argument("weights")
    parser.add_argument("patches")
    parser.add_argument("out")
    parser.add_argument("--share", type=float, default=0.75)
    parser.add_argument("--limit", type=int, default=12000)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--set", nargs="*", default=[], help="key=value over the config")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    config = read_config(options.config, changes=options.set)
    model = networks.build(config)
    load_weights(model, options.weights)
    batches = Batches(options.patches, config, torch.device("cpu"), 1)
    arrays, errors = {"lr": [], "hr": [], "sigma": []}, []
    for start in range(0, min(options.limit, len(batches.hr)), 4):
        lr, hr = (patches[start : start + 4, None].float() / 255 for patches in (batches.lr, batches.hr))
        x, truth, sigma = batches.degraded(lr, hr)
        taught = model(x, sigma=sigma).clamp(0, 1)
        errors.append((taught - truth).square().mean().item())
        arrays["lr"].append((x[:, 0] * 255).round().to(torch.uint8))
        arrays["hr"].append((torch.lerp(truth, taught, options.share)[:, 0] * 255).half())
        if sigma is not None:
            arrays["sigma"].append(sigma.flatten())
        if start % 1000 == 0:
            print(start, f"teacher's rms error {255 * np.mean(errors) ** 0.5:.2f} levels", flush=True)
    np.savez(options.out, **{key: torch.cat(parts)[: options.limit].numpy() for key, parts in arrays.items() if parts})


if __name__ == "__main__":
    main()

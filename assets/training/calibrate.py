#!/usr/bin/env python3
"""Quantise without training: calibrate.py CONFIG.toml FLOAT.npz OUT.npz --data PATCHES.npz

Activation scales start at the 99.99th percentile seen in training patches; the factor on it, one for the network, is
the one of --factors with the highest mean PSNR on other patches. OUT.npz holds the float weights and the scales: what
`train.py --quantise` writes, too. It comes out well above 1: bright areas must not be clipped.
"""
import argparse

import torch

import model as networks
from batches import Batches
from train import observe_scales, read_config
from weights import load_weights, save_weights

USUAL_SIGMA = 30.0  # a denoiser is calibrated where its rounding shows, not where noise hides it


@torch.no_grad()
def quality(model, batches):
    """Mean PSNR in dB over all patches."""
    errors = [(model(x, sigma=sigma) - truth).square().mean((1, 2, 3)) for x, truth, sigma in batches]
    return -10 * torch.cat(errors).clamp_min(1e-7).log10().mean().item()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config")
    parser.add_argument("floats")
    parser.add_argument("out")
    parser.add_argument("--data", required=True, nargs="+")
    parser.add_argument("--factors", nargs="+", type=float, default=[0.8, 0.9, 1.0, 1.15, 1.3, 1.5])
    options = parser.parse_args()
    torch.set_num_threads(1)
    config = read_config(options.config)
    batches = Batches(options.data, config, torch.device("cpu"), 1)
    model = networks.build(config)
    load_weights(model, options.floats)
    observe_scales(model, batches)
    seen = [activation.scale.item() for activation in model.activations]
    others = Batches(options.data, config | {"largest_sigma": USUAL_SIGMA}, torch.device("cpu"), 2)
    others = [others.next() for _ in range(12)]
    print(f"float {quality(model, others):.3f} dB")
    model.quantised = True
    reached = {}
    for factor in options.factors:
        for activation, scale in zip(model.activations, seen):
            activation.scale.data.fill_(scale * factor)
        reached[factor] = quality(model, others)
        print(f"factor {factor}: {reached[factor]:.3f} dB")
    best = max(reached, key=reached.get)
    for activation, scale in zip(model.activations, seen):
        activation.scale.data.fill_(scale * best)
    save_weights(model, options.out)


if __name__ == "__main__":
    main()

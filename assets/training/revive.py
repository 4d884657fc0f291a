#!/usr/bin/env python3
"""Give dead channels another life: revive.py CONFIG.toml WEIGHTS.npz PATCHES.npz OUT.npz [--below 0.005]

A channel that hardly any pixel lights up learns nothing more. It gets random weights of its layer's usual size, a
bias by which half of the pixels light it up, and no say in the next layer yet: the network computes what it did but
for what the channel gave. Train on with `train.py --start OUT.npz`.
"""
import argparse

import torch

import model as networks
from batches import Batches
from train import read_config
from weights import load_weights, save_weights


@torch.no_grad()
def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config")
    parser.add_argument("weights")
    parser.add_argument("patches")
    parser.add_argument("out")
    parser.add_argument("--below", type=float, default=0.005, help="the share of pixels that a live channel reaches")
    options = parser.parse_args()
    config = read_config(options.config) | {"batch": 32}
    x, _, sigma = Batches(options.patches, config, torch.device("cpu"), 1).next()
    model = networks.build(config)
    load_weights(model, options.weights)
    seen = {}
    for index in range(len(model.activations)):
        model(x, sigma=sigma, observe=lambda i, h: seen.update({i: h}))
        conv, reader = model.convs[index], model.convs[index + 1]
        dead = (seen[index] > 0).float().mean((0, 2, 3)) < options.below
        print(f"layer {index}: {int(dead.sum())} of {len(dead)} dead")
        if index == 0 or not dead.any() or reader.groups > 1:
            continue
        fresh = torch.randn_like(conv.direct[dead])
        usual = conv.direct[~dead].flatten(1).norm(dim=1).median()
        conv.direct[dead] = fresh * (usual / fresh.flatten(1).norm(dim=1).view(-1, 1, 1, 1))
        conv.bias[dead] = -conv.response(conv.kernel(), seen[index - 1].mean((0, 2, 3)))[dead]
        reader.direct[:, dead] = 0
    save_weights(model, options.out)


if __name__ == "__main__":
    main()

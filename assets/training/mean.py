#!/usr/bin/env python3
"""The mean of the weights of networks that went on from the same one: mean.py WEIGHTS.npz ... OUT.npz

As good as the better of two on each set that they differ on, or nearly so (Wortsman and others 2022).
"""
import sys

import numpy as np


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    networks = [np.load(path) for path in sys.argv[1:-1]]
    np.savez(sys.argv[-1], **{key: np.mean([network[key] for network in networks], axis=0) for key in networks[0]})


if __name__ == "__main__":
    main()

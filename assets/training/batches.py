"""Random training batches from packed patches: uint8 in memory, luma / 255 in float on the device."""
import pathlib

import numpy as np
import torch

import degrade


class Batches:
    """Patches cut to `crop` (of the input), flipped and turned, degraded as `task` asks.

    task: upscale (the packed bicubic half), footage (the same, by H.264 where `code.py` made
    coded patches, else by `degrade.coded_footage`) or denoise (the
    large patch itself with noise of `largest_sigma` at most).
    """

    def __init__(self, paths, section, device, seed):
        """`paths`: one or more files of `pack.py` that hold the same arrays."""
        files = [np.load(path) for path in ([paths] if isinstance(paths, (str, pathlib.Path)) else paths)]
        packed = {name: np.concatenate([file[name] for file in files], axis=int(name == "coded")) for name in files[0]}
        self.hr, self.lr = (torch.from_numpy(packed[k]).to(device) for k in ("hr", "lr"))
        self.task = section.get("task", "upscale")
        # (n,): the noise of patches that are noisy already, see distil.py
        self.sigma = torch.from_numpy(packed["sigma"]).to(device) if "sigma" in packed else None
        if self.task == "denoise" and self.sigma is None:
            self.lr = self.hr
        self.batch, self.crop = section["batch"], section["crop"]
        self.largest_sigma = section.get("largest_sigma", 75.0)
        # (versions, n, h, w): the same patches through a real encoder, see code.py
        self.coded = torch.from_numpy(packed["coded"]).to(device) if "coded" in packed and self.task == "footage" else None
        self.random = np.random.default_rng(seed)
        torch.manual_seed(seed)

    def next(self):
        """(input, truth, sigma or None)."""
        pick = torch.from_numpy(self.random.integers(0, len(self.lr), self.batch)).to(self.lr.device)
        lr, hr = self.lr[pick], self.hr[pick]
        if self.coded is not None:
            version = torch.from_numpy(self.random.integers(0, len(self.coded) + 1, self.batch))
            lr = torch.stack([self.coded[v, n] if v < len(self.coded) else self.lr[n] for v, n in zip(version, pick)])
        room, ratio = lr.shape[-1] - self.crop, hr.shape[-1] // lr.shape[-1]
        if room > 0:
            y, x = (int(n) for n in self.random.integers(0, room + 1, 2))
            lr = lr[:, y : y + self.crop, x : x + self.crop]
            hr = hr[:, ratio * y : ratio * (y + self.crop), ratio * x : ratio * (x + self.crop)]
        turn, flip = int(self.random.integers(0, 4)), self.random.integers(0, 2)
        lr, hr = torch.rot90(lr, turn, (1, 2)), torch.rot90(hr, turn, (1, 2))
        if flip:
            lr, hr = lr.flip(2), hr.flip(2)
        x, truth = lr[:, None].float() / 255, hr[:, None].float() / 255
        return self.degraded(x, truth) if self.sigma is None else (x, truth, self.sigma[pick].view(-1, 1, 1, 1))

    def degraded(self, x, truth):
        if self.task == "denoise":
            sigma = degrade.noise_levels(len(x), self.largest_sigma, x.device)
            return *degrade.noisy_plane(truth, sigma, self.random), sigma
        if self.task == "footage":
            synthetic = degrade.slightly_degraded if self.coded is not None else degrade.coded_footage
            return synthetic(x, self.random), truth, None
        return x, truth, None

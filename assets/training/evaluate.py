"""Scores on held-out sets, 8 bits in and out, PSNR on luma: of the bicubic half of a picture, or of a noisy copy."""
import functools

import numpy as np
import torch

from images import crop_to_multiple, images, imresize, load, luma, noise, psnr, to8


@functools.lru_cache(maxsize=None)
def halves(folder, scale):
    """[(lr uint8 (h, w), hr float64 (scale h, scale w))] of a folder."""
    found = []
    for path in images(folder):
        picture = crop_to_multiple(load(path), scale)
        small = to8(imresize(picture, picture.shape[0] // scale, picture.shape[1] // scale))
        found.append((to8(luma(small)), luma(picture)))
    return found


@functools.lru_cache(maxsize=None)
def noisy_copies(folder, sigma):
    """[(noisy uint8 luma, luma)]: noise of `sigma` on R, G and B, clipped to 8 bits, seeded by file name."""
    found = []
    for path in images(folder):
        picture = crop_to_multiple(load(path), 2)
        found.append((to8(luma(to8(picture + noise(path.stem, picture.shape, sigma)))), luma(picture)))
    return found


def luma_sigma(sigma):
    """The luma noise that independent noise of `sigma` on R, G and B makes."""
    return sigma * (65.481**2 + 128.553**2 + 24.966**2) ** 0.5 / 255


def score(run, folder, scale=2):
    """Mean PSNR in dB over a folder of `run(uint8 luma) -> luma in 0...255`."""
    return float(np.mean([psnr(to8(run(small)), big, shave=scale) for small, big in halves(folder, scale)]))


def denoising_score(run, folder, sigma):
    """Mean PSNR in dB over a folder of `run(uint8 luma, sigma) -> luma in 0...255`; `sigma` as on R, G and B."""
    level = luma_sigma(sigma)
    return float(np.mean([psnr(to8(run(noisy, level)), clean) for noisy, clean in noisy_copies(folder, sigma)]))


def torch_runner(model, device="cpu"):
    """`run(uint8 luma, sigma)` for either score."""
    layers = [(kernel.detach(), bias.detach()) for kernel, bias in model.collapse()]

    @torch.no_grad()
    def run(plane, sigma=0.0):
        x = torch.from_numpy(plane).to(device).float()[None, None] / 255
        level = torch.full((1, 1, 1, 1), sigma / 255, device=device)
        return model(x, layers, sigma=level)[0, 0].cpu().numpy() * 255

    return run


def scores(run, folders, config):
    """{name: dB}: each folder for an upscaler, each folder at sigma 15, 25 and 50 for a denoiser."""
    named = {str(folder).rstrip("/").split("/")[-1]: folder for folder in folders}
    if config.get("task") == "denoise":
        return {f"{name}_{s}": denoising_score(run, folder, s) for name, folder in named.items() for s in (15, 25, 50)}
    return {name: score(run, folder, config.get("scale", 2)) for name, folder in named.items()}

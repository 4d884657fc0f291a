"""Scores of a network on held-out sets, 8 bits in and out: the bicubic half of the RGB picture, its luma, PSNR on luma."""
import functools

import numpy as np
import torch

from images import crop_to_multiple, images, imresize, load, luma, psnr, to8


@functools.lru_cache(maxsize=None)
def pairs(folder, scale):
    """[(lr uint8 (h, w), hr float64 (scale h, scale w))] of a folder."""
    found = []
    for path in images(folder):
        picture = crop_to_multiple(load(path), scale)
        small = to8(imresize(picture, picture.shape[0] // scale, picture.shape[1] // scale))
        found.append((to8(luma(small)), luma(picture)))
    return found


def score(upscale, folder, scale=2):
    """Mean PSNR in dB of `upscale(uint8 luma) -> luma in 0...255` over a folder."""
    return float(np.mean([psnr(to8(upscale(small)), big, shave=scale) for small, big in pairs(folder, scale)]))


def torch_upscaler(model, device="cpu"):
    layers = [(kernel.detach(), bias.detach()) for kernel, bias in model.collapse()]

    @torch.no_grad()
    def upscale(small):
        x = torch.from_numpy(small).to(device).float()[None, None] / 255
        return model(x, layers)[0, 0].cpu().numpy() * 255

    return upscale

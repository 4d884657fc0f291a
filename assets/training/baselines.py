"""What others make of the same files: bicubic, ffmpeg's nlmeans at its best strength, PyPI's bm3d where installed."""
import pathlib
import subprocess

import numpy as np

from images import imresize, load, luma, psnr, to8

# Strengths that are tried on the first pictures, as multiples of the luma noise.
NLMEANS_FACTORS = (0.3, 0.45, 0.6, 0.8)
TRIED = 3


def ffmpeg_luma(path, filters):
    """The luma plane (h, w) uint8 of a picture after a filter chain that ends in [out]."""
    size = load(path).shape[:2]
    command = ["ffmpeg", "-nostdin", "-v", "error", "-i", str(path), "-filter_complex", filters, "-map", "[out]",
               "-f", "rawvideo", "-pix_fmt", "yuv444p", "-"]
    raw = subprocess.run(command, check=True, capture_output=True).stdout
    return np.frombuffer(raw, np.uint8)[: size[0] * size[1]].reshape(size)


def nlmeans_filter(strength):
    return f"format=yuv444p,nlmeans=s={strength:.2f}:p=7:r=11[out]"


def best(noisy, truths, make, strengths):
    """(mean PSNR, strength): the best of `strengths` on the first pictures, then that one on all."""
    def mean(strength, count):
        pairs = list(zip(noisy, truths))[:count]
        return float(np.mean([psnr(ffmpeg_luma(n, make(strength)), luma(load(t)), shave=2) for n, t in pairs]))
    strength = max(strengths, key=lambda s: mean(s, TRIED))
    return mean(strength, None), strength


def nlmeans(noisy, truths, level):
    """(dB, strength) on lists of paths; `level` is the noise on luma."""
    return best(noisy, truths, nlmeans_filter, [max(1, level * factor) for factor in NLMEANS_FACTORS])


def pypi_bm3d(noisy, truth, level):
    """dB of the package `bm3d` on luma, told the noise on luma; None where it is not installed."""
    try:
        import bm3d
    except ImportError:
        return None
    result = bm3d.bm3d(luma(load(noisy)) / 255, sigma_psd=level / 255) * 255
    return float(psnr(to8(result), luma(load(truth)), shave=2))


def pypi_bm3d_colour(noisy, truth, sigma):
    """dB on luma of the package `bm3d` on red, green and blue together, told the noise on each; None without it."""
    try:
        import bm3d
    except ImportError:
        return None
    result = bm3d.bm3d_rgb(load(noisy) / 255, sigma_psd=sigma / 255) * 255
    return float(psnr(luma(to8(result)), luma(load(truth)), shave=2))


def bicubic(small, truth):
    """dB of a picture enlarged two times."""
    picture = load(truth)
    height, width = picture.shape[0] // 2 * 2, picture.shape[1] // 2 * 2
    return float(psnr(luma(to8(imresize(load(small), height, width))), luma(picture[:height, :width]), shave=2))

"""What footage has been through, synthesised on batches: Gaussian noise, or blur, noise and H.264-like coding."""
import math

import torch
import torch.nn.functional as F


def noise_levels(n, largest, device):
    """(n, 1, 1, 1) standard deviations / 255 over 0...largest, denser at the low levels that pictures have."""
    return torch.rand(n, 1, 1, 1, device=device) ** 1.5 * (largest / 255)


def noisy(clean, sigma, colours=1):
    """Additive white Gaussian noise; as files have it: clipped and rounded to 8 bits.

    The mean of `colours` that are alike has noise of `sigma` when each has more, and each is clipped by itself: such a
    mean is darker at white, and brighter at black, than one plane of as much noise.
    """
    x = clean + torch.randn(colours, *clean.shape, device=clean.device) * sigma * colours**0.5
    return torch.round(x.clamp(0, 1).mean(0) * 255) / 255


def noisy_plane(clean, sigma, random):
    """(noisy, truth) of a plane as files have it.

    It is the mean of three colours, each clipped by itself, or one grey; or luma in studio swing of such a mean, or with
    noise of its own, hardly ever clipped.
    """
    kind = random.random()
    if kind < 0.6:
        x, truth = noisy(clean, sigma, colours=3), clean
        return (x, truth) if kind < 0.4 else (studio_swing(x), studio_swing(truth))
    truth = clean if kind < 0.8 else studio_swing(clean)
    return noisy(truth, sigma), truth


def studio_swing(x):
    return (16 + 219 * x) / 255


def blur(x, sigma):
    """Gaussian blur of standard deviation `sigma` pixels, 7x7."""
    taps = torch.arange(-3, 4, device=x.device, dtype=x.dtype)
    kernel = torch.exp(-(taps**2) / (2 * sigma * sigma))
    kernel = (kernel / kernel.sum()).view(1, 1, 1, 7)
    x = F.pad(x, (3, 3, 3, 3), mode="replicate")
    return F.conv2d(F.conv2d(x, kernel), kernel.transpose(2, 3))


def cosine_matrix(size, device):
    """Orthonormal DCT-II."""
    n = torch.arange(size, device=device, dtype=torch.float32)
    matrix = torch.cos(math.pi * (2 * n[None] + 1) * n[:, None] / (2 * size)) * (2 / size) ** 0.5
    matrix[0] /= 2**0.5
    return matrix


def transform_coded(x, size, step, dead_zone):
    """Quantise the DCT of what a block's surroundings do not predict, as an intra or motion-compensated coder does.

    The prediction is a smoothed copy: what is left for the transform is detail, of which steps below the dead zone are
    lost. `step` in levels / 255 (H.264: 0.625 * 2^(QP / 6)); `size` 4 or 8; sides are multiples of `size`.
    """
    n, _, h, w = x.shape
    dct = cosine_matrix(size, x.device)
    predicted = blur(x, 1.5)
    blocks = (x - predicted).view(n, h // size, size, w // size, size).transpose(2, 3)
    coefficients = dct @ blocks @ dct.T
    levels = torch.sign(coefficients) * torch.floor(coefficients.abs() / step + dead_zone)
    blocks = dct.T @ (levels * step) @ dct
    return predicted + blocks.transpose(2, 3).reshape(n, 1, h, w)


def deblocked(x, size, strength):
    """A weak loop filter: samples beside block borders move towards their neighbours, never past `strength`."""
    x = x.clone()
    for axis in (2, 3):
        y = x.transpose(2, axis)
        left, right = y[:, :, size - 1 : -1 : size], y[:, :, size::size]
        count = min(left.shape[2], right.shape[2])
        shift = ((right[:, :, :count] - left[:, :, :count]) / 4).clamp(-strength, strength)
        y[:, :, size - 1 : -1 : size][:, :, :count] += shift
        y[:, :, size::size][:, :, :count] -= shift
    return x


def coded_footage(x, random):
    """One clip's past for a batch of luma in 0...1: light blur, light noise, an 8x8 or 4x4 transform coder at QP 18-36."""
    if random.random() < 0.5:
        x = blur(x, random.uniform(0.3, 0.8))
    if random.random() < 0.5:
        x = x + torch.randn_like(x) * (random.uniform(0, 4) / 255)
    if random.random() < 0.9:
        size, step = int(random.choice([4, 8])), 0.625 * 2 ** (random.uniform(18, 36) / 6) / 255
        dy, dx = (int(v) for v in random.integers(0, size, 2))
        x = torch.roll(x, (dy, dx), (2, 3))
        x = transform_coded(x, size, step, random.uniform(0.17, 0.33))
        x = deblocked(x, size, step) if random.random() < 0.7 else x
        x = torch.roll(x, (-dy, -dx), (2, 3))
    return torch.round(x.clamp(0, 1) * 255) / 255


def slightly_degraded(x, random):
    """What coded patches still lack: now and then a light blur, or light noise."""
    if random.random() < 0.15:
        x = blur(x, random.uniform(0.3, 0.6))
    if random.random() < 0.15:
        x = x + torch.randn_like(x) * (random.uniform(0, 3) / 255)
    return torch.round(x.clamp(0, 1) * 255) / 255

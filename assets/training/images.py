"""Pictures as the super-resolution papers take them: BT.601 studio-swing luma, MATLAB-like antialiased bicubic, PSNR."""
import pathlib
import zlib

import numpy as np
from PIL import Image

KINDS = {".png", ".bmp", ".jpg", ".jpeg", ".tif", ".tiff", ".webp"}


def images(folder):
    """Every picture under `folder`, sorted by path."""
    return sorted(p for p in pathlib.Path(folder).rglob("*") if p.suffix.lower() in KINDS)


def load(path):
    """uint8 (h, w) for grey pictures, (h, w, 3) RGB for all others."""
    picture = Image.open(path)
    return np.asarray(picture if picture.mode == "L" else picture.convert("RGB"))


def luma(picture):
    """uint8 RGB or grey -> float64 studio-swing Y in 16...235; grey is passed through."""
    picture = picture.astype(np.float64)
    if picture.ndim == 2:
        return picture
    return 16 + picture @ np.array([65.481, 128.553, 24.966]) / 255


# The mean of red, green and blue, red against blue, both against green: where `pipe` takes noise out
OPPONENT = np.array([[1 / 3, 1 / 3, 1 / 3], [1 / 2, 0, -1 / 2], [1 / 4, -1 / 2, 1 / 4]])
OPPONENT_OFFSET = np.array([0.0, 128.0, 128.0])


def opponent(picture):
    """RGB (h, w, 3) in 0...255 -> float64 (h, w, 3) of its opponent planes in 0...255."""
    return picture @ OPPONENT.T + OPPONENT_OFFSET


def crop_to_multiple(picture, n):
    return picture[: picture.shape[0] // n * n, : picture.shape[1] // n * n]


def to8(values):
    """Round half up, clip, uint8."""
    return np.clip(np.floor(values + 0.5), 0, 255).astype(np.uint8)


def noise(name, shape, sigma):
    """White Gaussian noise, always the same for a picture's name."""
    return np.random.default_rng(zlib.crc32(name.encode())).normal(0, sigma, shape)


def psnr(a, b, shave=0):
    """PSNR in dB of two 8-bit-range arrays, `shave` border samples left out."""
    if shave:
        a, b = a[shave:-shave, shave:-shave], b[shave:-shave, shave:-shave]
    return 10 * np.log10(255**2 / max(np.mean((a.astype(np.float64) - b) ** 2), 1e-12))


def _cubic(x):
    """Keys' kernel with a = -0.5."""
    x = np.abs(x)
    near = (1.5 * x - 2.5) * x * x + 1
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.where(x <= 1, near, np.where(x < 2, far, 0))


def resize_matrix(old, new):
    """(new, old) float64: one axis of the bicubic, widened when it shrinks, mirrored at the border."""
    scale = new / old
    narrow = min(scale, 1.0)
    matrix = np.zeros((new, old))
    reach = 2 / narrow
    for row in range(new):
        centre = (row + 0.5) / scale - 0.5
        taps = np.arange(int(np.ceil(centre - reach)), int(np.floor(centre + reach)) + 1)
        weights = _cubic((taps - centre) * narrow)
        mirrored = np.mod(taps, 2 * old)
        mirrored = np.where(mirrored >= old, 2 * old - 1 - mirrored, mirrored)
        np.add.at(matrix[row], mirrored, weights / weights.sum())
    return matrix


def imresize(picture, height, width):
    """(h, w[, c]) -> float64 (height, width[, c])."""
    rows, columns = resize_matrix(picture.shape[0], height), resize_matrix(picture.shape[1], width)
    planes = picture[..., None] if picture.ndim == 2 else picture
    out = np.stack([rows @ planes[..., c].astype(np.float64) @ columns.T for c in range(planes.shape[2])], axis=-1)
    return out[..., 0] if picture.ndim == 2 else out

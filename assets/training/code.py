#!/usr/bin/env python3
"""Send packed patches through an H.264 encoder: code.py PATCHES.npz OUT.npz [--crf 20 23 26 30]

The small patches are laid out on macroblocks' borders as large frames, each shown for three frames under a slow drift
of brightness, so that predicted frames are among them. OUT.npz holds `hr` and `lr` as they were, and `coded` uint8
(crfs, n, patch, patch): one of the three frames as decoded. Needs ffmpeg with libx264.
"""
import argparse
import subprocess
import tempfile

import numpy as np

COLUMNS, ROWS, HELD = 16, 8, 3


def coded(patches, crf, random):
    """uint8 (n, size, size) -> the same, decoded."""
    n, size = len(patches), patches.shape[1]
    whole = np.zeros((-(-n // (COLUMNS * ROWS)) * COLUMNS * ROWS, size, size), np.uint8)
    whole[:n] = patches
    frames = whole.reshape(-1, ROWS, COLUMNS, size, size).transpose(0, 1, 3, 2, 4).reshape(-1, ROWS * size, COLUMNS * size)
    drifting = np.concatenate([np.clip(frames[:, None].astype(np.int16) + d, 0, 255) for d in range(HELD)], 1)
    height, width = frames.shape[1:]
    form = ["-f", "rawvideo", "-pix_fmt", "gray", "-s", f"{width}x{height}", "-r", "24"]
    with tempfile.NamedTemporaryFile(suffix=".mp4") as file:
        subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", *form, "-i", "-", "-c:v", "libx264", "-pix_fmt", "yuv420p",
                        "-preset", "fast", "-threads", "1", "-crf", str(crf), file.name],
                       input=drifting.astype(np.uint8).tobytes(), check=True)
        raw = subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-i", file.name, "-pix_fmt", "gray", "-f", "rawvideo", "-"],
                             check=True, capture_output=True).stdout
    decoded = np.frombuffer(raw, np.uint8).reshape(-1, HELD, height, width).astype(np.int16)
    pick = random.integers(0, HELD, len(decoded))
    kept = np.clip(decoded[np.arange(len(decoded)), pick] - pick[:, None, None], 0, 255).astype(np.uint8)
    return kept.reshape(-1, ROWS, size, COLUMNS, size).transpose(0, 1, 3, 2, 4).reshape(-1, size, size)[:n]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("patches")
    parser.add_argument("out")
    parser.add_argument("--crf", nargs="+", type=int, default=[20, 23, 26, 30])
    parser.add_argument("--limit", type=int, help="the first so many patches")
    options = parser.parse_args()
    packed = np.load(options.patches)
    lr, hr = packed["lr"][: options.limit], packed["hr"][: options.limit]
    order = np.random.default_rng(1).permutation(len(lr))  # neighbours in a frame are strangers
    lr, hr = lr[order], hr[order]
    versions = np.stack([coded(lr, crf, np.random.default_rng(crf)) for crf in options.crf])
    np.savez(options.out, hr=hr, lr=lr, coded=versions)
    for crf, version in zip(options.crf, versions):
        error = np.mean((version.astype(np.float32) - lr) ** 2)
        print(f"crf {crf}: {10 * np.log10(255**2 / error):.2f} dB from the uncoded patches")


if __name__ == "__main__":
    main()

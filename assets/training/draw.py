#!/usr/bin/env python3
"""Draw pictures to train on beside photos: draw.py FOLDER [--count 400] [--size 512]

Photos hold few edges that are sharp on both sides, and no letters; screens, cartoons and slides hold little else. Each
picture is luma: overlapping shapes whose sizes follow a power law, as things in the world hide each other (the "dead
leaves" of Matheron 1968, from which Achddou, Gousseau and Ladjal 2021 learn restoration), some of them striped or
shaded; on some, lines of text and line art. They are drawn OVER times as large, and shrunk.
"""
import argparse
import pathlib

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

OVER = 4
FONTS = sorted((pathlib.Path(matplotlib.get_data_path()) / "fonts/ttf").glob("DejaVu*.ttf"))
LETTERS = "eeeeetttaaooiinnsshhrrddllucmwfgypbvkxjqzETAOINSHRDLUCMWFGYPBVKXJQZ0123456789.,:;!?()-+=/%&"


def stripes(random, size):
    """(size, size) uint8: bars of one direction, thinner than they are apart or not, hard or soft."""
    angle, period = random.uniform(0, np.pi), OVER * 2 ** random.uniform(1, 5)
    y, x = np.mgrid[:size, :size]
    wave = np.sin((x * np.cos(angle) + y * np.sin(angle)) * 2 * np.pi / period)
    wave = np.clip((wave + random.uniform(-0.7, 0.7)) * 2 ** random.uniform(0, 6), -1, 1)
    low, high = random.integers(0, 256, 2)
    return (low + (high - low) * (wave + 1) / 2).astype(np.uint8)


def shading(random, size):
    """(size, size) uint8: light that changes slowly."""
    coarse = random.integers(0, 256, (int(random.integers(2, 6)),) * 2).astype(np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((size, size), Image.BICUBIC))


def outline(random, centre, radius):
    """Corners of an ellipse, of a star or of a polygon."""
    count = 40 if random.random() < 0.4 else int(random.integers(3, 9))
    angles = np.sort(random.uniform(0, 2 * np.pi, count)) if count < 40 else np.linspace(0, 2 * np.pi, 40)
    radii = radius * (random.uniform(0.4, 1, count) if count < 40 else np.ones(40))
    points = np.stack([radii * np.cos(angles), radii * np.sin(angles) * random.uniform(0.2, 1)], 1)
    turn = random.uniform(0, 2 * np.pi)
    points = points @ np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return [tuple(point) for point in points + centre]


def leaves(random, picture):
    size = picture.size[0]
    draw = ImageDraw.Draw(picture)
    small, large = OVER * 2 ** random.uniform(0.5, 4), size * random.uniform(0.1, 0.5)
    textures = [stripes(random, size) if random.random() < 0.6 else shading(random, size) for _ in range(4)]
    small_in_front = random.random() < 0.5
    radii = power_law(random, small, large, int(random.integers(200, 1500)))
    for radius in np.sort(radii)[::-1] if small_in_front else radii:
        points = outline(random, random.uniform(0, size, 2), radius)
        if radius > 16 * OVER and random.random() < 0.4:
            mask = Image.new("1", picture.size)
            ImageDraw.Draw(mask).polygon(points, fill=1)
            picture.paste(Image.fromarray(textures[random.integers(0, 4)]), mask=mask)
        else:
            draw.polygon(points, fill=int(random.integers(0, 256)))


def power_law(random, small, large, count):
    """Radii whose density falls with their third power."""
    return (small**-2 + random.uniform(0, 1, count) * (large**-2 - small**-2)) ** -0.5


def text(random, picture):
    """Lines of letters of one size, on a field of their own or on what is there."""
    size, height = picture.size[0], int(OVER * 2 ** random.uniform(3, 5.5))
    font = ImageFont.truetype(str(FONTS[random.integers(0, len(FONTS))]), height)
    ink, paper = (int(level) for level in random.integers(0, 256, 2))
    block = Image.new("L", (2 * size, 2 * size), paper)
    draw = ImageDraw.Draw(block)
    for y in range(0, 2 * size, int(height * random.uniform(1.1, 1.6))):
        letters = [" " if random.random() < 0.18 else LETTERS[random.integers(0, len(LETTERS))]
                   for _ in range(4 * size // height)]
        draw.text((0, y), "".join(letters), fill=ink, font=font)
    if random.random() < 0.3:
        block = block.rotate(random.uniform(-30, 30), Image.BICUBIC, fillcolor=paper)
    left, top = (int(n) for n in random.integers(0, size, 2))
    block = block.crop((size // 2, size // 2, size // 2 + size, size // 2 + size))
    field = (left // 2, top // 2, left // 2 + size // 2 + left // 4, top // 2 + size // 4 + top // 4)
    picture.paste(block.crop(field), field[:2])


def line_art(random, picture):
    draw, size = ImageDraw.Draw(picture), picture.size[0]
    for _ in range(int(random.integers(5, 60))):
        steps = random.normal(0, size / 20, (int(random.integers(2, 30)), 2))
        path = np.cumsum(np.cumsum(steps, 0) * 0.3, 0) + random.uniform(0, size, 2)
        draw.line([tuple(point) for point in path], fill=int(random.integers(0, 256)),
                  width=int(OVER * 2 ** random.uniform(-0.5, 2.5)), joint="curve")


def drawn(random, size):
    """(size, size) uint8."""
    whole = Image.fromarray(shading(random, size * OVER))
    if random.random() < 0.85:
        leaves(random, whole)
    for layer, chance in ((line_art, 0.4), (text, 0.35), (text, 0.2)):
        if random.random() < chance:
            layer(random, whole)
    if random.random() < 0.3:  # as a lens that is not quite in focus
        whole = whole.filter(ImageFilter.GaussianBlur(OVER * random.uniform(0.2, 0.8)))
    kind = (Image.BOX, Image.BICUBIC, Image.LANCZOS)[random.integers(0, 3)]
    picture = np.asarray(whole.resize((size, size), kind)).astype(float)
    contrast = random.uniform(0.3, 1)
    darkest = 16 + 219 * random.uniform(0, 1 - contrast)
    return np.clip(darkest + contrast * 219 / 255 * picture + 0.5, 0, 255).astype(np.uint8)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--count", type=int, default=400)
    parser.add_argument("--size", type=int, default=512)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    for index in range(options.count):
        Image.fromarray(drawn(np.random.default_rng(index), options.size)).save(options.folder / f"{index:04}.png")


if __name__ == "__main__":
    main()

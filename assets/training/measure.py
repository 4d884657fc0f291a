#!/usr/bin/env python3
"""Measure every shipped network as users run it, through `pipe run`, and write the page that says so.

  measure.py --pipe ../../.build/release/pipe --models ../models --data ../../../shared/data --out ../../docs/MODELS.md

DATA holds `heldout/set5`, `set14`, `kodak24` and `video`; what is missing is left out, with a line that says so.
Inputs (bicubic halves, noisy copies, coded clips) and results are kept in --work, so that a second run measures only
what has changed: a network is measured anew when its file or the program differs.
"""
import argparse
import hashlib
import json
import pathlib
import shutil
import subprocess

import numpy as np
import onnx
from PIL import Image

import baselines
import clips
import page
from evaluate import luma_sigma
from images import crop_to_multiple, images, imresize, load, luma, noise, psnr, to8

SETS, SIGMAS = ("set5", "set14", "kodak24"), (15, 25, 50)


class Results:
    """Figures by key, on disk."""

    def __init__(self, path):
        self.path = path
        self.kept = json.loads(path.read_text()) if path.exists() else {}

    def once(self, key, measure):
        if key not in self.kept:
            self.kept[key] = measure()
            self.path.write_text(json.dumps(self.kept, indent=1, sort_keys=True))
            print(key, self.kept[key], flush=True)
        return self.kept[key]


def degraded(truths, folder, change):
    """A folder of PNGs made of `truths` by `change(picture, stem)`; made once."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in truths:
        target = folder / f"{path.stem}.png"
        if not target.exists():
            Image.fromarray(to8(change(crop_to_multiple(load(path), 2), path.stem))).save(target)
    return folder


def half(picture, _):
    return imresize(picture, picture.shape[0] // 2, picture.shape[1] // 2)


def noisy(sigma):
    """Noise on R, G and B, seeded by the file's name."""
    return lambda picture, stem: picture + noise(stem, picture.shape, sigma)


def run_pipe(pipe, stage, inputs, output):
    """Every picture of a folder through one stage."""
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir(parents=True)
    pipeline = output.with_suffix(".yml")
    pipeline.write_text(
        'version: 1\nname: score\ninputs: { include: ["**/*.png"] }\noutput: "{stem}.png"\n'
        f"stages:\n  - decode\n  - {stage}\n  - save\n")
    subprocess.run([pipe, "run", pipeline, inputs, "-o", output, "-q"], check=True)
    return output


def mean_psnr(output, truths):
    """Luma, two border samples left out."""
    values = []
    for path in truths:
        truth = luma(crop_to_multiple(load(path), 2))
        values.append(psnr(luma(load(output / f"{path.stem}.png")), truth, shave=2))
    return float(np.mean(values))


def speed(pipe, model, size):
    command = [pipe, "bench", "model", model, "--size", size, "--json", "--runs", "5"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)["fps"]


def measure_upscaler(options, results, model, key, found):
    for name, truths in found.items():
        inputs = degraded(truths, options.work / "lr" / name, half)
        results.once(f"{key}/{name}", lambda: mean_psnr(
            run_pipe(options.pipe, f"upscale: {{ model: {model} }}", inputs, options.work / "out"), truths))
        results.once(f"bicubic/{name}", lambda: float(np.mean(
            [baselines.bicubic(inputs / f"{t.stem}.png", t) for t in truths])))


def measure_denoiser(options, results, model, key, truths):
    for sigma in SIGMAS:
        inputs = degraded(truths, options.work / f"noise-{sigma}", noisy(sigma))
        for strength in (sigma, "auto"):
            done = f"{key}/{sigma}/{strength}"
            if done in results.kept:
                continue
            output = run_pipe(options.pipe, f"denoise: {{ model: {model}, strength: {strength} }}", inputs,
                              options.work / "out")
            if strength == sigma:
                results.once(f"{key}/third/{sigma}", lambda: mean_psnr(output, truths[::3]))
            results.once(done, lambda: mean_psnr(output, truths))


def measure_others(options, results, truths):
    """What other denoisers make of the same files: on every third picture, since they are slow."""
    some = truths[::3]
    for sigma in SIGMAS:
        folder = options.work / f"noise-{sigma}"
        paths = [folder / f"{t.stem}.png" for t in some]
        results.once(f"noisy/{sigma}", lambda: mean_psnr(folder, truths))
        results.once(f"noisy-third/{sigma}", lambda: mean_psnr(folder, some))
        for path, truth in zip(paths, some):
            results.once(f"bm3d/{sigma}/{truth.stem}", lambda: baselines.pypi_bm3d(path, truth, luma_sigma(sigma)))
            results.once(f"bm3d-rgb/{sigma}/{truth.stem}", lambda: baselines.pypi_bm3d_colour(path, truth, sigma))
        results.once(f"nlmeans/{sigma}", lambda: baselines.nlmeans(paths, some, luma_sigma(sigma)))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("pipe", "models", "data", "out"):
        parser.add_argument(f"--{name}", required=True, type=lambda path: pathlib.Path(path).resolve())
    parser.add_argument("--work", type=lambda path: pathlib.Path(path).resolve(), default=pathlib.Path("score").resolve())
    parser.add_argument("--sets", nargs="+", default=SETS, choices=SETS, help="only these; Kodak24 takes the longest")
    parser.add_argument("--no-speed", action="store_true", help="do not time them: other work is going on")
    parser.add_argument("--no-others", action="store_true", help="leave out other denoisers, which take most of the time")
    options = parser.parse_args()
    if not (options.data / "heldout").is_dir():
        print(f"{options.data} has no heldout/ pictures: nothing is measured, {options.out.name} stays as it is")
        return
    options.work.mkdir(parents=True, exist_ok=True)
    results = Results(options.work / "results.json")
    program = hashlib.sha256(options.pipe.read_bytes()).hexdigest()[:8]
    found = {name: images(options.data / "heldout" / name) for name in options.sets}
    found = {name: truths for name, truths in found.items() if truths or print(f"{name} is missing: left out")}
    rows = []
    for model in sorted(options.models.glob("*.onnx")):
        card = {entry.key: entry.value for entry in onnx.load(model).metadata_props}
        key = f"{model.stem}-{hashlib.sha256(model.read_bytes()).hexdigest()[:8]}-{program}"
        if card.get("task") == "denoise":
            if "kodak24" in found:
                measure_denoiser(options, results, model, key, found["kodak24"])
        else:
            measure_upscaler(options, results, model, key, found)
            clips.measure(options, results, model, key)
        fps = None if options.no_speed else speed(options.pipe, model, "1920x1080")
        rows.append({"key": key, "card": card, "fps": fps})
    if "kodak24" in found and not options.no_others:
        measure_others(options, results, found["kodak24"])
    options.out.write_text(page.written(rows, results.kept, found))
    print(f"wrote {options.out}")


if __name__ == "__main__":
    main()

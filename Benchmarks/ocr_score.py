#!/usr/bin/env python3
"""Prints the figures of docs/OCR.md: how well pages are read, and how well doubtful words are found.

  Benchmarks/ocr_score.py [DATA] [--pipe .build/release/pipe] [--sets scans,receipts,forms] [--fixes]

DATA is a folder of page pictures with their words, as scribe/{img,txt}, sroie/{img,txt} and funsd/testing/{images,txt}.
F1 is of bags of words: what is compared are the words of a page and how often each occurs, not their order. A word that
occurs more often in what was read than in the truth counts as misread by the share of its occurrences too many.
"""
import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

SETS = {
    "scans": ("scribe/img", "scribe/txt", False),
    "receipts": ("sroie/img", "sroie/txt", True),  # their truth is upper case
    "forms": ("funsd/testing/images", "funsd/testing/txt", False),
}
FIXES = {
    "without doubling": (["--set", "ocr.letter_height=0"], ""),
    "and rotate": ([], "rotate"),
    "and deskew": ([], "deskew"),
    "and clean": ([], "clean"),
}
SHARES = [0.03, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4]
THRESHOLDS = [40, 60, 80, 90, 93, 95, 97, 98, 99]


def bag(text, fold):
    return collections.Counter(re.findall(r"\w+", text.casefold() if fold else text))


def score(folder, truth, fold):
    hit = got = want = 0
    for path in sorted(truth.glob("*.txt")):
        read, real = bag((folder / path.name).read_text(errors="replace"), fold), bag(path.read_text(errors="replace"), fold)
        hit += (read & real).total()
        got += read.total()
        want += real.total()
    recall, precision = hit / max(want, 1), hit / max(got, 1)
    return 2 * recall * precision / max(recall + precision, 1e-9)


def tesseract(pictures, folder):
    folder.mkdir()
    one_thread = {**os.environ, "OMP_THREAD_LIMIT": "1"}
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = [pool.submit(subprocess.run, ["tesseract", str(path), str(folder / path.stem)], env=one_thread, check=True,
                            capture_output=True) for path in pictures]
        for job in jobs:
            job.result()


def pipe(options, pictures, folder, settings=(), stage=""):
    text = pathlib.Path(options.pipeline).read_text()
    if stage:
        text = text.replace("  - rasterize\n", f"  - rasterize\n  - {stage}\n")
        assert stage in text, f"{options.pipeline} has no plain rasterize"
    folder.mkdir()
    pipeline = folder / "ocr.yml"
    pipeline.write_text(text)
    subprocess.run([options.pipe, "run", pipeline, pictures, "-o", folder, "--set", "document.formats=txt,json", "-q",
                    *settings], check=True)


def flags(folder, truth):
    """(certainty, confidence, how much of it is misread) of every word. Case is ignored: small capitals are read as
    what they look like, whatever the truth makes of them."""
    result = []
    for path in sorted(truth.glob("*.txt")):
        real = bag(path.read_text(errors="replace"), True)
        words = [word for page in json.loads((folder / path.with_suffix(".json").name).read_text())["pages"]
                 for block in page["blocks"] for line in block["lines"] for word in line["words"]]
        parts = [bag(word["text"], True) for word in words]
        read = sum(parts, collections.Counter())
        for word, part in zip(words, parts):
            # Of a word of several parts the worst counts; one without letters has no truth.
            wrong = max((max(read[p] - real[p], 0) / read[p] for p in part), default=None)
            if wrong is not None:
                result.append((word["certainty"], word["confidence"], wrong))
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="?", type=pathlib.Path, default=pathlib.Path("../shared/data/docs"))
    parser.add_argument("--pipe", default=".build/release/pipe")
    parser.add_argument("--pipeline", default="pipelines/ocr.yml")
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--fixes", action="store_true", help="also each page fix by itself")
    options = parser.parse_args()
    rows, curves = {}, {}
    with tempfile.TemporaryDirectory() as top:
        for name in options.sets.split(","):
            images, truth, fold = SETS[name]
            pictures, truth = options.data / images, options.data / truth
            if not pictures.is_dir():
                sys.exit(f"there is no {pictures}")
            work = pathlib.Path(top, name)
            work.mkdir()
            tesseract(sorted(pictures.iterdir()), work / "tesseract")
            rows[name] = {"tesseract": score(work / "tesseract", truth, fold)}
            pipe(options, pictures, work / "ocr.yml")
            rows[name]["ocr.yml"] = score(work / "ocr.yml", truth, fold)
            curves[name] = flags(work / "ocr.yml", truth)
            for label, (settings, stage) in FIXES.items() if options.fixes else ():
                pipe(options, pictures, work / label, settings, stage)
                rows[name][label] = score(work / label, truth, fold)
            print(name, {label: round(value, 4) for label, value in rows[name].items()}, file=sys.stderr, flush=True)
    labels = list(next(iter(rows.values())))
    print("| F1 | " + " | ".join(labels) + " |\n|---|" + "---|" * len(labels))
    for name, values in rows.items():
        print(f"| {name} | " + " | ".join(f"{value:.4f}" for value in values.values()) + " |")
    print("\n| `review` | " + " | ".join(f"{name}: flagged | of the misread" for name in curves) + " |")
    print("|---|" + "---|---|" * len(curves))
    for threshold in THRESHOLDS:
        cells = []
        for words in curves.values():
            low = [wrong for certainty, _, wrong in words if certainty < threshold]
            cells += [f"{len(low) / max(len(words), 1):.2f}", f"{sum(low) / max(misread(words), 1e-9):.2f}"]
        print(f"| {threshold} | " + " | ".join(cells) + " |")
    # The same share of words by Tesseract's own confidence, for comparison.
    print("\n| flagged | " + " | ".join(f"{name}: by certainty | by confidence" for name in curves) + " |")
    print("|---|" + "---|---|" * len(curves))
    for share in SHARES:
        cells = []
        for words in curves.values():
            for column in (0, 1):
                lowest = sorted(words, key=lambda word: word[column])[:round(len(words) * share)]
                cells.append(f"{misread(lowest) / max(misread(words), 1e-9):.2f}")
        print(f"| {share} | " + " | ".join(cells) + " |")


def misread(words):
    return sum(wrong for _, _, wrong in words)


if __name__ == "__main__":
    main()

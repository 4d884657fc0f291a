#!/usr/bin/env python3
"""How well `encode: { target: ... }` does: SSIM hit, what the search costs beside one full encode, and the size.

  Benchmarks/target.py CLIP... [--value 0.98] [--preset medium] [--pipe .build/release/pipe] [--score score_video.py]

For each clip: the crf that was found; SSIM of luma of the whole output as ffmpeg's filter sees it, against the wanted
value; CPU time of the search as a share of an encode with that crf alone; size against the source's. With --score, a
script that prints `VMAF 93.21 ...` of an output and its reference is asked, too. Run it with nothing else running.
"""
import argparse
import json
import os
import pathlib
import re
import statistics
import subprocess
import tempfile


def pipe(options, clip, folder, settings):
    """CPU seconds of a run, and what its receipt says."""
    pipeline = folder / "target.yml"
    pipeline.write_text(
        "version: 1\nname: target\ninputs: { include: ['*'] }\noutput: '{stem}.mkv'\n"
        f"stages: [decode, encode: {{ codec: hevc, preset: {options.preset}, {settings} }}]\n")
    output = folder / "out"
    with tempfile.TemporaryFile() as errors:
        child = subprocess.Popen(
            [options.pipe, "run", pipeline, clip, "-o", output, "--fresh", "--no-progress", "-q"],
            stdout=subprocess.DEVNULL, stderr=errors)
        _, status, usage = os.wait4(child.pid, 0)
        if status:
            errors.seek(0)
            raise SystemExit(f"{clip}:\n{errors.read().decode(errors='replace')}")
    made = next(p for p in output.iterdir() if p.is_file())
    receipt = json.loads(next((output / ".pipe/receipts").rglob("*.json")).read_text())
    return usage.ru_utime + usage.ru_stime, made, receipt


def found(receipt):
    """The crf, wherever in the receipt the sink's details are."""
    if isinstance(receipt, dict):
        if isinstance(receipt.get("crf"), (int, float)):
            return receipt["crf"]
        receipt = list(receipt.values())
    if isinstance(receipt, list):
        for item in receipt:
            crf = found(item)
            if crf is not None:
                return crf
    return None


def ssim(output, source):
    log = subprocess.run(
        ["ffmpeg", "-hide_banner", "-nostats", "-i", output, "-i", source, "-lavfi",
         "[0:v:0]settb=1/25,setpts=N[a];[1:v:0]settb=1/25,setpts=N[b];[a][b]ssim", "-f", "null", "-"],
        capture_output=True, text=True, check=True).stderr
    return float(re.search(r"SSIM Y:([0-9.]+)", log).group(1))


def steady(path, target):
    """The pictures of a file alone, without loss, 25 a second: judges that go by times must pair the same ones."""
    subprocess.run(
        ["ffmpeg", "-v", "error", "-y", "-i", path, "-map", "0:v:0", "-vf", "settb=1/25,setpts=N", "-vsync",
         "passthrough", "-c:v", "ffv1", target], check=True)
    return target


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", nargs="+")
    parser.add_argument("--value", type=float, default=0.98)
    parser.add_argument("--preset", default="medium")
    parser.add_argument("--pipe", default=".build/release/pipe")
    parser.add_argument("--score")
    parser.add_argument("--python", default="python3", help="runs the --score script")
    options = parser.parse_args()
    rows = []
    for clip in options.clips:
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            both, made, receipt = pipe(options, clip, folder, f"target: {{ metric: ssim, value: {options.value} }}")
            crf = found(receipt)
            got = ssim(made, clip)
            ratio = made.stat().st_size / pathlib.Path(clip).stat().st_size
            vmaf = ""
            if options.score:
                pair = [steady(made, folder / "output.mkv"), steady(clip, folder / "source.mkv")]
                vmaf = subprocess.run(
                    [options.python, options.score, *pair], capture_output=True, text=True, check=True).stdout.strip()
            alone, _, _ = pipe(options, clip, folder, f"crf: {crf}")
            share = (both - alone) / alone
        rows.append((abs(got - options.value), share, ratio))
        print(f"{pathlib.Path(clip).name}: crf {crf}, SSIM {got:.4f} ({got - options.value:+.4f}), search {share:.0%} of "
              f"an encode, {ratio:.2f} of the source's size  {vmaf}", flush=True)
    worst, share, ratio = (max(r[0] for r in rows), max(r[1] for r in rows), statistics.median(r[2] for r in rows))
    print(f"worst miss {worst:.4f}, worst share {share:.0%}, median size ratio {ratio:.2f}")


if __name__ == "__main__":
    main()

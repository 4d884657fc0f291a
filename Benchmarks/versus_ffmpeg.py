#!/usr/bin/env python3
"""Times `pipe run upscale.yml` against the command that a user would type instead, in turn, and prints medians.

  Benchmarks/versus_ffmpeg.py CLIP [--pairs 5] [--pipe .build/release/pipe] [--set STAGE.PARAM=VALUE ...]

The other command is ffmpeg with lanczos scaling and the same encoder, preset and crf. Peak memory is that of the
largest process, as the kernel accounts it; of pipe's two processes that is the worker. Run it with nothing else running.
"""
import argparse
import os
import pathlib
import statistics
import subprocess
import tempfile
import time


def measured(command):
    """Wall seconds, CPU seconds and peak MiB of a command's largest process."""
    start = time.monotonic()
    with tempfile.TemporaryFile() as errors:
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors)
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.monotonic() - start
        if status:
            errors.seek(0)
            raise SystemExit(f"{command[0]} failed:\n{errors.read().decode(errors='replace')}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--pipe", default=".build/release/pipe")
    parser.add_argument("--pipeline", default="pipelines/upscale.yml")
    parser.add_argument("--set", action="append", default=[])
    options = parser.parse_args()
    settings = [word for setting in options.set for word in ("--set", setting)]
    rows = {"pipe": [], "ffmpeg": []}
    with tempfile.TemporaryDirectory() as folder:
        for pair in range(options.pairs + 1):
            out = pathlib.Path(folder, f"out{pair}")
            ours = measured([options.pipe, "run", options.pipeline, options.clip, "-o", str(out), "-q", *settings])
            theirs = measured(["ffmpeg", "-v", "error", "-nostdin", "-y", "-i", options.clip, "-vf",
                               "scale=iw*2:ih*2:flags=lanczos", "-c:v", "libx265", "-preset", "fast", "-crf", "22",
                               "-x265-params", "log-level=error", "-c:a", "copy", str(pathlib.Path(folder, "ffmpeg.mkv"))])
            if pair:  # the first pair warms the file cache
                rows["pipe"].append(ours)
                rows["ffmpeg"].append(theirs)
    for name, values in rows.items():
        wall, cpu, peak = (statistics.median(column) for column in zip(*values))
        print(f"{name:8} {wall:7.2f} s wall {cpu:7.2f} s CPU {peak:7.0f} MiB peak")
    ratios = [[a / b for a, b in zip(x, y)] for x, y in zip(rows["pipe"], rows["ffmpeg"])]
    wall, cpu, peak = (statistics.median(column) for column in zip(*ratios))
    print(f"pipe / ffmpeg, median of {options.pairs} pairs: {wall:.3f} wall, {cpu:.3f} CPU, {peak:.3f} peak memory")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Time the integer engine beside OpenVINO on the same networks, by turns, and compare the medians.

  python3 -m venv env && env/bin/pip install openvino numpy
  env/bin/python versus_openvino.py MODEL.onnx... [--pipe .build/release/pipe] [--size 960x540] [--threads 2] [--pairs 9]

Each pair is one process of either, a few seconds long, one after the other, so that whatever else the machine does
falls on both. Every model is timed with all that the processor has, and with AVX2 alone (PIPE_CPU=avx2 and
ONEDNN_MAX_CPU_ISA=AVX2). Random weights do: these are speeds. Let nothing else run.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys

PEER = """
import json, sys, time
import numpy as np
import openvino as ov
path, width, height, threads, runs = sys.argv[1], *map(int, sys.argv[2:])
model = ov.Core().read_model(path)
model.reshape([1, 1, height, width])
options = {'INFERENCE_NUM_THREADS': threads, 'PERFORMANCE_HINT': 'LATENCY'}
request = ov.Core().compile_model(model, 'CPU', options).create_infer_request()
x = np.random.default_rng(1).random((1, 1, height, width), dtype=np.float32)
times = []
for _ in range(runs + 2):
    start = time.perf_counter()
    request.infer({0: x})
    times.append(time.perf_counter() - start)
print(json.dumps(float(np.median(times[2:])) * 1e3))
"""


def ours(options, model, level):
    command = [options.pipe, "bench", "model", os.path.abspath(model), "--size", options.size,
               "--threads", str(options.threads), "--runs", str(options.runs), "--json"]
    environment = {**os.environ, **({"PIPE_CPU": "avx2"} if level == "avx2" else {})}
    return json.loads(subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout)


def theirs(options, model, level):
    command = [sys.executable, "-c", PEER, model, *options.size.split("x"), str(options.threads), str(options.runs)]
    environment = {**os.environ, **({"ONEDNN_MAX_CPU_ISA": "AVX2"} if level == "avx2" else {})}
    return json.loads(subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+")
    parser.add_argument("--pipe", default=".build/release/pipe")
    parser.add_argument("--size", default="960x540")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--runs", type=int, default=25, help="frames of one process")
    parser.add_argument("--pairs", type=int, default=9)
    options = parser.parse_args()
    for model in options.models:
        for level in ("all", "avx2"):
            pairs = [(ours(options, model, level), theirs(options, model, level)) for _ in range(options.pairs)]
            ms, peer = (statistics.median(side) for side in zip(*((a["ms"], b) for a, b in pairs)))
            macs = statistics.median(a["gmac_per_s"] * a["ms"] for a, _ in pairs)
            share = statistics.median(a["peak_share"] for a, _ in pairs)
            ratio = statistics.median(b / a["ms"] for a, b in pairs)
            print(f"{os.path.basename(model):24} {pairs[0][0]['level']:9} pipe {ms:8.2f} ms {macs / ms:6.0f} GMAC/s "
                  f"({share:.0%} of the peak)  openvino {peer:8.2f} ms {macs / peer:6.0f} GMAC/s  "
                  f"{ratio:.2f} x in the median pair", flush=True)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Train one network: train.py CONFIG.toml --data PATCHES.npz --run FOLDER [--eval SET5 SET14 ...]

FOLDER keeps checkpoint.pt (resumed when present), log.csv, curve.png and weights.npz (collapsed, averaged float
weights). The learning rate follows a cosine over `--minutes` or `--steps` (else the config's).
`--start weights.npz` begins with exported weights; `--quantise` trains the integer network (config's [quantise] over
the rest).
"""
import argparse
import math
import pathlib
import time
import tomllib

import numpy as np
import torch
import torch.nn.functional as F

import channels
import curve
import evaluate
import model as networks
import prune
from batches import Batches
from optimisers import Average, make_optimisers
from weights import load_weights, save_weights


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config")
    parser.add_argument("--data", required=True, nargs="+")
    parser.add_argument("--run", required=True)
    parser.add_argument("--eval", nargs="*", default=[])
    parser.add_argument("--start")
    parser.add_argument("--quantise", action="store_true")
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--set", nargs="*", default=[], help="key=value over the config")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    return parser.parse_args()


def read_config(path, quantise=False, changes=()):
    with open(path, "rb") as file:
        config = tomllib.load(file)
    section = dict(config, **config.get("quantise", {})) if quantise else config
    for key, value in (change.split("=", 1) for change in changes):
        section[key] = tomllib.loads(f"value = {value}")["value"] if value[0].isdigit() else value
    return section


@torch.no_grad()
def observe_scales(model, batches, rounds=16):
    """Start the activation scales at the 99.99th percentile seen in training patches."""
    seen = [[] for _ in model.activations]
    for _ in range(rounds):
        x, _, sigma = batches.next()
        model(x, sigma=sigma, observe=lambda i, h: seen[i].append(np.quantile(h.float().cpu().numpy(), 0.9999)))
    for activation, values in zip(model.activations, seen):
        activation.scale.data.fill_(float(np.mean(values)) / 255)


def loss_of(kind, output, truth):
    if kind == "l2":
        return F.mse_loss(output, truth) * 30
    if kind == "rms":  # of each patch: what PSNR is made of, and patches of all noise levels weigh the same
        return ((output - truth).square().mean((1, 2, 3)) + 1e-8).sqrt().mean()
    return F.l1_loss(output, truth)


def write_state(run, model, average, optimisers, step, spent):
    state = {"model": model.state_dict(), "average": average.model.state_dict(), "step": step, "spent": spent,
             "masks": [conv.mask for conv in model.convs], "optimisers": [o.state_dict() for o in optimisers]}
    torch.save(state, run / "checkpoint.part")
    (run / "checkpoint.part").replace(run / "checkpoint.pt")
    save_weights(average.model, run / "weights.npz")


def main():
    options = parse()
    torch.set_num_threads(options.threads)
    section = read_config(options.config, options.quantise, options.set)
    run, device = pathlib.Path(options.run), torch.device(options.device)
    run.mkdir(parents=True, exist_ok=True)
    batches = Batches(options.data, section, device, time.time_ns() % 2**31)
    model = networks.build(section).to(device)
    print(f"{model.macs() / 1000:.2f} KMAC per input pixel")
    if options.start:
        load_weights(model, options.start)
    if options.quantise:
        if not model.activations[0].scale.item():
            observe_scales(model, batches)
        model.quantised = True
    prune.restore(model)
    average = Average(model, section.get("average", 0.999))
    optimisers, rest = make_optimisers(model, section)
    step, spent, rate = 0, 0.0, 0.0
    if (run / "checkpoint.pt").exists():
        state = torch.load(run / "checkpoint.pt", map_location=device)
        model.load_state_dict(state["model"])
        average.model.load_state_dict(state["average"])
        prune.wear(model, state["masks"])
        prune.wear(average.model, state["masks"])
        for optimiser, kept in zip(optimisers, state["optimisers"]):
            optimiser.load_state_dict(kept)
        step, spent = state["step"], state["spent"]
        print(f"resumed at step {step}, {spent / 60:.1f} minutes")
    minutes, steps = options.minutes, options.steps
    if not minutes and not steps:
        minutes, steps = section.get("minutes"), section.get("steps")
    half = bool(section.get("bf16", device.type == "cuda"))
    log, every = run / "log.csv", section.get("look_seconds", 120.0)
    total, count, start = 0.0, 0, time.time() - spent
    looks = math.floor(spent / every) + 1
    while True:
        elapsed = time.time() - start
        done = elapsed / (60 * minutes) if minutes else step / steps
        if done >= 1 or elapsed >= looks * every:
            looks = math.floor(elapsed / every) + 1
            results = evaluate.scores(evaluate.torch_runner(average.model, device), options.eval, section)
            if not log.exists():
                log.write_text(",".join(["step", "minutes", "loss", "rate", *results]) + "\n")
            row = [step, f"{elapsed / 60:.2f}", f"{total / max(count, 1):.6f}", f"{rate:.2e}"]
            with open(log, "a") as file:
                file.write(",".join([str(v) for v in row] + [f"{r:.4f}" for r in results.values()]) + "\n")
            print(*row, *(f"{k} {v:.3f}" for k, v in results.items()), flush=True)
            total, count = 0.0, 0
            write_state(run, model, average, optimisers, step, time.time() - start)
            curve.draw(log, run / "curve.png")
        if done >= 1:
            break
        if "prune" in section and step % 100 == 0 and prune.due(done, section):
            prune.prune(model, prune.share_at(done, section))
            prune.wear(average.model, [conv.mask for conv in model.convs])
        if step % 25 == 0:
            channels.recentre(model, batches, [average.model])
            if step % 1000 == 0 and done < 0.7 and not model.quantised:
                print(f"step {step}: dead channels begun anew: {channels.revive(model, batches)}", flush=True)
        warm = min(1.0, (step + 1) / section.get("warmup", 200))
        rate = section["rate"] * warm * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * done)))
        for group in (group for optimiser in optimisers for group in optimiser.param_groups):
            group["lr"] = rate * group["factor"]
        x, truth, sigma = batches.next()
        with torch.autocast(device.type, torch.bfloat16, enabled=half):
            output = model(x, sigma=sigma)
        loss = loss_of(section.get("loss", "l1"), output, truth)
        model.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(rest, section.get("clip", 0.5))
        for optimiser in optimisers:
            optimiser.step()
        step += 1
        average.update(model, step)
        total, count = total + loss.item(), count + 1


if __name__ == "__main__":
    main()

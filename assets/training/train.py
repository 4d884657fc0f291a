#!/usr/bin/env python3
"""Train one network: train.py CONFIG.toml --data PATCHES.npz --run FOLDER [--eval SET5 SET14 ...]

FOLDER keeps checkpoint.pt (resumed when present), log.csv, curve.png and weights.npz (collapsed, averaged float
weights). `--minutes` and `--steps` override the config; the learning rate follows a cosine over the whole of it.
`--start weights.npz` continues from exported weights; `--quantise` trains the integer network.
"""
import argparse
import csv
import math
import pathlib
import time
import tomllib

import numpy as np
import torch
import torch.nn.functional as F

import evaluate
import model as networks
from muon import Muon


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config")
    parser.add_argument("--data", required=True)
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


class Batches:
    """Random patches, cut to `crop`, flipped and turned; uint8 in memory, float on the device."""

    def __init__(self, path, batch, crop, device, seed):
        packed = np.load(path)
        self.hr, self.lr = (torch.from_numpy(packed[k]).to(device) for k in ("hr", "lr"))
        self.batch, self.crop, self.random = batch, crop, np.random.default_rng(seed)

    def next(self):
        pick = torch.from_numpy(self.random.integers(0, len(self.lr), self.batch)).to(self.lr.device)
        lr, hr = self.lr[pick], self.hr[pick]
        room, ratio = lr.shape[-1] - self.crop, hr.shape[-1] // lr.shape[-1]
        if room > 0:
            y, x = (int(n) for n in self.random.integers(0, room + 1, 2))
            lr = lr[:, y : y + self.crop, x : x + self.crop]
            hr = hr[:, ratio * y : ratio * (y + self.crop), ratio * x : ratio * (x + self.crop)]
        turn, flip = self.random.integers(0, 4), self.random.integers(0, 2)
        lr, hr = torch.rot90(lr, turn, (1, 2)), torch.rot90(hr, turn, (1, 2))
        if flip:
            lr, hr = lr.flip(2), hr.flip(2)
        return lr[:, None].float() / 255, hr[:, None].float() / 255


def load_weights(model, path):
    """Collapsed weights from weights.npz; activation scales too, where it has them."""
    stored = np.load(path)
    for index, conv in enumerate(model.convs):
        conv.load_collapsed(torch.from_numpy(stored[f"w{index}"]).float(), torch.from_numpy(stored[f"b{index}"]).float())
    if "scales" in stored:
        for activation, scale in zip(model.activations, stored["scales"]):
            activation.scale.data.fill_(float(scale))


@torch.no_grad()
def save_weights(model, path):
    layers = model.collapse()
    arrays = {f"w{i}": kernel.float().cpu().numpy() for i, (kernel, _) in enumerate(layers)}
    arrays |= {f"b{i}": bias.float().cpu().numpy() for i, (_, bias) in enumerate(layers)}
    if model.quantised:
        arrays["scales"] = np.array([a.scale.item() for a in model.activations], np.float32)
    np.savez(path, **arrays)


@torch.no_grad()
def observe_scales(model, batches, rounds=16):
    """Start the activation scales at the 99.99th percentile seen in training patches."""
    seen = [[] for _ in model.activations]
    for _ in range(rounds):
        model(batches.next()[0], observe=lambda i, h: seen[i].append(np.quantile(h.float().cpu().numpy(), 0.9999)))
    for activation, values in zip(model.activations, seen):
        activation.scale.data.fill_(float(np.mean(values)) / 255)


def make_optimisers(model, section):
    """(optimisers, all weights but the activation scales): Adam, or Muon for the kernels and Adam for all else."""
    named = list(model.named_parameters())
    scales = [p for name, p in named if name.endswith("scale")]
    rest = [p for name, p in named if not name.endswith("scale")]
    kernels = []
    if section.get("optimiser") == "muon":
        kernels = [p for p in rest if p.dim() > 1]
    others = [p for p in rest if p.dim() == 1 or not kernels]
    adam = torch.optim.Adam(
        [{"params": others, "factor": 1.0}, {"params": scales, "factor": 0.02}], lr=1e-3, betas=(0.9, 0.99), fused=True)
    if not kernels:
        return [adam], rest
    muon = Muon([{"params": kernels}])
    muon.param_groups[0]["factor"] = section.get("muon", 1.0)
    return [adam, muon], rest


def loss_of(kind, output, truth):
    if kind == "l1":
        return F.l1_loss(output, truth)
    if kind == "l2":
        return F.mse_loss(output, truth) * 30
    difference = output - truth
    return torch.sqrt(difference * difference + (2 / 255) ** 2).mean()


def draw_curve(log, path):
    try:
        import matplotlib
    except ImportError:
        return
    matplotlib.use("Agg")
    from matplotlib import pyplot

    with open(log) as file:
        rows = list(csv.DictReader(file))
    names = [k for k in rows[0] if k not in ("step", "minutes", "loss", "rate")]
    for name in names:
        pyplot.plot([int(r["step"]) for r in rows], [float(r[name]) for r in rows], label=name)
    pyplot.xlabel("step"), pyplot.ylabel("PSNR, dB"), pyplot.legend(), pyplot.grid(alpha=0.3)
    pyplot.savefig(path, dpi=80)
    pyplot.close()


def main():
    options = parse()
    torch.set_num_threads(options.threads)
    with open(options.config, "rb") as file:
        config = tomllib.load(file)
    section = dict(config, **config.get("quantise", {})) if options.quantise else config
    for item in options.set:
        key, value = item.split("=")
        section[key] = tomllib.loads(f"value = {value}")["value"] if value[0].isdigit() else value
    run = pathlib.Path(options.run)
    run.mkdir(parents=True, exist_ok=True)
    device = torch.device(options.device)
    torch.manual_seed(section.get("seed", 0))
    model = networks.build(section).to(device)
    batches = Batches(options.data, section["batch"], section["crop"], device, time.time_ns() % 2**32)
    if options.start:
        load_weights(model, options.start)
    if options.quantise:
        if not model.activations[0].scale.item():
            observe_scales(model, batches)
        model.quantised = True
    average = networks.build(section).to(device)
    average.load_state_dict(model.state_dict())
    average.quantised = model.quantised
    optimisers, rest = make_optimisers(model, section)
    step, spent, best = 0, 0.0, -1.0
    saved = run / "checkpoint.pt"
    if saved.exists():
        state = torch.load(saved, map_location=device)
        model.load_state_dict(state["model"]), average.load_state_dict(state["average"])
        [o.load_state_dict(kept) for o, kept in zip(optimisers, state["optimisers"])]
        step, spent = state["step"], state["spent"]
        print(f"resumed at step {step}, {spent / 60:.1f} minutes")
    minutes, steps = options.minutes, options.steps
    if not minutes and not steps:
        minutes, steps = section.get("minutes"), section.get("steps")
    half = section.get("bf16", device.type == "cuda")
    sets = {pathlib.Path(folder).name: folder for folder in options.eval}
    log = run / "log.csv"
    if not log.exists():
        log.write_text(",".join(["step", "minutes", "loss", "rate", *sets]) + "\n")
    total, count, start, next_look = 0.0, 0, time.time() - spent, section.get("look_seconds", 120.0)
    looks = math.floor(spent / next_look) + 1
    while True:
        elapsed = time.time() - start
        done = elapsed / (60 * minutes) if minutes else step / steps
        if done >= 1 or elapsed >= looks * next_look:
            looks = math.floor(elapsed / next_look) + 1
            results = {k: evaluate.score(evaluate.torch_upscaler(average, device), v) for k, v in sets.items()}
            row = [step, f"{elapsed / 60:.2f}", f"{total / max(count, 1):.6f}", f"{rate if step else 0:.2e}"]
            with open(log, "a") as file:
                file.write(",".join(str(v) for v in row + [f"{r:.4f}" for r in results.values()]) + "\n")
            print(*row, *(f"{k} {v:.3f}" for k, v in results.items()), flush=True)
            total, count = 0.0, 0
            state = {"model": model.state_dict(), "average": average.state_dict(),
                     "optimisers": [o.state_dict() for o in optimisers], "step": step, "spent": time.time() - start}
            torch.save(state, run / "checkpoint.part")
            (run / "checkpoint.part").replace(saved)
            save_weights(average, run / "weights.npz")
            draw_curve(log, run / "curve.png")
        if done >= 1:
            break
        warm = min(1.0, (step + 1) / section.get("warmup", 200))
        rate = section["rate"] * warm * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * done)))
        for group in (group for o in optimisers for group in o.param_groups):
            group["lr"] = rate * group["factor"]
        x, truth = batches.next()
        with torch.autocast(device.type, torch.bfloat16, enabled=half):
            output = model(x)
        loss = loss_of(section.get("loss", "l1"), output, truth)
        model.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(rest, section.get("clip", 0.5))
        for optimiser in optimisers:
            optimiser.step()
        step += 1
        decay = min(section.get("average", 0.999), step / (step + 10))
        with torch.no_grad():
            torch._foreach_lerp_(list(average.parameters()), list(model.parameters()), 1 - decay)
        total, count = total + float(loss.detach()), count + 1


if __name__ == "__main__":
    main()

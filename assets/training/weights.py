"""Collapsed float weights in one .npz: w0 b0 w1 b1 ..., `scales` of the activations, `level` of a denoiser."""
import numpy as np
import torch


def load_weights(model, path):
    stored = np.load(path)
    for index, conv in enumerate(model.convs):
        conv.load_collapsed(torch.from_numpy(stored[f"w{index}"]).float(), torch.from_numpy(stored[f"b{index}"]).float())
    if "scales" in stored:
        for activation, scale in zip(model.activations, stored["scales"]):
            activation.scale.data.fill_(float(scale))
    if "level" in stored:
        model.level.data.copy_(torch.from_numpy(stored["level"]))


@torch.no_grad()
def save_weights(model, path):
    layers = model.collapse()
    arrays = {f"w{i}": kernel.float().cpu().numpy() for i, (kernel, _) in enumerate(layers)}
    arrays |= {f"b{i}": bias.float().cpu().numpy() for i, (_, bias) in enumerate(layers)}
    if model.quantised:
        arrays["scales"] = np.array([a.scale.item() for a in model.activations], np.float32)
    if model.level is not None:
        arrays["level"] = model.level.float().cpu().numpy()
    np.savez(path, **arrays)

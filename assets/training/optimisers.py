"""Optimisers and the averaged copy of a network."""
import copy

import torch

from muon import Muon
from soap import Soap


def make_optimisers(model, section):
    """(optimisers, all weights but the activation scales): Adam, or Muon or Soap for the kernels and Adam for all else."""
    named = list(model.named_parameters())
    scales = [p for name, p in named if name.endswith("scale")]
    rest = [p for name, p in named if not name.endswith("scale")]
    kernels = [p for p in rest if p.dim() > 1] if section.get("optimiser", "adam") != "adam" else []
    others = [p for p in rest if p.dim() == 1 or not kernels]
    adam = torch.optim.Adam(
        [{"params": others, "factor": 1.0}, {"params": scales, "factor": 0.02}], lr=1e-3, betas=(0.9, 0.99), fused=True)
    if not kernels:
        return [adam], rest
    second = (Soap if section["optimiser"] == "soap" else Muon)([{"params": kernels}])
    second.param_groups[0]["factor"] = 1.0
    return [adam, second], rest


class Average:
    """Exponential moving average of a model's parameters, over fewer steps at first."""

    def __init__(self, model, decay):
        self.model, self.decay = copy.deepcopy(model), decay

    @torch.no_grad()
    def update(self, model, step):
        decay = min(self.decay, step / (step + 10))
        torch._foreach_lerp_(list(self.model.parameters()), list(model.parameters()), 1 - decay)

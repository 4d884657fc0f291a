"""Optimisers and the averaged copy of a network."""
import copy

import torch

from muon import Muon
from soap import Soap


# Adam's steps are as long as the rate whatever the gradient: far for a bias beside the values of its channel
RATES = {"kernel": 1.0, "level": 1.0, "bias": 0.1, "scale": 0.02}


def make_optimisers(model, section):
    """(optimisers, all weights but the activation scales): Adam, or Muon or Soap for the kernels and Adam for all else."""
    kinds = {kind: [] for kind in RATES}
    for name, parameter in model.named_parameters():
        kinds["kernel" if parameter.dim() > 1 else name.split(".")[-1]].append(parameter)
    rest = [parameter for kind in RATES if kind != "scale" for parameter in kinds[kind]]
    optimisers = []
    if section.get("optimiser", "adam") != "adam":
        optimiser = (Soap if section["optimiser"] == "soap" else Muon)([{"params": kinds.pop("kernel")}])
        optimiser.param_groups[0]["factor"] = RATES["kernel"]
        optimisers.append(optimiser)
    groups = [{"params": parameters, "factor": RATES[kind]} for kind, parameters in kinds.items() if parameters]
    return [torch.optim.Adam(groups, lr=1e-3, betas=(0.9, 0.99), fused=True), *optimisers], rest


class Average:
    """Exponential moving average of a model's parameters, over fewer steps at first."""

    def __init__(self, model, decay):
        self.model, self.decay = copy.deepcopy(model), decay

    @torch.no_grad()
    def update(self, model, step):
        decay = min(self.decay, step / (step + 10))
        torch._foreach_lerp_(list(self.model.parameters()), list(model.parameters()), 1 - decay)

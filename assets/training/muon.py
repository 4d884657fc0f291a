"""Muon: momentum whose update is orthogonalised (Newton-Schulz), for kernels seen as (out, in * taps) matrices."""
import torch


def orthogonal(matrices, rounds=5):
    """(n, a, b) -> the nearest semi-orthogonal matrices, roughly: singular values end up near 1."""
    tall = matrices.shape[1] > matrices.shape[2]
    x = matrices.transpose(1, 2) if tall else matrices
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-12)
    for _ in range(rounds):
        square = x @ x.transpose(1, 2)
        x = 3.4445 * x + (-4.7750 * square + 2.0315 * square @ square) @ x
    return x.transpose(1, 2) if tall else x


class Muon(torch.optim.Optimizer):
    """Kernels of equal shape are handled as one batch. `lr` is the root mean square of an update's elements."""

    def __init__(self, params, lr=1e-3, momentum=0.95):
        super().__init__(params, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            shapes = {}
            for p in group["params"]:
                if p.grad is not None:
                    shapes.setdefault(p.shape, []).append(p)
            for shape, params in shapes.items():
                updates = []
                for p in params:
                    held = self.state[p].setdefault("momentum", torch.zeros_like(p))
                    held.lerp_(p.grad, 1 - group["momentum"])
                    updates.append(p.grad.lerp(held, group["momentum"]).flatten(1))
                stacked = orthogonal(torch.stack(updates))
                gain = max(stacked.shape[1], stacked.shape[2]) ** 0.5
                for p, update in zip(params, stacked):
                    p.add_(update.view(shape), alpha=-group["lr"] * gain)

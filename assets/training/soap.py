"""Adam in the eigenbasis of Shampoo's two covariances (Vyas and others 2024), for kernels as (out, in * taps) matrices.

A grouped kernel (`kernel.groups`) is one matrix a group. A side longer than LONGEST keeps its own basis.
"""
import torch

LONGEST = 1024


class Soap(torch.optim.Optimizer):
    def __init__(self, params, lr=1e-3, betas=(0.95, 0.99), memory=0.97, every=20, epsilon=0.3):
        super().__init__(params, {"lr": lr, "betas": betas, "memory": memory, "every": every, "epsilon": epsilon})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    matrices = p.grad.flatten(1).unflatten(0, (getattr(p, "groups", 1), -1))
                    self.update(p, matrices, self.state[p], group)

    def update(self, p, gradient, state, group):
        """`gradient`: (groups, out / groups, in * taps)."""
        if not state:
            state.update(step=0, momentum=torch.zeros_like(gradient), square=torch.zeros_like(gradient))
            for side, length in (("left", gradient.shape[1]), ("right", gradient.shape[2])):
                if length <= LONGEST:
                    state[side] = gradient.new_zeros(len(gradient), length, length)
        if "left" in state:
            state["left"].lerp_(gradient @ gradient.mT, 1 - group["memory"])
        if "right" in state:
            state["right"].lerp_(gradient.mT @ gradient, 1 - group["memory"])
        if state["step"] % group["every"] == 0 or state["step"] < 5:
            self.turn(state)
        state["step"] += 1
        first, second = group["betas"]
        state["momentum"].lerp_(gradient, 1 - first)
        state["square"].lerp_(self.turned(gradient, state).square_(), 1 - second)
        size = (state["square"] / (1 - second ** state["step"])).sqrt_()
        # Of the whole gradient's size: else what hardly matters walks at random, as fast as what does
        size += group["epsilon"] * size.square().mean((1, 2), keepdim=True).sqrt() + 1e-10
        update = self.turned(self.turned(state["momentum"], state) / size, state, back=True)
        p.add_(update.view_as(p), alpha=-group["lr"] / (1 - first ** state["step"]))

    @staticmethod
    def turned(matrices, state, back=False):
        """`matrices` in the eigenbasis, or from there."""
        if "q_left" in state:
            matrices = (state["q_left"] if back else state["q_left"].mT) @ matrices
        if "q_right" in state:
            matrices = matrices @ (state["q_right"].mT if back else state["q_right"])
        return matrices

    @staticmethod
    def turn(state):
        """New eigenvectors; one step of orthogonal iteration keeps their order, so that `square` stays theirs."""
        for side in ("left", "right"):
            if side not in state:
                continue
            held, matrix = f"q_{side}", state[side].double()
            trace = matrix.diagonal(dim1=1, dim2=2).sum(1).clamp_min(1e-30)
            matrix = matrix / trace.view(-1, 1, 1) + 1e-9 * torch.eye(matrix.shape[1], device=matrix.device)
            if held in state:
                state[held] = torch.linalg.qr(matrix @ state[held].double())[0].to(state[side].dtype)
            else:
                state[held] = torch.linalg.eigh(matrix)[1].flip(2).to(state[side].dtype)

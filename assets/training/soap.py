"""Adam in the eigenbasis of Shampoo's two covariances, for kernels seen as (out, in * taps) matrices."""
import torch


class Soap(torch.optim.Optimizer):
    def __init__(self, params, lr=1e-3, betas=(0.95, 0.99), memory=0.97, every=10, epsilon=1e-10):
        super().__init__(params, {"lr": lr, "betas": betas, "memory": memory, "every": every, "epsilon": epsilon})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    self.update(p, p.grad.flatten(1), self.state[p], group)

    def update(self, p, gradient, state, group):
        if not state:
            rows, columns = gradient.shape
            state.update(step=0, momentum=torch.zeros_like(gradient), square=torch.zeros_like(gradient),
                         left=torch.zeros(rows, rows), right=torch.zeros(columns, columns))
            state["left"] = state["left"].to(p.device)
            state["right"] = state["right"].to(p.device)
        state["left"].lerp_(gradient @ gradient.T, 1 - group["memory"])
        state["right"].lerp_(gradient.T @ gradient, 1 - group["memory"])
        if state["step"] % group["every"] == 0 or state["step"] < 5:
            self.turn(state)
        state["step"] += 1
        first, second = group["betas"]
        left, right = state["q_left"], state["q_right"]
        state["momentum"].lerp_(gradient, 1 - first)
        state["square"].lerp_((left.T @ gradient @ right).square_(), 1 - second)
        size = (state["square"] / (1 - second ** state["step"])).sqrt_().add_(group["epsilon"])
        update = left @ ((left.T @ state["momentum"] @ right) / size) @ right.T
        p.add_(update.view_as(p), alpha=-group["lr"] / (1 - first ** state["step"]))

    @staticmethod
    def turn(state):
        """New eigenvectors; one step of orthogonal iteration keeps their order, so that `square` stays theirs."""
        for side in ("left", "right"):
            held, matrix = f"q_{side}", state[side].double()
            matrix = matrix / matrix.trace().clamp_min(1e-30) + 1e-9 * torch.eye(len(matrix), device=matrix.device)
            if held in state:
                state[held] = torch.linalg.qr(matrix @ state[held].double())[0].to(state[side].dtype)
            else:
                state[held] = torch.linalg.eigh(matrix)[1].flip(1).to(state[side].dtype)

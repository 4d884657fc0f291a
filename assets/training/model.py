"""Plain 3x3 networks, trained wide: every convolution is direct + wide linear branch, collapsed before each step.

The collapsed network is what ships: x -> [Conv3x3 ReLU] * (depth + 1) -> Conv3x3 -> + base(x) -> depth-to-space.
A denoiser (scale 1) works on space-to-depth of x, and its noise level is one number for the whole picture: a level
map would be constant, so it is a vector, times the level, on top of the first convolution's bias.
Activations are luma / 255. Quantised (`quantised = True`), it computes what the integer engine computes: u8 activations
at one static scale a tensor, s8 weights at one scale an output channel, the last convolution's result left in float.
"""
import torch
import torch.nn.functional as F
from torch import nn

import winograd


def integer_kernel(weight):
    """(levels, scales): s8 levels as floats and (out,) scales that put each output channel's largest weight at 127.

    Levels are rounded so that what each group adds up to is kept within half a level, and a few go the other way: all
    inputs of a first layer, the nine taps of an input channel in others. Inputs are positive, so plain rounding lets
    their mean leak into the output: that was nine tenths of what integer weights cost a denoiser.
    """
    weight = weight.detach()
    scales = weight.abs().amax((1, 2, 3)).clamp_min(1e-8) / 127
    exact = (weight / scales.view(-1, 1, 1, 1)).flatten(1 if weight.shape[1] <= 4 else 2)
    levels = exact.round()
    error = levels - exact
    excess = error.sum(-1, keepdim=True).round()
    rank = (error * excess.sign()).argsort(-1, descending=True).argsort(-1)
    levels -= (rank < excess.abs()) * excess.sign()
    return levels.view_as(weight).clamp_(-127, 127), scales


def fake_weight(weight):
    levels, scales = integer_kernel(weight)
    return weight + (levels * scales.view(-1, 1, 1, 1) - weight).detach()


class FakeQuantise(torch.autograd.Function):
    """Clamp and round to 0...255 steps; the gradient of the step is LSQ's. Few passes: most of QAT's time is here."""

    @staticmethod
    def forward(context, x, step):
        levels = x / step
        rounded = levels.round().clamp_(0, 255)
        context.save_for_backward(levels, rounded)
        return rounded * step

    @staticmethod
    def backward(context, gradient):
        levels, rounded = context.saved_tensors
        inside = levels.clamp(0, 255).eq_(levels)
        slope = (rounded.sub(levels * inside)).mul_(gradient).sum() * (levels.numel() * 255) ** -0.5
        return inside.mul_(gradient), slope


class Activation(nn.Module):
    """u8 fake quantiser with a learned scale (LSQ's gradient); that nothing is below nought makes it a ReLU, too."""

    def __init__(self, scale=0.0):
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(float(scale)))

    def forward(self, x):
        return FakeQuantise.apply(x.float(), self.scale)


class WideConv(nn.Module):
    """A 3x3 convolution whose kernel is direct + wide2 * wide1; `wide` is the number of hidden channels, 0 for none.

    Its bias is kept relative to the mean of its input (`centre`), so that no step of the kernel shifts its output as a
    whole: luma and ReLU outputs are positive, and without this most channels of the first layers die within seconds.
    """

    def __init__(self, inputs, outputs, wide, kind, groups=1):
        super().__init__()
        self.groups = groups
        direct = torch.randn(outputs, inputs // groups, 3, 3)
        if kind == "head":  # edges of all kinds, of unit size for luma's usual contrast
            direct -= direct.mean((2, 3), keepdim=True)
            direct *= 3 / direct.flatten(1).norm(dim=1).view(-1, 1, 1, 1)
        elif kind == "inner":  # near identity
            direct *= 0.3 * (2 / (9 * direct.shape[1])) ** 0.5
            for c in range(outputs):
                direct[c, c % direct.shape[1], 1, 1] += 1
        else:  # near nought
            direct *= 0.05 * (1 / (9 * inputs)) ** 0.5
        self.direct = nn.Parameter(direct)
        self.direct.groups = groups  # for the optimiser
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.register_buffer("centre", torch.zeros(inputs))
        if wide:
            self.wide1 = nn.Parameter(torch.randn(wide, inputs, 3, 3) * (1 / (9 * inputs)) ** 0.5)
            self.wide2 = nn.Parameter(torch.randn(outputs, wide) * (0.02 if kind == "tail" else 0.5) * (1 / wide) ** 0.5)
        self.mask = None  # 0 and 1, of the kernel's shape, where blocks are pruned

    def collapsed(self):
        """The kernel and the bias that ship."""
        kernel = self.kernel()
        return kernel, self.bias - self.response(kernel, self.centre)

    def response(self, kernel, means):
        """(out,) what `kernel` makes of an even input of `means` (inputs,)."""
        sums = kernel.sum((2, 3)).unflatten(0, (self.groups, -1))
        return (sums @ means.view(self.groups, -1, 1)).flatten()

    @torch.no_grad()
    def recentre(self, means):
        """Take `means` (inputs,) as the input's; the function stays what it was."""
        bias = self.collapsed()[1]
        self.centre.copy_(means)
        self.bias.copy_(bias + self.response(self.kernel(), means))

    def kernel(self):
        kernel = self.direct
        if hasattr(self, "wide1"):
            kernel = kernel + (self.wide2 @ self.wide1.flatten(1)).view_as(kernel)
        return kernel if self.mask is None else kernel * self.mask

    @torch.no_grad()
    def load_collapsed(self, kernel, bias):
        """Continue from a collapsed kernel: the wide branch starts at nought and learns on."""
        self.direct.copy_(kernel)
        self.bias.copy_(bias)
        self.centre.zero_()
        if hasattr(self, "wide1"):
            self.wide2.zero_()


class Plain(nn.Module):
    """`channels` wide, `depth` inner convolutions, `scale` times larger output; `fold`: space-to-depth of the input.

    `groups`: the inner convolutions' groups of channels, which meet in the last convolution (not with `wide`).
    """

    def __init__(self, channels, depth, scale=2, wide=0, fold=1, groups=1):
        super().__init__()
        self.scale, self.fold, self.quantised = scale, fold, False
        self.layout = torch.channels_last  # what oneDNN runs faster
        self.convs = nn.ModuleList(
            [WideConv(fold * fold, channels, wide, "head")]
            + [WideConv(channels, channels, wide, "inner", groups) for _ in range(depth)]
            + [WideConv(channels, (scale * fold) ** 2, wide, "tail")]
        )
        self.level = nn.Parameter(torch.zeros(channels)) if scale == 1 else None
        self.activations = nn.ModuleList([Activation() for _ in range(depth + 1)])

    def collapse(self):
        """[(kernel, bias)] of the plain network, fp32, differentiable."""
        with torch.autocast("cpu", enabled=False), torch.autocast("cuda", enabled=False):
            return [conv.collapsed() for conv in self.convs]

    def forward(self, x, layers=None, observe=None, sigma=None):
        """(n, 1, h, w) in 0...1 -> (n, 1, scale h, scale w). h and w are multiples of `fold`.

        `sigma`: (n, 1, 1, 1), noise level / 255, for a denoiser. `observe(index, tensor)` sees the activations.
        """
        layers = layers or self.collapse()
        base = F.pixel_unshuffle(x, self.fold) if self.fold > 1 else x
        trained = torch.is_grad_enabled() and not self.quantised and not observe
        if trained and winograd.fits(base, layers):
            h = winograd.stack(base, layers, None if self.level is None else self.level * sigma.flatten(1))
            return self.finished(h, x, base)
        h = base.contiguous(memory_format=self.layout)
        for index, (kernel, bias) in enumerate(layers):
            kernel = fake_weight(kernel) if self.quantised else kernel
            groups = h.shape[1] // kernel.shape[1]
            h = F.conv2d(h, kernel.contiguous(memory_format=self.layout), bias, padding=1, groups=groups)
            if index == len(layers) - 1:
                break
            if index == 0 and self.level is not None:
                h = h + self.level.view(1, -1, 1, 1) * sigma
            h = self.activations[index](h) if self.quantised else F.relu(h, inplace=True)
            if observe:
                observe(index, h)
        return self.finished(h, x, base)

    def finished(self, h, x, base):
        """The last convolution's result on top of the input, in its place."""
        base = base.float() if self.fold > 1 else x.float().expand(-1, h.shape[1], -1, -1)
        h = h.float() + base
        return F.pixel_shuffle(h, self.scale * self.fold) if h.shape[1] > 1 else h

    def macs(self):
        """Multiply-accumulates per input pixel."""
        return sum(conv.direct.numel() for conv in self.convs) / self.fold**2


def build(config):
    sizes = (config.get(key, usual) for key, usual in (("scale", 2), ("wide", 0), ("fold", 1), ("groups", 1)))
    return Plain(config["channels"], config["depth"], *sizes)

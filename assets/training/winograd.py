#!/usr/bin/env python3
"""A stack of 3x3 convolutions and ReLUs on winograd.c, about twice as fast as oneDNN on a CPU with AVX-512.

`winograd.py` by itself compares results, gradients and times with torch's.
"""
import ctypes
import functools
import hashlib
import pathlib
import shutil
import subprocess
import tempfile
import time

import torch
import torch.nn.functional as F

SOURCE = pathlib.Path(__file__).with_name("winograd.c")
# The paper's G: three taps to six
TAPS = torch.tensor(
    [[1 / 4, 0, 0], [-1 / 6, -1 / 6, -1 / 6], [-1 / 6, 1 / 6, -1 / 6], [1 / 24, 1 / 12, 1 / 6], [1 / 24, -1 / 12, 1 / 6],
     [0, 0, 1]])
SPREAD = torch.einsum("ai,bj->abij", TAPS, TAPS).reshape(36, 9)


@functools.cache
def library():
    """The compiled kernels, or none where there is no AVX-512 or no C compiler."""
    compiler = shutil.which("clang") or shutil.which("cc")
    if torch.backends.cpu.get_cpu_capability() != "AVX512" or not compiler:
        return None
    text = SOURCE.read_bytes()
    built = SOURCE.parent / "__pycache__" / f"winograd-{hashlib.sha256(text).hexdigest()[:16]}.so"
    if not built.exists():
        built.parent.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=built.parent) as folder:
            part = pathlib.Path(folder) / "part.so"
            subprocess.run([compiler, "-O3", "-march=native", "-ffast-math", "-fPIC", "-shared", SOURCE, "-o", part], check=True)
            part.replace(built)
    return ctypes.CDLL(str(built))


def fits(x, layers):
    """Whether `x` (n, c, h, w) can go through `layers` [(kernel, bias)] here."""
    whole = x.shape[2] % 4 == 0 and x.shape[3] % 4 == 0
    parts = [len(bias) / kernel.shape[1] for (kernel, _), (_, bias) in zip(layers[1:], layers)]
    alike = layers[0][0].shape[1] == x.shape[1] and parts[-1] == 1 and len({*parts[:-1]}) <= 1
    return x.device.type == "cpu" and x.dtype == torch.float32 and whole and alike and library() is not None


def by_group(layers, groups):
    """What each of `groups` of inner channels goes through, of `layers`; the last layer's parts are to be added up."""
    end, bias = layers[-1]
    hidden = zip(*(zip(kernel.chunk(groups), bias.chunk(groups)) for kernel, bias in layers[:-1]))
    ends = zip(end.chunk(groups, 1), [bias, *[torch.zeros_like(bias)] * (groups - 1)])
    return [[*group, last] for group, last in zip(hidden, ends)]


def stack(x, layers, level=None):
    """x (n, c, h, w) through `layers` [(kernel, bias)] with ReLUs between; `level` (n, channels) adds to the first bias.

    Inner layers may be grouped, all alike.
    """
    groups = len(layers[0][1]) // layers[1][0].shape[1]
    levels = [None] * groups if level is None else level.chunk(groups, 1)
    return sum(whole_stack(x, group, part) for group, part in zip(by_group(layers, groups), levels))


def whole_stack(x, layers, level):
    """`stack` without groups."""
    pad = lambda tensor: F.pad(tensor, (0, -tensor.shape[-1] % 16))
    kernels = [transformed(kernel) for kernel, _ in layers]
    with torch.no_grad():
        flipped = [transformed(kernel.flip(2, 3).transpose(0, 1)) for kernel, _ in layers]
    biases = [pad(bias).expand(len(x), -1) for _, bias in layers]
    if level is not None:
        biases[0] = biases[0] + pad(level)
    y = Stack.apply(pad(x.permute(0, 2, 3, 1)).contiguous(), flipped, *kernels, *(bias.contiguous() for bias in biases))
    return y[..., : len(layers[-1][1])].permute(0, 3, 1, 2)


def transformed(kernel):
    """(out, in, 3, 3) -> (36, in, out), channels filled up with nought to multiples of 16."""
    kernel = F.pad(kernel, (0, 0, 0, 0, 0, -kernel.shape[1] % 16, 0, -kernel.shape[0] % 16))
    taps = kernel.permute(2, 3, 1, 0).reshape(9, -1)
    return (SPREAD @ taps).view(36, kernel.shape[1], kernel.shape[0])


class Stack(torch.autograd.Function):
    """What the network computes between its transformed kernels and its output, forward and backward."""

    @staticmethod
    def forward(context, x, flipped, *rest):
        count = len(flipped)
        inputs = [x]
        for index, (kernel, bias) in enumerate(zip(rest[:count], rest[count:])):
            inputs.append(convolve(inputs[-1], kernel, bias, floor=index < count - 1))
        context.save_for_backward(*inputs[:-1])
        context.flipped = flipped
        return inputs[-1]

    @staticmethod
    def backward(context, gradient):
        gradient, kernels, biases = gradient.contiguous(), [], []
        for index, (x, flipped) in reversed(list(enumerate(zip(context.saved_tensors, context.flipped)))):
            kernel, bias = kernel_gradient(x, gradient)
            kernels.insert(0, kernel)
            biases.insert(0, bias)
            if index:
                gradient = convolve(gradient, flipped, mask=x)
        return None, None, *kernels, *biases


def convolve(x, kernel, bias=None, mask=None, floor=False):
    """(n, h, w, in) -> (n, h, w, out)."""
    y = torch.empty(*x.shape[:3], kernel.shape[2])
    call("winograd_convolve", x, kernel, bias, mask, int(floor), y, *x.shape[:3], *kernel.shape[1:])
    return y


def kernel_gradient(x, gradient):
    """((36, in, out), (n, out)) of kernel and bias."""
    kernel = torch.zeros(36, x.shape[3], gradient.shape[3])
    bias = torch.zeros(len(x), gradient.shape[3])
    call("winograd_gradient", x, gradient, kernel, bias, *x.shape, gradient.shape[3])
    return kernel, bias


def call(name, *arguments):
    pointer = lambda tensor: ctypes.c_void_p(None if tensor is None else tensor.data_ptr())
    if getattr(library(), name)(*(a if isinstance(a, int) else pointer(a) for a in arguments)):
        raise MemoryError(name)


def compare(sizes, groups=1, pictures=4, side=64, rounds=20):
    """Print how far results and gradients are from torch's, and both times, for a network of these channels."""
    torch.manual_seed(1)
    inputs = [sizes[0], *(size // groups for size in sizes[1:-2]), sizes[-2]]
    weights = [(torch.randn(b, a, 3, 3) * (2 / (9 * a)) ** 0.5, torch.randn(b) * 0.1) for a, b in zip(inputs, sizes[1:])]
    layers = [(kernel.requires_grad_(), bias.requires_grad_()) for kernel, bias in weights]
    x = torch.rand(pictures, sizes[0], side, side)

    def torch_stack(x, layers):
        h = x.contiguous(memory_format=torch.channels_last)
        for index, (kernel, bias) in enumerate(layers):
            kernel, parts = kernel.contiguous(memory_format=torch.channels_last), h.shape[1] // kernel.shape[1]
            h = F.conv2d(h, kernel, bias, padding=1, groups=parts)
            h = F.relu(h, inplace=True) if index < len(layers) - 1 else h
        return h

    def run(network):
        start = time.perf_counter()
        y = network(x, layers)
        gradients = torch.autograd.grad(y.square().mean(), [p for layer in layers for p in layer])
        return time.perf_counter() - start, y.detach(), *gradients

    pairs = [(run(torch_stack), run(stack)) for _ in range(rounds)]
    far = max(((a - b).norm() / a.norm()).item() for a, b in zip(pairs[-1][0][1:], pairs[-1][1][1:]))
    theirs, ours = (1000 * sorted(pair[i][0] for pair in pairs)[rounds // 2] for i in (0, 1))
    times = f"torch {theirs:.1f} ms, here {ours:.1f} ms, {theirs / ours:.2f}x"
    print(f"{sizes}, {groups} groups: furthest {far:.1e} of its size; {times}")


if __name__ == "__main__":
    torch.set_num_threads(1)
    for sizes in ([1, *[32] * 11, 4], [1, *[16] * 5, 4], [4, *[48] * 9, 4]):
        compare(sizes)
    compare([1, *[96] * 4, 4], groups=3)
    compare([2, 16, 80, 48, 5], pictures=2, side=20)  # blocks with too few tiles

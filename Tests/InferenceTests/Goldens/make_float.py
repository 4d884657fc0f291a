#!/usr/bin/env python3
"""Make the float models that the quantiser is tested on, as PyTorch exports them: NAME.onnx, NAME.in, NAME.out.

  python3 -m venv env && env/bin/pip install torch onnx onnxruntime numpy && env/bin/python make_float.py

Kinds that are common: a compact Real-ESRGAN (PReLU, pixel shuffle, picture enlarged by repetition), an FSRCNN
(1x1 layers, transposed convolution), a DnCNN (batch normalisation, residual subtracted), and residual blocks with a long
skip. On luma; two of them also on red, green and blue, as most are published. Weights random.
"""
import os

import onnx
import torch
import torch.nn.functional as F
from torch import nn

from make import FOLDER, answer


class Compact(nn.Module):
    def __init__(self, channels=16, depth=2, planes=1, scale=2):
        super().__init__()
        self.scale = scale
        layers = [nn.Conv2d(planes, channels, 3, 1, 1), nn.PReLU(channels)]
        for _ in range(depth):
            layers += [nn.Conv2d(channels, channels, 3, 1, 1), nn.PReLU(channels)]
        self.body = nn.Sequential(*layers, nn.Conv2d(channels, scale * scale * planes, 3, 1, 1))
        self.shuffle = nn.PixelShuffle(scale)

    def forward(self, x):
        return self.shuffle(self.body(x)) + F.interpolate(x, scale_factor=self.scale, mode="nearest")


class FSRCNN(nn.Module):
    def __init__(self, d=16, s=8, m=2):
        super().__init__()
        layers = [nn.Conv2d(1, d, 5, padding=2), nn.PReLU(d), nn.Conv2d(d, s, 1), nn.PReLU(s)]
        for _ in range(m):
            layers += [nn.Conv2d(s, s, 3, padding=1), nn.PReLU(s)]
        self.body = nn.Sequential(*layers, nn.Conv2d(s, d, 1), nn.PReLU(d))
        self.last = nn.ConvTranspose2d(d, 1, 9, stride=2, padding=4, output_padding=1)

    def forward(self, x):
        return self.last(self.body(x))


class DnCNN(nn.Module):
    def __init__(self, channels=16, depth=3, planes=1):
        super().__init__()
        layers = [nn.Conv2d(planes, channels, 3, padding=1), nn.ReLU(inplace=True)]
        for _ in range(depth):
            layers += [nn.Conv2d(channels, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels),
                       nn.ReLU(inplace=True)]
        self.body = nn.Sequential(*layers, nn.Conv2d(channels, planes, 3, padding=1, bias=False))

    def forward(self, x):
        return x - self.body(x)


class Residual(nn.Module):
    def __init__(self, channels=16, depth=2):
        super().__init__()
        self.head = nn.Conv2d(1, channels, 3, padding=1)
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.Conv2d(channels, channels, 3, padding=1), nn.ReLU(),
                          nn.Conv2d(channels, channels, 3, padding=1)) for _ in range(depth))
        self.body = nn.Sequential(nn.Conv2d(2 * channels, 4, 3, padding=1))
        self.shuffle = nn.PixelShuffle(2)

    def forward(self, x):
        first = value = F.relu(self.head(x))
        for block in self.blocks:
            value = value + 0.3 * block(value)
        return self.shuffle(self.body(torch.cat([value, first], 1)) + torch.cat([x] * 4, 1))


class Enlarging(nn.Module):
    """Interpolates a layer and the picture."""

    def __init__(self, channels=16, planes=3):
        super().__init__()
        self.head = nn.Conv2d(planes, channels, 3, padding=1)
        self.middle = nn.Conv2d(channels, channels, 3, padding=1)
        self.body = nn.Sequential(nn.Conv2d(channels + planes, planes, 3, padding=1))

    def forward(self, x):
        base = F.interpolate(x, scale_factor=2, mode="bilinear")
        value = F.leaky_relu(self.head(x), 0.1)
        value = F.interpolate(value, scale_factor=2, mode="bilinear", align_corners=False)
        value = F.leaky_relu(self.middle(value), 0.1)
        return base + self.body(torch.cat([value, base], 1))


def export(name, model, scale, tail, planes=1, opset=17):
    torch.manual_seed(5)
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.1, 0.1)
            module.running_mean.uniform_(-0.1, 0.1)
            module.running_var.uniform_(0.5, 1.5)
        if isinstance(module, nn.PReLU):
            nn.init.uniform_(module.weight, 0, 0.4)
    with torch.no_grad():
        (model.last if name == "fsrcnn" else model.body[-1]).weight.mul_(tail)
    path = os.path.join(FOLDER, name + ".onnx")
    # Else the exporter folds normalisation itself, which other exporters leave.
    keep = dict(training=torch.onnx.TrainingMode.PRESERVE) if name.startswith("dncnn") else {}
    torch.onnx.export(
        model.eval(), torch.zeros(1, planes, 32, 32), path, input_names=["x"], output_names=["y"], opset_version=opset,
        dynamic_axes={"x": {2: "h", 3: "w"}, "y": {2: "h2", 3: "w2"}}, dynamo=False, **keep)
    answer(name, scale, planes=planes)


if __name__ == "__main__":
    torch.manual_seed(5)
    export("compact", Compact(), 2, 0.1)
    export("fsrcnn", FSRCNN(), 2, 1)
    export("dncnn", DnCNN(), 1, 0.1)
    export("residual", Residual(), 2, 0.1)
    export("compact-rgb", Compact(planes=3), 2, 0.1, planes=3, opset=11)
    export("compact-rgb-x4", Compact(12, 1, planes=3, scale=4), 4, 0.1, planes=3)
    export("enlarging-rgb", Enlarging(), 2, 0.1, planes=3)
    export("dncnn-rgb", DnCNN(planes=3), 1, 0.1, planes=3)

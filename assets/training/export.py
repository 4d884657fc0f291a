#!/usr/bin/env python3
"""Write a network as ONNX: export.py CONFIG.toml weights.npz OUT.onnx [--float] [--set key=value ...]

A denoiser takes a second, optional input: `sigma` [1, 1, 1, 1], the noise level / 255.
With activation scales in weights.npz (a quantisation run made them) the file is QDQ: u8 activations at static scales,
s8 weights at one scale an output channel, the last convolution's result in float. `--float` leaves quantisation out.
`--set` adds facts to the model card (the file's metadata).
"""
import argparse
import tomllib

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from model import integer_kernel

OPSET, IR_VERSION = 17, 9
DEFAULT_SIGMA = 15 / 255  # of a denoiser whose caller gives none


class Graph:
    def __init__(self):
        self.nodes, self.initialisers = [], []

    def constant(self, name, value):
        self.initialisers.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def add(self, kind, inputs, output, **attributes):
        self.nodes.append(helper.make_node(kind, inputs, [output], name=f"{kind}:{output}", **attributes))
        return output

    def quantise(self, value, name, scale):
        """u8 with zero point 0, and back."""
        pair = [self.constant(f"{name}.scale", np.float32(scale)), self.constant(f"{name}.zero", np.uint8(0))]
        levels = self.add("QuantizeLinear", [value, *pair], f"{name}.u8")
        return self.add("DequantizeLinear", [levels, *pair], f"{name}.dq")

    def integer_weights(self, kernel, bias, name, input_scale):
        """s8 kernel and s32 bias as initialisers, dequantised."""
        levels, scale = (part.numpy() for part in integer_kernel(torch.from_numpy(kernel)))
        levels = levels.astype(np.int8)
        sums = np.rint(bias / (scale.astype(np.float64) * input_scale)).astype(np.int32)
        names = []
        for part, values, factor in (("weight", levels, scale), ("bias", sums, (scale * np.float32(input_scale)))):
            zero = self.constant(f"{name}.{part}.zero", np.zeros(len(scale), values.dtype))
            inputs = [self.constant(f"{name}.{part}", values), self.constant(f"{name}.{part}.scale", factor), zero]
            names.append(self.add("DequantizeLinear", inputs, f"{name}.{part}.dq", axis=0))
        return names


def network(stored, scale, fold, integer):
    """The graph of one plain network; `stored` has w0... b0... and, for integer ones, scales; for denoisers, level."""
    graph, count = Graph(), sum(key.startswith("w") for key in stored)
    value, step, channels = "x", 1 / 255, fold * fold
    if integer:
        value = graph.quantise(value, "input", np.float32(step))
    if fold > 1:
        value = graph.add("SpaceToDepth", [value], "folded", blocksize=fold)
    for i in range(count):
        kernel, bias = stored[f"w{i}"].astype(np.float32), stored[f"b{i}"].astype(np.float32)
        if integer:
            weights = graph.integer_weights(kernel, bias, f"conv{i}", step)
        else:
            weights = [graph.constant(f"conv{i}.weight", kernel), graph.constant(f"conv{i}.bias", bias)]
        value = graph.add("Conv", [value, *weights], f"conv{i}", kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[1, 1],
                          group=channels // kernel.shape[1])
        channels = kernel.shape[0]
        if i == 0 and "level" in stored:
            graph.constant("sigma", np.full((1, 1, 1, 1), DEFAULT_SIGMA, np.float32))
            level = graph.constant("level", stored["level"].astype(np.float32).reshape(1, -1, 1, 1))
            value = graph.add("Add", [value, graph.add("Mul", ["sigma", level], "level.bias")], "levelled")
        if i < count - 1:
            value = graph.add("Relu", [value], f"relu{i}")
            if integer:
                step = float(stored["scales"][i])
                value = graph.quantise(value, f"act{i}", np.float32(step))
    if scale == 1:
        if fold > 1:
            value = graph.add("DepthToSpace", [value], "residual", blocksize=fold, mode="CRD")
        graph.add("Add", [value, "x"], "y")
        return graph
    base = graph.add("Concat", ["x"] * scale**2, "base", axis=1)
    value = graph.add("Add", [value, base], "sum")
    graph.add("DepthToSpace", [value], "y", blocksize=scale, mode="CRD")
    return graph


def export(stored, config, integer, facts):
    scale, fold = config.get("scale", 2), config.get("fold", 1)
    graph = network(stored, scale, fold, integer)
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1, "height", "width"])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 1, f"{scale}*height", f"{scale}*width"])
    inputs = [x]
    if "level" in stored:  # an initialiser that is an input too: a default that a caller may replace
        inputs.append(helper.make_tensor_value_info("sigma", TensorProto.FLOAT, [1, 1, 1, 1]))
    body = helper.make_graph(graph.nodes, config["name"], inputs, [y], graph.initialisers)
    model = helper.make_model(body, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="pipe training")
    model.ir_version = IR_VERSION
    macs = sum(np.count_nonzero(stored[key]) for key in stored if key.startswith("w")) / fold**2
    card = {
        "name": config["name"], "task": "denoise" if config.get("task") == "denoise" else "upscale", "purpose": config["purpose"], "scale": scale,
        "kmac_per_pixel": f"{macs / 1000:.2f}",
        "precision": "int8" if integer else "float32", "colour": config.get("colour", "luma, BT.601 studio swing, 0 to 1"),
        "licence": config["licence"], "training_data": config["training_data"], **facts,
    }
    helper.set_model_props(model, {key: str(value) for key, value in card.items()})
    onnx.checker.check_model(model, full_check=True)
    return model


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config")
    parser.add_argument("weights")
    parser.add_argument("out")
    parser.add_argument("--float", action="store_true")
    parser.add_argument("--set", nargs="*", default=[])
    options = parser.parse_args()
    with open(options.config, "rb") as file:
        config = tomllib.load(file)
    stored = dict(np.load(options.weights))
    facts = dict(item.split("=", 1) for item in options.set)
    onnx.save(export(stored, config, not options.float and "scales" in stored, facts), options.out)


if __name__ == "__main__":
    main()

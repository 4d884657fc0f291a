#!/usr/bin/env python3
"""Make the models of this folder, and what onnxruntime answers on a seeded picture: NAME.onnx, NAME.in, NAME.out.

  python3 -m venv env && env/bin/pip install onnx onnxruntime numpy && env/bin/python make.py

.in holds one or three planes of 37 x 22 samples of eight bits, .out the answer times 255, rounded and clipped to eight
bits.
"""
import os
import tempfile

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto as T, helper as h, numpy_helper as nh
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

WIDTH, HEIGHT = 37, 22
FOLDER = os.path.dirname(os.path.abspath(__file__))
rng = np.random.default_rng(3)


def picture(planes=1):
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    smooth = np.stack([120 + 70 * np.sin(x / 5.0 + p) * np.cos(y / 3.0) + 40 * (x > 20 + 3 * p) for p in range(planes)])
    return np.clip(smooth + rng.normal(0, 6, smooth.shape), 0, 255).round().astype(np.uint8)


def save(name, nodes, inits, scale, opset=17, inputs=(), planes=1):
    graph = h.make_graph(nodes, name, [h.make_tensor_value_info('x', T.FLOAT, [1, planes, 'h', 'w']), *inputs],
                         [h.make_tensor_value_info('y', T.FLOAT, [1, planes, 'h2', 'w2'])], inits)
    model = h.make_model(graph, opset_imports=[h.make_opsetid('', opset)], ir_version=9)
    onnx.checker.check_model(model)
    onnx.save(model, os.path.join(FOLDER, name + '.onnx'))
    answer(name, scale, {i.name: np.full((1, 1, 1, 1), 40 / 255, np.float32) for i in inputs}, planes)


def answer(name, scale, more={}, planes=1):
    session = ort.InferenceSession(os.path.join(FOLDER, name + '.onnx'), providers=['CPUExecutionProvider'])
    x = picture(planes)
    # Networks that fold the picture want an even size of onnxruntime; else edges would differ.
    even = np.pad(x, ((0, 0), (0, HEIGHT % 2), (0, WIDTH % 2)), mode='edge')
    given = even if any(n.op_type == 'SpaceToDepth' for n in onnx.load(session._model_path).graph.node) else x
    y = session.run(None, {'x': given[None].astype(np.float32) / np.float32(255), **more})[0]
    y = y[:, :, :HEIGHT * scale, :WIDTH * scale]
    assert y.shape == (1, planes, HEIGHT * scale, WIDTH * scale)
    x.tofile(os.path.join(FOLDER, name + '.in'))
    np.clip(np.round(y[0] * 255), 0, 255).astype(np.uint8).tofile(os.path.join(FOLDER, name + '.out'))


class Graph:
    """Builds QDQ graphs as a training script writes them."""

    def __init__(self):
        self.nodes, self.inits, self.count = [], [], 0

    def name(self, stem):
        self.count += 1
        return f'{stem}{self.count}'

    def const(self, array, stem='c'):
        name = self.name(stem)
        self.inits.append(nh.from_array(np.asarray(array), name))
        return name

    def node(self, op, inputs, **attributes):
        out = self.name(op.lower())
        self.nodes.append(h.make_node(op, inputs, [out], name=out, **attributes))
        return out

    def qdq(self, value, scale, zero=0, dtype=np.uint8):
        s, z = self.const(np.float32(scale)), self.const(np.array(zero, dtype))
        return self.node('DequantizeLinear', [self.node('QuantizeLinear', [value, s, z]), s, z])

    def conv(self, value, ci, co, k=3, gain=1.0, bias=0.05, group=1, int_bias=None, op='Conv', **attributes):
        shape = (co, ci // group, k, k) if op == 'Conv' else (ci, co // group, k, k)
        w = rng.standard_normal(shape) * gain * np.sqrt(2 / (ci // group * k * k))
        axis = 0 if op == 'Conv' else 1
        other = tuple(i for i in range(4) if i != axis)
        s = (np.abs(w).max(axis=other) / 127).astype(np.float32)
        full = s.reshape([-1 if i == axis else 1 for i in range(4)])
        q = np.clip(np.round(w / full), -127, 127).astype(np.int8)
        wd = self.node('DequantizeLinear', [self.const(q, 'w'), self.const(s), self.const(np.zeros(len(s), np.int8))],
                       axis=axis)
        b = (rng.standard_normal(co) * bias).astype(np.float32)
        if int_bias is not None:
            bs = (int_bias * s).astype(np.float32)
            bd = self.node('DequantizeLinear', [self.const(np.round(b / bs).astype(np.int32), 'b'), self.const(bs),
                                                self.const(np.zeros(co, np.int32))], axis=0)
        else:
            bd = self.const(b, 'b')
        pads = attributes.pop('pads', [k // 2] * 4)
        return self.node(op, [value, wd, bd], kernel_shape=[k, k], pads=pads, group=group, **attributes)

    def resize(self, value, mode, coordinates='half_pixel', **attributes):
        return self.node('Resize', [value, '', self.const(np.array([1, 1, 2, 2], np.float32))], mode=mode,
                         coordinate_transformation_mode=coordinates, **attributes)

    def transposed(self, value, ci, co, k, gain=1.0, **attributes):
        w = rng.standard_normal((ci, co, k, k)) * gain * np.sqrt(8 / (ci * k * k))
        s = (np.abs(w).max(axis=(0, 2, 3)) / 127).astype(np.float32)
        q = np.round(w / s[:, None, None]).astype(np.int8)
        wd = self.node('DequantizeLinear', [self.const(q, 'w'), self.const(s), self.const(np.zeros(co, np.int8))],
                       axis=1)
        b = self.const(rng.uniform(-.05, .05, co).astype(np.float32))
        return self.node('ConvTranspose', [value, wd, b], kernel_shape=[k, k], strides=[2, 2], **attributes)

    def slopes(self, channels):
        return self.const(rng.uniform(-.2, .5, (channels, 1, 1)).astype(np.float32))

    def finish(self, name, value, scale, inputs=(), planes=1):
        self.nodes[-1].output[0] = 'y'
        save(name, self.nodes, self.inits, scale, inputs=inputs, planes=planes)


def trained():
    """The form of the project's own networks: float tail, global residual."""
    g = Graph()
    x = g.qdq('x', 1 / 255)
    h0 = g.qdq(g.node('Relu', [g.conv(x, 1, 16)]), 0.013)
    h1 = g.qdq(g.node('Relu', [g.conv(h0, 16, 16, int_bias=0.013)]), 0.011)
    r = g.conv(h1, 16, 4, gain=0.15)
    s = g.node('Add', [r, g.node('Concat', ['x'] * 4, axis=1)])
    g.finish('trained', g.node('DepthToSpace', [s], blocksize=2, mode='CRD'), 2)


def denoiser():
    """Scale 1, signed activations, zero points, leaky slopes."""
    g = Graph()
    x = g.qdq('x', 1 / 255, -128, np.int8)
    h0 = g.qdq(g.node('LeakyRelu', [g.conv(x, 1, 20, k=5)], alpha=0.125), 0.016, -90, np.int8)
    h1 = g.qdq(g.node('Clip', [g.conv(h0, 20, 12), g.const(np.float32(-0.2)), g.const(np.float32(1.5))]), 0.0075, 40)
    r = g.conv(h1, 12, 1, gain=0.15)
    g.finish('denoiser', g.node('Add', ['x', r]), 1)


def folded():
    """Scale 1 on blocks of 2 x 2 pixels, told the noise level (40 of 255) by an input that has a default."""
    g = Graph()
    x = g.node('SpaceToDepth', [g.qdq('x', 1 / 255)], blocksize=2)
    g.inits.append(nh.from_array(np.full((1, 1, 1, 1), 15 / 255, np.float32), 'sigma'))
    level = g.const(rng.uniform(-3, 3, (1, 32, 1, 1)).astype(np.float32))
    h0 = g.node('Add', [g.conv(x, 4, 32, int_bias=1 / 255), g.node('Mul', ['sigma', level])])
    h0 = g.qdq(g.node('Relu', [h0]), 0.013)
    h1 = g.qdq(g.node('Relu', [g.conv(h0, 32, 32, int_bias=0.013)]), 0.011)
    r = g.node('DepthToSpace', [g.conv(h1, 32, 4, gain=0.15)], blocksize=2, mode='CRD')
    g.finish('folded', g.node('Add', [r, 'x']), 1,
             inputs=[h.make_tensor_value_info('sigma', T.FLOAT, [1, 1, 1, 1])])


def skipping():
    """A local residual, and a long skip joined on."""
    g = Graph()
    x = g.qdq('x', 1 / 255)
    h0 = g.qdq(g.node('Relu', [g.conv(x, 1, 16)]), 0.013)
    h1 = g.qdq(g.conv(h0, 16, 16, gain=0.7), 0.015, 120)
    h2 = g.qdq(g.node('Relu', [g.node('Add', [h0, h1])]), 0.017)
    h3 = g.qdq(g.node('Relu', [g.conv(h2, 16, 12)]), 0.012)
    both = g.qdq(g.node('Concat', [h3, h0], axis=1), 0.013)
    s = g.node('Add', [g.conv(both, 28, 4, gain=0.15), g.node('Concat', ['x'] * 4, axis=1)])
    g.finish('skipping', g.node('DepthToSpace', [s], blocksize=2, mode='CRD'), 2)


def activated():
    """Activations and factors wherever they may stand: after sums, after bytes, after batch normalisation."""
    g = Graph()
    x = g.qdq('x', 1 / 255)
    c = g.conv(x, 1, 16)
    params = [rng.uniform(.5, 1.5, 16), rng.normal(0, .1, 16), rng.normal(0, .1, 16), rng.uniform(.5, 1.5, 16)]
    b = g.node('BatchNormalization', [c, *(g.const(p.astype(np.float32)) for p in params)], epsilon=1e-3)
    h0 = g.qdq(g.node('Relu', [b]), 0.012)
    h1 = g.qdq(g.conv(h0, 16, 16, gain=0.7), 0.015, 120)
    s1 = g.qdq(g.node('PRelu', [g.node('Add', [h0, h1]), g.slopes(16)]), 0.017, 60)
    h2 = g.qdq(g.conv(s1, 16, 16, group=4), 0.02, 128)
    m = g.qdq(g.node('Mul', [h2, g.const(rng.uniform(.2, .9, (1, 16, 1, 1)).astype(np.float32))]), 0.011, 100)
    s2 = g.node('Mul', [g.node('Add', [m, s1]), g.const(np.float32(0.5))])
    s2 = g.qdq(g.node('LeakyRelu', [s2], alpha=0.2), 0.009, 50)
    h3 = g.qdq(g.conv(s2, 16, 12, k=1), 0.012, 110)
    h3 = g.qdq(g.node('Clip', [h3, g.const(np.float32(-0.3)), g.const(np.float32(1.1))]), 0.0061, 80)
    h4 = g.qdq(g.node('Relu', [g.node('Add', [h3, g.const(np.float32(0.1))])]), 0.0055)
    s = g.node('Add', [g.conv(h4, 12, 4, gain=0.15), g.node('Concat', ['x'] * 4, axis=1)])
    g.finish('activated', g.node('DepthToSpace', [s], blocksize=2, mode='CRD'), 2)


def unshuffled():
    """Layers at half the size between layers at the picture's, joined by a long skip."""
    g = Graph()
    x = g.qdq('x', 1 / 255)
    h0 = g.qdq(g.node('Relu', [g.conv(x, 1, 8)]), 0.012)
    folded = g.qdq(g.node('SpaceToDepth', [h0], blocksize=2), 0.012)
    h1 = g.qdq(g.node('PRelu', [g.conv(folded, 32, 24), g.slopes(24)]), 0.012, 40)
    h2 = g.qdq(g.node('Relu', [g.conv(h1, 24, 16, k=5)]), 0.012)
    opened = g.node('DepthToSpace', [h2], blocksize=2, mode='CRD')
    h3 = g.qdq(g.node('Concat', [opened, h0, x], axis=1), 0.014)
    h4 = g.node('PRelu', [g.node('DepthToSpace', [g.conv(h1, 24, 32)], blocksize=2), g.slopes(8)])
    h5 = g.qdq(g.node('Add', [g.qdq(h4, 0.015, 30), h0]), 0.02, 30)
    both = g.qdq(g.node('Concat', [h3, h5], axis=1), 0.02, 30)
    g.finish('unshuffled', g.node('Sub', ['x', g.conv(both, 21, 1, gain=0.15)]), 1)


def enlarged():
    """Layers at twice the picture's size, after nearest pixels and after a transposed convolution; linear base."""
    g = Graph()
    x = g.qdq('x', 1 / 255)
    h0 = g.qdq(g.node('Relu', [g.conv(x, 1, 16)]), 0.012)
    near = g.resize(h0, 'nearest', 'asymmetric', nearest_mode='floor')
    h1 = g.qdq(g.node('Relu', [g.conv(near, 16, 16)]), 0.011)
    pads = dict(pads=[1, 1, 1, 1], output_padding=[0, 0])
    h2 = g.qdq(g.node('LeakyRelu', [g.transposed(h0, 16, 12, 4, **pads)], alpha=0.1), 0.011, 20)
    both = g.qdq(g.node('Concat', [h1, h2], axis=1), 0.012, 20)
    r = g.conv(both, 28, 1, k=5, gain=0.15)
    g.finish('enlarged', g.node('Add', [r, g.resize('x', 'linear')]), 2)


def coloured():
    """A compact Real-ESRGAN: red, green and blue."""
    g = Graph()
    value, ci = g.qdq('x', 1 / 255), 3
    for index in range(3):
        value, ci = g.qdq(g.node('PRelu', [g.conv(value, ci, 20), g.slopes(20)]), 0.014, 60), 20
    r = g.node('DepthToSpace', [g.conv(value, 20, 12, gain=0.15)], blocksize=2, mode='CRD')
    near = g.resize('x', 'nearest', 'asymmetric', nearest_mode='floor')
    g.finish('coloured', g.node('Add', [r, near]), 2, planes=3)


def colourful():
    """Red, green and blue in blocks of 2 x 2 pixels, enlarged by a transposed convolution over a linear base."""
    g = Graph()
    x = g.node('SpaceToDepth', [g.qdq('x', 1 / 255)], blocksize=2)
    h0 = g.qdq(g.node('Relu', [g.conv(x, 12, 16)]), 0.013)
    h1 = g.qdq(g.node('Relu', [g.node('DepthToSpace', [g.conv(h0, 16, 32)], blocksize=2)]), 0.013)
    r = g.transposed(h1, 8, 3, 9, gain=0.1, pads=[4] * 4, output_padding=[1, 1])
    g.finish('colourful', g.node('Add', [g.resize('x', 'linear', 'asymmetric'), r]), 2, planes=3)


def interpolated():
    """Linear interpolation of layers at half the picture's size and at its own, of the picture, and as the base."""
    g = Graph()
    x = g.qdq('x', 1 / 255)
    h0 = g.qdq(g.node('Relu', [g.conv(x, 1, 12)]), 0.012)
    low = g.node('SpaceToDepth', [h0], blocksize=2)
    low = g.qdq(g.node('Relu', [g.conv(low, 48, 16)]), 0.012, 20)
    mid = g.qdq(g.node('PRelu', [g.resize(low, 'linear'), g.slopes(16)]), 0.01153, 5)
    both = g.qdq(g.node('Concat', [mid, h0], axis=1), 0.012, 5)
    h1 = g.qdq(g.node('LeakyRelu', [g.conv(both, 28, 16)], alpha=0.1), 0.013, 20)
    opened = g.node('DepthToSpace', [g.qdq(g.conv(h1, 16, 16), 0.01303, 100)], blocksize=2, mode='CRD')
    # Scales without small common factors, or many values would lie halfway between two codes.
    up = g.qdq(g.resize(h1, 'linear', 'pytorch_half_pixel'), 0.01311, 20)
    px = g.qdq(g.resize('x', 'linear', 'asymmetric'), 0.00401)
    every = g.qdq(g.node('Concat', [up, px, opened], axis=1), 0.01397, 90)
    g.finish('interpolated', g.node('Add', [g.conv(every, 21, 1, k=5, gain=0.15), g.resize('x', 'linear')]), 2)


def transposed():
    """FSRCNN's shape: slopes, 1x1 layers, depthwise and grouped ones, a transposed convolution."""
    g = Graph()
    x = g.qdq('x', 1 / 255)
    h0 = g.qdq(g.node('PRelu', [g.conv(x, 1, 24, k=5), g.const(rng.uniform(0, .4, (24, 1, 1)).astype(np.float32))]),
               0.012, 60)
    h1 = g.qdq(g.node('Relu', [g.conv(h0, 24, 8, k=1)]), 0.012)
    h2 = g.qdq(g.node('Relu', [g.conv(h1, 8, 8, group=8)]), 0.012)
    h3 = g.qdq(g.node('Relu', [g.conv(h2, 8, 16, group=4)]), 0.012)
    w = rng.standard_normal((16, 1, 9, 9)) * 0.02 + 0.01
    s = np.float32(np.abs(w).max() / 127)
    wd = g.node('DequantizeLinear', [g.const(np.round(w / s).astype(np.int8), 'w'), g.const(s), g.const(np.int8(0))])
    g.finish('transposed', g.node('ConvTranspose', [h3, wd, g.const(np.array([.1], np.float32))], kernel_shape=[9, 9],
                                  strides=[2, 2], pads=[4, 4, 4, 4], output_padding=[1, 1]), 2)


def plain():
    """Everything quantised by onnxruntime's own tool."""
    g = Graph()
    inits, nodes = [], []
    value, ci = 'x', 1
    for index, co in enumerate((16, 8, 4)):
        w = (rng.standard_normal((co, ci, 3, 3)) * np.sqrt(2 / (9 * ci)) * (0.2 if co == 4 else 1)).astype(np.float32)
        inits += [nh.from_array(w, f'w{index}'), nh.from_array((rng.standard_normal(co) * .01).astype(np.float32), f'b{index}')]
        nodes.append(h.make_node('Conv', [value, f'w{index}', f'b{index}'], [f'c{index}'], kernel_shape=[3, 3], pads=[1] * 4))
        value, ci = f'c{index}', co
        if co != 4:
            nodes.append(h.make_node('Relu', [value], [f'r{index}']))
            value = f'r{index}'
    nodes += [h.make_node('Concat', ['x'] * 4, ['xx'], axis=1), h.make_node('Add', [value, 'xx'], ['s']),
              h.make_node('DepthToSpace', ['s'], ['y'], blocksize=2, mode='CRD')]
    graph = h.make_graph(nodes, 'plain', [h.make_tensor_value_info('x', T.FLOAT, [1, 1, 'h', 'w'])],
                         [h.make_tensor_value_info('y', T.FLOAT, [1, 1, 'h2', 'w2'])], inits)
    model = h.make_model(graph, opset_imports=[h.make_opsetid('', 17)], ir_version=9)

    class Reader(CalibrationDataReader):
        left = 3

        def get_next(self):
            self.left -= 1
            x = picture()[0]
            x[0, :2] = 0, 255  # all that samples can be
            return {'x': x[None, None].astype(np.float32) / np.float32(255)} if self.left >= 0 else None

    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'plain.onnx')
        onnx.save(model, path)
        quantize_static(path, os.path.join(FOLDER, 'plain.onnx'), Reader(), quant_format=QuantFormat.QDQ,
                        activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8, per_channel=True)
    answer('plain', 2)


def floating():
    """No quantisation: for the quantiser's tests."""
    nodes, inits, value, ci = [], [], 'x', 1
    for index, co in enumerate((16, 16, 4)):
        w = rng.standard_normal((co, ci, 3, 3)) * np.sqrt(2 / (9 * ci)) * (0.1 if co == 4 else 1)
        inits += [nh.from_array(w.astype(np.float32), f'w{index}'),
                  nh.from_array((rng.standard_normal(co) * .05).astype(np.float32), f'b{index}')]
        nodes.append(h.make_node('Conv', [value, f'w{index}', f'b{index}'], [f'c{index}'], kernel_shape=[3, 3], pads=[1] * 4))
        value, ci = f'c{index}', co
        if co != 4:
            nodes.append(h.make_node('LeakyRelu', [value], [f'r{index}'], alpha=0.1))
            value = f'r{index}'
    nodes += [h.make_node('Concat', ['x'] * 4, ['xx'], axis=1), h.make_node('Add', [value, 'xx'], ['s']),
              h.make_node('DepthToSpace', ['s'], ['y'], blocksize=2, mode='CRD')]
    save('float', nodes, inits, 2)


if __name__ == '__main__':
    trained()
    denoiser()
    plain()
    transposed()
    floating()
    folded()
    skipping()
    activated()
    unshuffled()
    enlarged()
    coloured()
    colourful()
    interpolated()

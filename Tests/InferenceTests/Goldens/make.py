#!/usr/bin/env python3
"""Make the models of this folder, and what onnxruntime answers on a seeded picture: NAME.onnx, NAME.in, NAME.out.

  python3 -m venv env && env/bin/pip install onnx onnxruntime numpy && env/bin/python make.py

.in holds 37 x 22 samples of eight bits, .out the answer times 255, rounded and clipped to eight bits.
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


def picture():
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    smooth = 120 + 70 * np.sin(x / 5.0) * np.cos(y / 3.0) + 40 * (x > 20)
    return np.clip(smooth + rng.normal(0, 6, smooth.shape), 0, 255).round().astype(np.uint8)


def save(name, nodes, inits, scale, opset=17, inputs=()):
    graph = h.make_graph(nodes, name, [h.make_tensor_value_info('x', T.FLOAT, [1, 1, 'h', 'w']), *inputs],
                         [h.make_tensor_value_info('y', T.FLOAT, [1, 1, 'h2', 'w2'])], inits)
    model = h.make_model(graph, opset_imports=[h.make_opsetid('', opset)], ir_version=9)
    onnx.checker.check_model(model)
    onnx.save(model, os.path.join(FOLDER, name + '.onnx'))
    answer(name, scale, {i.name: np.full((1, 1, 1, 1), 40 / 255, np.float32) for i in inputs})


def answer(name, scale, more={}):
    session = ort.InferenceSession(os.path.join(FOLDER, name + '.onnx'), providers=['CPUExecutionProvider'])
    x = picture()
    even = np.pad(x, ((0, HEIGHT % 2), (0, WIDTH % 2)), mode='edge')
    given = even if name == 'folded' else x
    y = session.run(None, {'x': given[None, None].astype(np.float32) / np.float32(255), **more})[0]
    y = y[:, :, :HEIGHT * scale, :WIDTH * scale]
    assert y.shape == (1, 1, HEIGHT * scale, WIDTH * scale)
    x.tofile(os.path.join(FOLDER, name + '.in'))
    np.clip(np.round(y[0, 0] * 255), 0, 255).astype(np.uint8).tofile(os.path.join(FOLDER, name + '.out'))


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

    def finish(self, name, value, scale, inputs=()):
        self.nodes[-1].output[0] = 'y'
        save(name, self.nodes, self.inits, scale, inputs=inputs)


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
    slopes = lambda n: g.const(rng.uniform(-.2, .5, (n, 1, 1)).astype(np.float32))
    x = g.qdq('x', 1 / 255)
    c = g.conv(x, 1, 16)
    params = [rng.uniform(.5, 1.5, 16), rng.normal(0, .1, 16), rng.normal(0, .1, 16), rng.uniform(.5, 1.5, 16)]
    b = g.node('BatchNormalization', [c, *(g.const(p.astype(np.float32)) for p in params)], epsilon=1e-3)
    h0 = g.qdq(g.node('Relu', [b]), 0.012)
    h1 = g.qdq(g.conv(h0, 16, 16, gain=0.7), 0.015, 120)
    s1 = g.qdq(g.node('PRelu', [g.node('Add', [h0, h1]), slopes(16)]), 0.017, 60)
    h2 = g.qdq(g.conv(s1, 16, 16, group=4), 0.02, 128)
    m = g.qdq(g.node('Mul', [h2, g.const(rng.uniform(.2, .9, (1, 16, 1, 1)).astype(np.float32))]), 0.011, 100)
    s2 = g.node('Mul', [g.node('Add', [m, s1]), g.const(np.float32(0.5))])
    s2 = g.qdq(g.node('LeakyRelu', [s2], alpha=0.2), 0.009, 50)
    h3 = g.qdq(g.conv(s2, 16, 12, k=1), 0.012, 110)
    h3 = g.qdq(g.node('Clip', [h3, g.const(np.float32(-0.3)), g.const(np.float32(1.1))]), 0.0061, 80)
    h4 = g.qdq(g.node('Relu', [g.node('Add', [h3, g.const(np.float32(0.1))])]), 0.0055)
    s = g.node('Add', [g.conv(h4, 12, 4, gain=0.15), g.node('Concat', ['x'] * 4, axis=1)])
    g.finish('activated', g.node('DepthToSpace', [s], blocksize=2, mode='CRD'), 2)


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
            x = picture()
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

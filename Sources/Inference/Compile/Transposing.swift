import Frames

extension Compiler {
  /// ConvTranspose: the same as a convolution to `stride²` times as many channels whose pixels are shuffled out.
  mutating func transposedConvolution(_ node: OnnxNode) throws(Failure) -> Value {
    let input = try feature(node, 0)
    guard case .scaled(let weights) = try value(node, 1), weights.shape.count == 4 else {
      throw node.refuse("its weights are not quantised", advice: "run 'pipe quantize' on the float model first")
    }
    let (inputs, outputs, height, width) = (weights.shape[0], weights.shape[1], weights.shape[2], weights.shape[3])
    guard inputs == input.shape.channels, (1...Compiler.mostChannels).contains(outputs),
      try node.int("group", default: 1) == 1
    else { throw node.refuse("its weights do not take all channels of its input, \(input.shape.channels)") }
    guard height == width, (1...Compiler.largestKernel).contains(height) else {
      throw node.refuse("a kernel of \(height)x\(width) is not supported")
    }
    let stride = try stride(node, kernel: height)
    guard weights.scales.count == 1 || weights.axis == 1, weights.integers.allSatisfy({ (-128...127).contains($0) })
    else { throw node.refuse("its weights must be signed bytes with one scale, or one for each output: axis 1") }
    // Output `stride · q + r` takes weight `r + pad - stride · t` of input `q + t`.
    let pad = node.ints("pads")?.first ?? 0
    let first = -((height - 1 - pad) / stride)
    let last = (stride - 1 + pad) / stride
    let size = last - first + 1
    let channels = stride * stride * outputs
    guard first <= 0, size <= Compiler.largestKernel, channels <= Compiler.mostChannels,
      channels * inputs * size * size <= Compiler.mostWeights
    else { throw node.refuse("the network is too large") }
    /// [pixel][output][input][y][x]
    var dense = [Int8](repeating: 0, count: channels * inputs * size * size)
    for pixel in 0..<stride * stride {
      for y in first...last {
        for x in first...last {
          let (fromY, fromX) = (pixel / stride + pad - stride * y, pixel % stride + pad - stride * x)
          guard (0..<height).contains(fromY), (0..<width).contains(fromX) else { continue }
          for output in 0..<outputs {
            for channel in 0..<inputs {
              let to = ((pixel * outputs + output) * inputs + channel) * size * size
              dense[to + (y - first) * size + x - first] = Int8(
                weights.integers[((channel * outputs + output) * height + fromY) * width + fromX])
            }
          }
        }
      }
    }
    var bias = [Double](repeating: 0, count: outputs)
    if node.optionalInput(2) != nil { bias = try spread(node, constantValues(node, 2), over: outputs) }
    let inputScale = Double(input.quantisation.scale)
    let result = try pending(
      node,
      RawConvolution(
        name: node.label, input: input, outputChannels: channels, inputChannels: inputs, kernelHeight: size,
        kernelWidth: size, padTop: -first, padLeft: -first, weights: dense, macs: weights.integers.count,
        sumScales: (0..<channels).map { inputScale * weights.scales[weights.scales.count == 1 ? 0 : $0 % outputs] }),
      bias: (0..<channels).map { bias[$0 % outputs] })
    guard case .pending(var pending) = result, pending.take(.unfold(stride, planar: false)) else {
      throw node.refuse("it enlarges too often")
    }
    return .pending(pending)
  }

  /// How many times larger its output is, where it is so exactly.
  private func stride(_ node: OnnxNode, kernel: Int) throws(Failure) -> Int {
    let strides = node.ints("strides") ?? [1, 1]
    let extra = node.ints("output_padding") ?? [0, 0]
    let pads = node.ints("pads") ?? [0, 0, 0, 0]
    guard strides.count == 2, strides[0] == strides[1], (1...4).contains(strides[0]) else {
      throw node.refuse("attribute 'strides' = \(strides) is not supported")
    }
    guard node.ints("dilations")?.allSatisfy({ $0 == 1 }) ?? true,
      node.string("auto_pad", default: "NOTSET") == "NOTSET", node.ints("output_shape") == nil,
      pads.count == 4, pads[0] == pads[1], pads[2] == pads[3], pads.allSatisfy({ (0...kernel).contains($0) }),
      extra.count == 2, extra[0] == extra[1], (0...4).contains(extra[0]),
      kernel - strides[0] - pads[0] - pads[2] + extra[0] == 0
    else { throw node.refuse("attributes 'pads' = \(pads) and 'output_padding' = \(extra) do not fit its stride") }
    return strides[0]
  }
}

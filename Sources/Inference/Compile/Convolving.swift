import Frames

extension Compiler {
  /// Conv over a quantised input with quantised weights: a sum that nothing has rounded yet.
  mutating func convolution(_ node: OnnxNode) throws(Failure) -> Value {
    let input = try feature(node, 0)
    guard case .scaled(let weights) = try value(node, 1) else {
      throw node.refuse("its weights are not quantised", advice: "run 'pipe quantize' on the float model first")
    }
    guard weights.shape.count == 4 else { throw node.refuse("its weights are not [output, input, height, width]") }
    let (outputs, inputs, height, width) = (weights.shape[0], weights.shape[1], weights.shape[2], weights.shape[3])
    guard (1...Compiler.mostChannels).contains(outputs), (1...Compiler.mostChannels).contains(inputs) else {
      throw node.refuse("\(inputs) to \(outputs) channels are more than the engine takes (\(Compiler.mostChannels))")
    }
    guard (1...Compiler.largestKernel).contains(height), (1...Compiler.largestKernel).contains(width) else {
      throw node.refuse("a kernel of \(height)x\(width) is not supported")
    }
    if let shape = node.ints("kernel_shape"), shape != [height, width] {
      throw node.refuse("attribute 'kernel_shape' = \(shape) does not fit its weights")
    }
    let groups = try node.int("group", default: 1)
    guard groups >= 1, input.channels == inputs.multipliedReportingOverflow(by: groups).partialValue,
      outputs % groups == 0
    else {
      throw node.refuse(
        "its weights take \(groups) x \(inputs) channels and its input has \(input.channels)")
    }
    for name in ["strides", "dilations"] {
      if let values = node.ints(name), values.contains(where: { $0 != 1 }) {
        throw node.refuse("attribute '\(name)' = \(values) is not supported")
      }
    }
    let (top, left) = try padding(node, height: height, width: width)
    guard weights.scales.count == 1 || weights.axis == 0 else {
      throw node.refuse("the weights' scales must run along the outputs: axis 0, not \(weights.axis)")
    }
    guard weights.integers.allSatisfy({ (-128...127).contains($0) }) else {
      throw node.refuse("its weights do not fit signed bytes once their zero point is taken off")
    }
    // Groups become zeros between them, which packing leaves out again.
    let full = Compiler.ungrouped(weights.integers, outputs: outputs, groupInputs: inputs, groups: groups)
    let inputScale = Double(input.quantisation.scale)
    let scales = (0..<outputs).map { inputScale * (weights.scales.count == 1 ? weights.scales[0] : weights.scales[$0]) }
    var bias = [Double](repeating: 0, count: outputs)
    if node.optionalInput(2) != nil {
      bias = try constantValues(node, 2)
      guard bias.count == outputs else { throw node.refuse("\(bias.count) biases for \(outputs) outputs") }
    }
    return try pending(
      node,
      RawConvolution(
        name: node.label, input: input, outputChannels: outputs, inputChannels: input.channels, kernelHeight: height,
        kernelWidth: width, padTop: top, padLeft: left, weights: full, macs: weights.integers.count, sumScales: scales),
      bias: bias)
  }

  /// The result of one more convolution.
  mutating func pending(_ node: OnnxNode, _ convolution: RawConvolution, bias: [Double]) throws(Failure) -> Value {
    totalWeights += convolution.weights.count
    guard totalWeights <= Compiler.mostWeights, convolutions.count < Compiler.mostConvolutions else {
      throw node.refuse("the network is too large")
    }
    convolutions.append(convolution)
    return .pending(
      Pending(convolution: convolutions.count - 1, gain: .init(repeating: 1, count: bias.count), bias: bias))
  }

  /// The weights of every input for every output: [output][input][window], from those of each group alone.
  private static func ungrouped(_ weights: [Int], outputs: Int, groupInputs: Int, groups: Int) -> [Int8] {
    guard groups > 1 else { return weights.map { Int8($0) } }
    let window = weights.count / (outputs * groupInputs)
    let row = groupInputs * window
    var full = [Int8](repeating: 0, count: outputs * groups * row)
    for output in 0..<outputs {
      let group = output / (outputs / groups)
      for index in 0..<row { full[(output * groups + group) * row + index] = Int8(weights[output * row + index]) }
    }
    return full
  }

  /// ConvTranspose to one plane, as super-resolution networks end: the same as a convolution to `stride²` channels
  /// whose pixels are shuffled out.
  mutating func transposedConvolution(_ node: OnnxNode) throws(Failure) -> Value {
    let input = try feature(node, 0)
    guard case .scaled(let weights) = try value(node, 1), weights.shape.count == 4 else {
      throw node.refuse("its weights are not quantised", advice: "run 'pipe quantize' on the float model first")
    }
    let (inputs, height, width) = (weights.shape[0], weights.shape[2], weights.shape[3])
    guard weights.shape[1] == 1, inputs == input.channels, try node.int("group", default: 1) == 1 else {
      throw node.refuse("only one output plane, made of all inputs, is supported")
    }
    guard height == width, (1...Compiler.largestKernel).contains(height) else {
      throw node.refuse("a kernel of \(height)x\(width) is not supported")
    }
    let strides = node.ints("strides") ?? [1, 1]
    let extra = node.ints("output_padding") ?? [0, 0]
    let pads = node.ints("pads") ?? [0, 0, 0, 0]
    guard strides.count == 2, strides[0] == strides[1], (1...4).contains(strides[0]) else {
      throw node.refuse("attribute 'strides' = \(strides) is not supported")
    }
    let stride = strides[0]
    guard node.ints("dilations")?.allSatisfy({ $0 == 1 }) ?? true,
      node.string("auto_pad", default: "NOTSET") == "NOTSET",
      pads.count == 4, pads[0] == pads[1], pads[2] == pads[3], pads.allSatisfy({ (0...height).contains($0) }),
      extra.count == 2, extra[0] == extra[1], (0...4).contains(extra[0]),
      height - stride - pads[0] - pads[2] + extra[0] == 0
    else { throw node.refuse("attributes 'pads' = \(pads) and 'output_padding' = \(extra) do not fit its stride") }
    guard weights.scales.count == 1, weights.integers.allSatisfy({ (-128...127).contains($0) }) else {
      throw node.refuse("its weights must be signed bytes of one scale")
    }
    // Output `stride · q + r` takes weight `r + pad - stride · t` of input `q + t`.
    let pad = pads[0]
    let first = -((height - 1 - pad) / stride)
    let last = (stride - 1 + pad) / stride
    let size = last - first + 1
    var dense = [Int8](repeating: 0, count: stride * stride * inputs * size * size)
    for row in 0..<stride {
      for column in 0..<stride {
        for channel in 0..<inputs {
          for y in first...last {
            for x in first...last {
              let (fromY, fromX) = (row + pad - stride * y, column + pad - stride * x)
              guard (0..<height).contains(fromY), (0..<width).contains(fromX) else { continue }
              let output = row * stride + column
              dense[((output * inputs + channel) * size + y - first) * size + x - first] = Int8(
                weights.integers[(channel * height + fromY) * width + fromX])
            }
          }
        }
      }
    }
    var bias = 0.0
    if node.optionalInput(2) != nil { bias = try constantValues(node, 2).first ?? 0 }
    let outputs = stride * stride
    let result = try pending(
      node,
      RawConvolution(
        name: node.label, input: input, outputChannels: outputs, inputChannels: inputs, kernelHeight: size,
        kernelWidth: size, padTop: -first, padLeft: -first, weights: dense, macs: weights.integers.count,
        sumScales: .init(repeating: Double(input.quantisation.scale) * weights.scales[0], count: outputs)),
      bias: .init(repeating: bias, count: outputs))
    guard case .pending(let pending) = result else { return result }
    return .ending(EndingValue(pending: pending, upscale: stride))
  }

  /// A byte tensor: the picture counts as one.
  mutating func feature(_ node: OnnxNode, _ index: Int) throws(Failure) -> Feature {
    switch try value(node, index) {
    case .levels(let feature): return feature
    case .picture(let picture):
      guard !picture.isCode, let quantisation = picture.quantisation, picture.repeats == 1, picture.upscale == 1 else {
        throw node.refuse("its input is not quantised", advice: "run 'pipe quantize' on the float model first")
      }
      guard (fold ?? picture.fold) == picture.fold else {
        throw node.refuse("the picture is folded in two ways: by \(fold ?? 1) and by \(picture.fold)")
      }
      fold = picture.fold
      // The picture quantised in the same way is the same tensor, however often the graph does it.
      return Feature(source: .picture, channels: picture.fold * picture.fold, quantisation: quantisation, number: -1)
    default:
      throw node.refuse("its input is not quantised", advice: "run 'pipe quantize' on the float model first")
    }
  }

  /// Rows above and columns left of the picture; the output has the input's size.
  private func padding(_ node: OnnxNode, height: Int, width: Int) throws(Failure) -> (top: Int, left: Int) {
    switch node.string("auto_pad", default: "NOTSET") {
    case "NOTSET": break
    case "SAME_UPPER": return ((height - 1) / 2, (width - 1) / 2)
    case "SAME_LOWER": return (height / 2, width / 2)
    case let other: throw node.refuse("attribute 'auto_pad' = \(other) is not supported")
    }
    let pads = node.ints("pads") ?? [0, 0, 0, 0]
    guard pads.count == 4, pads.allSatisfy({ $0 >= 0 }), pads[0] <= height, pads[1] <= width,
      pads[0] + pads[2] == height - 1, pads[1] + pads[3] == width - 1
    else { throw node.refuse("attribute 'pads' = \(pads) does not keep the picture's size") }
    return (pads[0], pads[1])
  }
}

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
    try node.require("group", [1], default: 1)
    guard inputs == input.channels else {
      throw node.refuse("its weights take \(inputs) channels and its input has \(input.channels)")
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
    totalWeights += weights.integers.count
    guard totalWeights <= Compiler.mostWeights, convolutions.count < Compiler.mostConvolutions else {
      throw node.refuse("the network is too large")
    }
    let inputScale = Double(input.quantisation.scale)
    let scales = (0..<outputs).map { inputScale * (weights.scales.count == 1 ? weights.scales[0] : weights.scales[$0]) }
    var bias = [Double](repeating: 0, count: outputs)
    if node.optionalInput(2) != nil {
      bias = try constantValues(node, 2)
      guard bias.count == outputs else { throw node.refuse("\(bias.count) biases for \(outputs) outputs") }
    }
    convolutions.append(
      RawConvolution(
        name: node.proto.name.isEmpty ? try node.output() : node.proto.name, input: input, outputChannels: outputs,
        inputChannels: inputs, kernelHeight: height, kernelWidth: width, padTop: top, padLeft: left,
        weights: weights.integers.map { Int8($0) }, sumScales: scales))
    return .pending(
      Pending(convolution: convolutions.count - 1, gain: .init(repeating: 1, count: outputs), bias: bias))
  }

  /// A byte tensor: the picture counts as one.
  mutating func feature(_ node: OnnxNode, _ index: Int) throws(Failure) -> Feature {
    switch try value(node, index) {
    case .levels(let feature): return feature
    case .picture(let picture):
      guard !picture.isCode, let quantisation = picture.quantisation, picture.repeats == 1, picture.upscale == 1 else {
        throw node.refuse("its input is not quantised", advice: "run 'pipe quantize' on the float model first")
      }
      // The picture quantised in the same way is the same tensor, however often the graph does it.
      return Feature(source: .picture, channels: 1, quantisation: quantisation, number: -1)
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

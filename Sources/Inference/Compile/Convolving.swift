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
    guard groups >= 1, input.shape.channels == inputs.multipliedReportingOverflow(by: groups).partialValue,
      outputs % groups == 0
    else {
      throw node.refuse(
        "its weights take \(groups) x \(inputs) channels and its input has \(input.shape.channels)")
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
        name: node.label, input: input, outputChannels: outputs, inputChannels: input.shape.channels,
        kernelHeight: height,
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
      Pending(convolution: convolutions.count - 1, bias: bias, resolution: convolution.input.shape.resolution))
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

  /// A byte tensor that a convolution can read: the picture counts as one, and what repeats values is written out.
  mutating func feature(_ node: OnnxNode, _ index: Int) throws(Failure) -> Feature {
    var feature: Feature
    switch try value(node, index) {
    case .levels(let levels): feature = levels
    case .picture(let picture):
      guard !picture.isCode, let quantisation = picture.quantisation else {
        throw node.refuse("its input is not quantised", advice: "run 'pipe quantize' on the float model first")
      }
      // The picture quantised in the same way is the same tensor, however often the graph does it.
      feature = Feature(source: .picture, quantisation: quantisation, number: -1, view: picture.view)
      if let interpolation = picture.interpolation {
        guard picture.view.steps == [.enlarge(2)] else {
          throw node.refuse("its input is the picture enlarged by linear interpolation and then moved")
        }
        feature.quantisation = picture.interpolated
        feature.view = View(picture.view.made)
        let mixed = Mixed(name: node.label, feature, interpolation: interpolation)
        feature = newFeature(.mix(mixed), mixed.view, quantisation)
      }
    default:
      throw node.refuse("its input is not quantised", advice: "run 'pipe quantize' on the float model first")
    }
    if !feature.view.isInjective {
      let mixed = Mixed(name: node.label, parts: [[feature]])
      feature = newFeature(.mix(mixed), mixed.view, feature.quantisation)
    }
    return feature
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

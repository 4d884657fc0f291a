import Frames

/// Runs a float ONNX graph plainly, as far as its convolutions' inputs: for calibration, where speed matters little.
struct FloatNetwork {
  var graph: OnnxGraph
  let place: String

  static func isConvolution(_ operation: String) -> Bool { operation == "Conv" || operation == "ConvTranspose" }
  /// Whether a node needs what it reads to be bytes: sums, joints, and interpolation.
  static func readsBytes(_ node: OnnxNode) -> Bool {
    switch node.operation {
    case "Add", "Concat": true
    case "Resize": node.string("mode", default: "nearest") == "linear"
    default: false
    }
  }

  /// Where the part ends in which tensors are bytes, once quantised.
  static func lastConvolution(of graph: OnnxGraph) -> Int {
    graph.nodes.lastIndex { isConvolution($0.opType) } ?? -1
  }

  /// Samples of one tensor: more is refused before it is made.
  private static let mostValues = 1 << 26

  /// - Parameter see: gets the tensors that convolutions read, and that are added, joined or interpolated before the
  ///   last of them.
  mutating func run(
    _ inputs: [String: FloatTensor], see: (_ name: String, _ tensor: FloatTensor) -> Void
  ) throws(Failure) {
    var values = inputs
    let last = FloatNetwork.lastConvolution(of: graph)
    /// The last node that reads a tensor: then it goes.
    var lastReader: [String: Int] = [:]
    for (number, proto) in graph.nodes.enumerated() { for name in proto.input { lastReader[name] = number } }
    for (number, proto) in graph.nodes.enumerated() where number <= last {
      let node = OnnxNode(proto, number: number, model: place)
      if node.operation == "Constant", let attribute = proto.attribute.first(where: { $0.name == "value" }) {
        graph.constants[try node.output()] = try OnnxTensor(attribute.t, place: node.place)
      }
      if FloatNetwork.readsBytes(node) {
        for name in proto.input { if let tensor = values[name] { see(name, tensor) } }
      }
      if FloatNetwork.isConvolution(node.operation) {
        let name = try node.input(0)
        guard let tensor = values[name] else { throw node.refuse("its input '\(name)' is not made before it") }
        see(name, tensor)
        if number == last { break }
      }
      // What has constants alone for inputs is left out: shapes and the like, which no convolution reads.
      guard let first = proto.input.first(where: { values[$0] != nil }), let tensor = values[first] else { continue }
      let output = try node.output()
      values[output] = try evaluate(node, tensor, values)
      for name in proto.input + [output] where lastReader[name, default: number] <= number { values[name] = nil }
    }
  }

  private func evaluate(
    _ node: OnnxNode, _ tensor: FloatTensor, _ values: [String: FloatTensor]
  ) throws(Failure) -> FloatTensor {
    switch node.operation {
    case "Identity": return tensor
    case "Conv": return try convolution(node, tensor)
    case "Relu": return tensor.map { max($0, 0) }
    case "LeakyRelu":
      let alpha = Float(try node.float("alpha", default: 0.01))
      return tensor.map { $0 < 0 ? $0 * alpha : $0 }
    case "PRelu": return tensor.map(try parameters(node, 1, tensor.channels)) { $0 < 0 ? $0 * $1 : $0 }
    case "BatchNormalization":
      var result = tensor
      let plane = tensor.height * tensor.width
      var parameters: [[Float]] = []
      for index in 1...4 { parameters.append(try self.parameters(node, index, tensor.channels)) }
      let epsilon = Float(try node.float("epsilon", default: 1e-5))
      for index in result.values.indices {
        let each = parameters.map { $0[$0.count == 1 ? 0 : index / plane] }
        result.values[index] = (tensor.values[index] - each[2]) / (each[3] + epsilon).squareRoot() * each[0] + each[1]
      }
      return result
    case "SpaceToDepth": return try taking(.fold(node.int("blocksize", default: 0)), tensor, node)
    case "DepthToSpace":
      let planar = node.string("mode", default: "DCR") == "CRD"
      return try taking(.unfold(node.int("blocksize", default: 0), planar: planar), tensor, node)
    case "Resize":
      guard let name = node.optionalInput(2), let scales = graph.constants[name]?.values, scales.count == 4,
        let size = Int(exactly: scales[2])
      else { throw node.refuse("it gives no constant scales") }
      switch (node.string("mode", default: "nearest"), size) {
      case ("nearest", 1...8): return try taking(.enlarge(size), tensor, node)
      case ("linear", 2):
        let coordinates = node.string("coordinate_transformation_mode", default: "half_pixel")
        guard let interpolation = Interpolation(coordinates) else {
          throw node.refuse("attribute 'coordinate_transformation_mode' = \(coordinates) is not supported")
        }
        try requireSize(node, tensor.values.count, times: 4)
        return tensor.doubled(interpolation)
      case (let mode, _): throw node.refuse("attribute 'mode' = \(mode) by \(size) is not supported")
      }
    case "Clip":
      let low = node.optionalInput(1).flatMap { graph.constants[$0]?.scalar } ?? -.infinity
      let high = node.optionalInput(2).flatMap { graph.constants[$0]?.scalar } ?? .infinity
      return tensor.map { min(max($0, Float(low)), Float(high)) }
    case "Mul", "Add":
      let multiplies = node.operation == "Mul"
      let (left, right) = (try node.input(0), try node.input(1))
      if let a = values[left], let b = values[right] {
        guard a.values.count == b.values.count, !multiplies else { throw node.refuse("its inputs differ in size") }
        var sum = a
        for index in sum.values.indices { sum.values[index] += b.values[index] }
        return sum
      }
      let constants = try parameters(node, values[left] == nil ? 0 : 1, tensor.channels)
      return multiplies ? tensor.map(constants) { $0 * $1 } : tensor.map(constants) { $0 + $1 }
    case "Concat":
      var joined = FloatTensor(channels: 0, height: tensor.height, width: tensor.width, values: [])
      for name in node.proto.input {
        guard let part = values[name], part.height == tensor.height, part.width == tensor.width,
          joined.channels + part.channels <= Compiler.mostChannels
        else { throw node.refuse("its inputs cannot be joined") }
        joined.channels += part.channels
        joined.values += part.values
      }
      return joined
    default: throw node.refuse("this operator is not supported before a convolution")
    }
  }

  private func taking(_ step: View.Step, _ tensor: FloatTensor, _ node: OnnxNode) throws(Failure) -> FloatTensor {
    if case .enlarge(let size) = step { try requireSize(node, tensor.values.count, times: size * size) }
    guard let result = tensor.taking(step) else { throw node.refuse("it does not fit its input") }
    return result
  }

  private func requireSize(_ node: OnnxNode, _ count: Int, times: Int) throws(Failure) {
    guard (1...FloatNetwork.mostValues).contains(times), count <= FloatNetwork.mostValues / times else {
      throw node.refuse("what it makes of a small picture is too large")
    }
  }

  private func convolution(_ node: OnnxNode, _ tensor: FloatTensor) throws(Failure) -> FloatTensor {
    guard let weights = graph.constants[try node.input(1)], weights.shape.count == 4 else {
      throw node.refuse("its weights are not constant")
    }
    let (outputs, inputs, height, width) = (weights.shape[0], weights.shape[1], weights.shape[2], weights.shape[3])
    let groups = try node.int("group", default: 1)
    guard (1...Compiler.mostChannels).contains(outputs), (1...Compiler.mostChannels).contains(inputs),
      (1...Compiler.mostChannels).contains(groups), inputs * groups == tensor.channels, outputs % groups == 0,
      (1...Compiler.largestKernel).contains(height), (1...Compiler.largestKernel).contains(width)
    else { throw node.refuse("weights of \(weights.shape) do not fit its input") }
    for name in ["strides", "dilations"] {
      if let values = node.ints(name), values.contains(where: { $0 != 1 }) {
        throw node.refuse("attribute '\(name)' = \(values) is not supported")
      }
    }
    let pads = node.ints("pads") ?? [0, 0, 0, 0]
    guard pads.count == 4, pads.allSatisfy({ (0...Compiler.largestKernel).contains($0) }),
      pads[0] + pads[2] == height - 1, pads[1] + pads[3] == width - 1
    else { throw node.refuse("attribute 'pads' = \(pads) does not keep the picture's size") }
    try requireSize(node, tensor.height * tensor.width, times: outputs)
    let bias = node.optionalInput(2) == nil ? [0] : try parameters(node, 2, outputs)
    return tensor.convolved(
      weights.values.map { Float($0) }, bias: bias.count == outputs ? bias : .init(repeating: bias[0], count: outputs),
      outputs: outputs, kernel: (height, width), pad: (pads[0], pads[1]), groups: groups)
  }

  private func parameters(_ node: OnnxNode, _ index: Int, _ channels: Int) throws(Failure) -> [Float] {
    guard let tensor = graph.constants[try node.input(index)],
      tensor.values.count == 1 || tensor.values.count == channels
    else { throw node.refuse("its input \(index) is not a constant for each channel") }
    return tensor.values.map { Float($0) }
  }
}

import Foundation
import Frames

/// Reads an ONNX graph node by node and finds the integer network in it.
///
/// A node's inputs are values the compiler has understood already, since ONNX lists nodes in order; what it cannot
/// express exactly in integers it refuses by operator, node and attribute.
struct Compiler {
  /// A picture's layers need far fewer; hostile files must not make tables of them.
  static let mostChannels = 512
  /// The same where a finer tensor's pixels are channels.
  static let mostLaidOut = 2048
  static let largestKernel = 15
  static let mostConvolutions = 512
  static let mostTerms = 64
  static let mostFeatures = 1024
  static let mostWeights = 32 << 20

  struct RawConvolution {
    var name: String
    var input: Feature
    var outputChannels: Int
    var inputChannels: Int
    var kernelHeight: Int
    var kernelWidth: Int
    var padTop: Int
    var padLeft: Int
    var weights: [Int8]
    /// Multiply-accumulates for one output pixel, as the model states them.
    var macs: Int
    /// Reals for one unit of the sum, by output channel.
    var sumScales: [Double]
  }

  let place: String
  var values: [String: Value] = [:]
  var convolutions: [RawConvolution] = []
  var featureCount = 0
  var totalWeights = 0
  /// Pixels of the picture along a block of the coarsest tensor.
  var grid = 1
  var noiseLevel: Double?

  static func compile(_ graph: OnnxGraph, place: String) throws(Failure) -> IntegerNetwork {
    var compiler = Compiler(place: place)
    for (name, tensor) in graph.constants { compiler.values[name] = .constant(tensor) }
    let pictures = graph.inputs.filter { $0.name != Compiler.noiseInput }
    guard pictures.count == 1, let input = pictures.first else {
      throw compiler.refuse("it has \(pictures.count) inputs where one picture is expected")
    }
    try compiler.takeNoiseLevel(graph)
    let planes = input.shape.count == 4 ? input.shape[1] ?? 1 : 0
    guard planes == 1 || planes == 3 else {
      throw compiler.refuse(
        "its input '\(input.name)' is not [1, 1, height, width], one plane of luma, nor [1, 3, height, width], RGB")
    }
    compiler.values[input.name] = .picture(PictureValue(view: View(Shape(channels: planes))))
    for (number, proto) in graph.nodes.enumerated() {
      let node = OnnxNode(proto, number: number, model: place)
      let result = try compiler.evaluate(node)
      let output = try node.output()
      guard compiler.values.updateValue(result, forKey: output) == nil else {
        throw node.refuse("its output '\(output)' is made twice")
      }
    }
    guard graph.outputs.count == 1, let output = graph.outputs.first else {
      throw compiler.refuse("it has \(graph.outputs.count) outputs where one picture is expected")
    }
    guard let value = compiler.values[output] else { throw compiler.refuse("its output '\(output)' is never made") }
    guard let ending = compiler.asEnding(value) else {
      throw compiler.refuse("its output '\(output)' is not a convolution's result, possibly added to the input")
    }
    return try compiler.emit(ending)
  }

  func refuse(_ message: String) -> Failure { Failure(message, place: place, exitCode: .usage) }

  mutating func evaluate(_ node: OnnxNode) throws(Failure) -> Value {
    guard node.proto.domain.isEmpty || node.proto.domain == "ai.onnx" else {
      throw node.refuse("operators of the domain '\(node.proto.domain)' are not supported")
    }
    switch node.operation {
    case "Identity": return try value(node, 0)
    case "Constant": return try constant(node)
    case "QuantizeLinear": return try quantize(node)
    case "DequantizeLinear": return try dequantize(node)
    case "Conv": return try convolution(node)
    case "ConvTranspose": return try transposedConvolution(node)
    case "Relu": return try clip(node, low: 0, high: .infinity)
    case "Clip": return try clip(node)
    case "LeakyRelu": return try slope(node, [node.float("alpha", default: 0.01)])
    case "PRelu": return try slope(node, constantValues(node, 1))
    case "BatchNormalization": return try normalise(node)
    case "Mul": return try multiply(node)
    case "Add": return try add(node)
    case "Sub": return try subtract(node)
    case "Concat": return try concatenate(node)
    case "Tile": return try tile(node)
    case "Resize": return try resize(node)
    case "SpaceToDepth": return try spaceToDepth(node)
    case "DepthToSpace": return try depthToSpace(node)
    default: throw node.refuse("this operator is not supported")
    }
  }

  func value(_ node: OnnxNode, _ index: Int) throws(Failure) -> Value {
    let name = try node.input(index)
    guard let value = values[name] else {
      throw node.refuse("its input '\(name)' is not made before it", advice: "the graph may be cyclic or cut")
    }
    return value
  }

  func constantTensor(_ node: OnnxNode, _ index: Int) throws(Failure) -> OnnxTensor {
    guard case .constant(let tensor) = try value(node, index) else {
      throw node.refuse("its input \(index) is not a constant")
    }
    return tensor
  }

  /// The finite values of a constant input, dequantised if need be.
  func constantValues(_ node: OnnxNode, _ index: Int) throws(Failure) -> [Double] {
    let values: [Double]
    switch try value(node, index) {
    case .constant(let tensor): values = tensor.values
    case .scaled(let scaled):
      values = scaled.integers.indices.map { Double(scaled.integers[$0]) * scaled.scale(at: $0) }
    default: throw node.refuse("its input \(index) is not a constant")
    }
    guard values.allSatisfy(\.isFinite) else { throw node.refuse("its input \(index) is not finite") }
    return values
  }

  private func constant(_ node: OnnxNode) throws(Failure) -> Value {
    guard let attribute = node.proto.attribute.first else { throw node.refuse("it has no value") }
    switch attribute.name {
    case "value": return .constant(try OnnxTensor(attribute.t, place: node.place))
    case "value_float":
      return .constant(OnnxTensor(element: .float, shape: [], values: [Double(attribute.f)]))
    case "value_int": return .constant(OnnxTensor(element: .int64, shape: [], values: [Double(attribute.i)]))
    case "value_ints":
      return .constant(
        OnnxTensor(element: .int64, shape: [attribute.ints.count], values: attribute.ints.map { Double($0) }))
    case "value_floats":
      return .constant(
        OnnxTensor(element: .float, shape: [attribute.floats.count], values: attribute.floats.map { Double($0) }))
    default: throw node.refuse("attribute '\(attribute.name)' is not supported")
    }
  }

  /// A byte tensor of its own.
  mutating func newFeature(_ source: Feature.Source, _ view: View, _ quantisation: Quantisation) -> Feature {
    featureCount += 1
    return Feature(source: source, quantisation: quantisation, number: featureCount, view: view)
  }
}

extension ScaledConstant {
  /// The scale of the value at a flat index.
  func scale(at index: Int) -> Double {
    guard scales.count > 1 else { return scales[0] }
    let inner = shape[(axis + 1)...].reduce(1, *)
    return scales[index / max(inner, 1) % scales.count]
  }
}

import Foundation
import Frames
import SwiftProtobuf

/// An ONNX file, parsed and checked as far as that goes without knowing operators.
struct OnnxGraph {
  /// More than this a network for pictures never needs, and reading stays bounded.
  static let largestFile = 64 << 20
  static let mostNodes = 20_000
  static let mostMessages = 400_000

  var name: String
  var nodes: [Onnx_NodeProto]
  /// Constants by name.
  var constants: [String: OnnxTensor]
  /// Names of the inputs that are no constants, with their shapes (nil: any size).
  var inputs: [(name: String, shape: [Int?])]
  /// Inputs that have a constant for their default.
  var replaceable: Set<String>
  var outputs: [String]
  var metadata: [String: String]

  init(_ bytes: Data, place: String) throws(Failure) {
    guard bytes.count <= OnnxGraph.largestFile else {
      throw Failure(
        "a model of \(bytes.count >> 20) MiB is larger than any that can be run", place: place, exitCode: .usage)
    }
    let model: Onnx_ModelProto
    do {
      guard WireScan.messages(in: bytes, limit: OnnxGraph.mostMessages) != nil else {
        throw CocoaError(.fileReadCorruptFile)
      }
      var options = BinaryDecodingOptions()
      options.messageDepthLimit = 16
      options.discardUnknownFields = true
      model = try Onnx_ModelProto(serializedBytes: bytes, options: options)
    } catch {
      throw Failure("not an ONNX model, or a damaged one", place: place, advice: "export it again", exitCode: .usage)
    }
    guard model.hasGraph, !model.graph.node.isEmpty else {
      throw Failure("not an ONNX model: it has no graph", place: place, exitCode: .usage)
    }
    let graph = model.graph
    guard graph.node.count <= OnnxGraph.mostNodes else {
      throw Failure("\(graph.node.count) nodes are more than can be run", place: place, exitCode: .usage)
    }
    for opset in model.opsetImport where opset.domain.isEmpty || opset.domain == "ai.onnx" {
      guard (10...26).contains(opset.version) else {
        throw Failure(
          "operator set \(opset.version) is not supported", place: place, advice: "export with opset 13 to 22",
          exitCode: .usage)
      }
    }
    name = graph.name
    nodes = graph.node
    constants = [:]
    for tensor in graph.initializer {
      constants[tensor.name] = try OnnxTensor(tensor, place: "\(place): constant '\(tensor.name)'")
    }
    inputs = []
    for input in graph.input where constants[input.name] == nil {
      let shape = input.type.tensorType.shape.dim.map { dimension -> Int? in
        if case .dimValue(let value)? = dimension.value, value > 0 { return Int(clamping: value) }
        return nil
      }
      inputs.append((input.name, shape))
    }
    replaceable = Set(graph.input.map(\.name)).intersection(constants.keys)
    outputs = graph.output.map(\.name)
    metadata = Dictionary(model.metadataProps.map { ($0.key, $0.value) }, uniquingKeysWith: { first, _ in first })
  }
}

/// A constant of an ONNX file: whole numbers and reals alike as `Double`, which holds them all exactly.
struct OnnxTensor: Equatable {
  enum Element: Int32 { case float = 1, uint8 = 2, int8 = 3, int32 = 6, int64 = 7, double = 11 }

  var element: Element
  var shape: [Int]
  var values: [Double]

  init(element: Element, shape: [Int], values: [Double]) {
    self.element = element
    self.shape = shape
    self.values = values
  }

  init(_ tensor: Onnx_TensorProto, place: String) throws(Failure) {
    guard let element = Element(rawValue: tensor.dataType) else {
      throw Failure("element type \(tensor.dataType) is not supported", place: place, exitCode: .usage)
    }
    guard tensor.dataLocation == 0 else {
      throw Failure(
        "its data lie in another file", place: place, advice: "save the model as a single file", exitCode: .usage)
    }
    var count = 1
    for dimension in tensor.dims {
      let (product, overflow) = count.multipliedReportingOverflow(by: Int(clamping: dimension))
      guard dimension >= 0, !overflow, product <= OnnxGraph.largestFile else {
        throw Failure("impossible dimensions \(tensor.dims.prefix(8))", place: place, exitCode: .usage)
      }
      count = product
    }
    self.element = element
    shape = tensor.dims.map { Int($0) }
    if tensor.rawData.isEmpty {
      values =
        switch element {
        case .float: tensor.floatData.map(Double.init)
        case .uint8, .int8, .int32: tensor.int32Data.map(Double.init)
        case .int64: tensor.int64Data.map(Double.init)
        case .double: tensor.doubleData
        }
    } else {
      values = OnnxTensor.read(tensor.rawData, as: element)
    }
    guard values.count == count else {
      throw Failure(
        "\(values.count) values where its dimensions ask for \(count)", place: place, advice: "export the model again",
        exitCode: .usage)
    }
  }

  private static func read(_ data: Data, as element: Element) -> [Double] {
    func all<Value>(_: Value.Type, _ convert: (Value) -> Double) -> [Double] {
      data.withUnsafeBytes { bytes in
        (0..<bytes.count / MemoryLayout<Value>.size).map {
          convert(bytes.loadUnaligned(fromByteOffset: $0 * MemoryLayout<Value>.size, as: Value.self))
        }
      }
    }
    return switch element {
    case .float: all(UInt32.self) { Double(Float(bitPattern: UInt32(littleEndian: $0))) }
    case .uint8: all(UInt8.self) { Double($0) }
    case .int8: all(Int8.self) { Double($0) }
    case .int32: all(Int32.self) { Double(Int32(littleEndian: $0)) }
    case .int64: all(Int64.self) { Double(Int64(littleEndian: $0)) }
    case .double: all(UInt64.self) { Double(bitPattern: UInt64(littleEndian: $0)) }
    }
  }

  /// The only value of a scalar or of a tensor of one.
  var scalar: Double? { values.count == 1 ? values[0] : nil }
}

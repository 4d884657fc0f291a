import Foundation
import Frames
import SwiftProtobuf

/// Post-training quantisation: reads a float ONNX network, runs it over the user's pictures, and writes it with 8-bit
/// weights and activations, in the QuantizeLinear and DequantizeLinear form that every runtime reads.
public struct Quantizer {
  /// How an activation's range is chosen from what was seen of it.
  public enum Choice: Sendable {
    /// The range that this share of the values lies in, 0 to 1.
    case percentile(Double)
    /// The range with the least mean square error.
    case meanSquare
  }

  /// Planes of eight bits, luma or red, green and blue: [plane][y][x].
  public struct Sample: Sendable {
    public var width: Int
    public var height: Int
    public var samples: [UInt8]

    public init(width: Int, height: Int, samples: [UInt8]) {
      precondition(
        width > 0 && height > 0 && !samples.isEmpty && samples.count % (width * height) == 0,
        "a sample has all its pixels")
      self.width = width
      self.height = height
      self.samples = samples
    }
  }

  private let model: Onnx_ModelProto
  private let graph: OnnxGraph
  private let place: String
  /// Values seen of each tensor that a convolution reads.
  private var seen: [String: [Float]] = [:]
  private let input: String
  /// Planes of the pictures that the network takes: 1, luma, or 3, red, green and blue.
  public let channels: Int

  /// - Throws: `Failure` with exit code 2 where this is no float network that the engine could run.
  public init(_ bytes: Data, name: String) throws(Failure) {
    place = name
    var graph = try OnnxGraph(bytes, place: name)
    // Exporters write equal constants once, and the others as their copies.
    for node in graph.nodes where node.opType == "Identity" && node.input.count == 1 && node.output.count == 1 {
      if let constant = graph.constants[node.input[0]] { graph.constants[node.output[0]] = constant }
    }
    self.graph = graph
    var model: Onnx_ModelProto
    do {
      model = try Onnx_ModelProto(serializedBytes: bytes)
    } catch {
      throw Failure("not an ONNX model, or a damaged one", place: name, exitCode: .usage)
    }
    // In set 13 weights may have a scale for each channel; nothing that the engine runs changed since 11.
    if let index = model.opsetImport.firstIndex(where: { $0.domain.isEmpty }) {
      if (11..<13).contains(model.opsetImport[index].version) { model.opsetImport[index].version = 13 }
    }
    guard let opset = model.opsetImport.first(where: { $0.domain.isEmpty })?.version, opset >= 13 else {
      throw Failure(
        "operator sets before 11 cannot be quantised", place: name, advice: "export with opset 17", exitCode: .usage)
    }
    guard !graph.nodes.contains(where: { $0.opType == "QuantizeLinear" }) else {
      throw Failure("the model is quantised already", place: name, exitCode: .usage)
    }
    guard graph.inputs.count == 1, let input = graph.inputs.first else {
      throw Failure("it has \(graph.inputs.count) inputs where one is expected", place: name, exitCode: .usage)
    }
    guard input.shape.count == 4, let channels = input.shape[1], channels == 1 || channels == 3 else {
      throw Failure(
        "its input '\(input.name)' is neither one plane of luma, [1, 1, height, width], nor RGB, [1, 3, height, width]",
        place: name, exitCode: .usage)
    }
    self.model = model
    self.input = input.name
    self.channels = channels
  }

  /// Runs the float network over a part of a picture, at most 192 x 192 from its middle, and notes what it sees.
  ///
  /// - Parameter sample: of `channels` planes.
  public mutating func calibrate(_ sample: Sample) throws(Failure) {
    precondition(sample.samples.count == channels * sample.width * sample.height, "planes are the network's")
    let (width, height) = (min(sample.width, 192), min(sample.height, 192))
    let (left, top) = ((sample.width - width) / 2, (sample.height - height) / 2)
    var values: [Float] = []
    for plane in 0..<channels {
      for y in top..<top + height {
        let row = (plane * sample.height + y) * sample.width + left
        values += sample.samples[row..<row + width].map { Float($0) / 255 }
      }
    }
    var network = FloatNetwork(graph: graph, place: place)
    var noted: [String: [Float]] = [:]
    let picture = FloatTensor(channels: channels, height: height, width: width, values: values)
    try network.run([input: picture]) { name, tensor in
      guard name != input, noted[name] == nil else { return }
      // Enough of every picture to know the distribution, and never more memory than this.
      let step = max(1, tensor.values.count / 20_000)
      noted[name] = stride(from: 0, to: tensor.values.count, by: step).map { tensor.values[$0] }
    }
    for (name, values) in noted where seen[name, default: []].count < 2_000_000 {
      seen[name, default: []] += values
    }
  }

  /// The quantised model's file.
  ///
  /// - Throws: `Failure` with exit code 2 where no picture was seen, or the engine could not run the result.
  public func quantised(_ choice: Choice) throws(Failure) -> Data {
    var rewritten = model
    rewritten.producerName = "pipe"
    rewritten.graph.node = []
    var writer = QDQWriter(graph: rewritten.graph)
    let last = FloatNetwork.lastConvolution(of: graph)
    var pictures: Set<String> = [input]
    for (number, proto) in graph.nodes.enumerated() {
      let node = OnnxNode(proto, number: number, model: place)
      guard FloatNetwork.isConvolution(node.operation) else {
        var proto = proto
        // Tensors that are added, joined or interpolated are bytes as well, but for constants and repeats of the picture.
        let inputs = proto.input
        let tensors = node.operation == "Resize" ? Array(inputs.prefix(1)) : inputs
        if FloatNetwork.readsBytes(node), number < last, tensors.contains(where: { seen[$0] != nil }),
          tensors.allSatisfy({ seen[$0] != nil || $0 == input })
        {
          for index in tensors.indices {
            proto.input[index] = writer.activation(inputs[index], try quantisation(of: inputs[index], choice))
          }
        }
        // The picture in blocks, or enlarged, has the picture's range.
        if ["SpaceToDepth", "Resize"].contains(node.operation), inputs.first == input {
          pictures.insert(try node.output())
        }
        writer.graph.node.append(proto)
        continue
      }
      let source = try node.input(0)
      let quantisation = pictures.contains(source) ? .samples : try quantisation(of: source, choice)
      guard let weights = graph.constants[try node.input(1)], weights.shape.count == 4,
        weights.values.allSatisfy(\.isFinite)
      else { throw node.refuse("its weights are not finite constants") }
      let isTransposed = node.operation == "ConvTranspose"
      var bias: [Double]?
      if let name = node.optionalInput(2) {
        guard let tensor = graph.constants[name], tensor.values.count == weights.shape[isTransposed ? 1 : 0],
          tensor.values.allSatisfy(\.isFinite)
        else {
          throw node.refuse("its bias is not a finite constant for each output")
        }
        bias = tensor.values
      }
      writer.convolution(
        proto, source: source, quantisation, weights: weights, bias: bias, scalesOutputs: !isTransposed)
    }
    writer.dropUnused()
    rewritten.graph = writer.graph
    let data: Data
    do {
      data = try rewritten.serializedBytes()
    } catch {
      throw Failure("the model cannot be written", place: place, exitCode: .usage)
    }
    _ = try Network(bytes: data, name: place)
    return data
  }

  private func quantisation(of name: String, _ choice: Choice) throws(Failure) -> Quantisation {
    name == input ? .samples : try range(of: name, choice)
  }

  private func range(of name: String, _ choice: Choice) throws(Failure) -> Quantisation {
    guard let all = seen[name], !all.isEmpty else {
      throw Failure(
        "nothing was seen of '\(name)'", place: place, advice: "give pictures to calibrate on", exitCode: .usage)
    }
    guard all.allSatisfy(\.isFinite) else {
      throw Failure("values of '\(name)' are not finite", place: place, exitCode: .usage)
    }
    let values = all.sorted()
    let (least, most) = (values[0], values[values.count - 1])
    switch choice {
    case .percentile(let share):
      let cut = Int(Double(values.count) * (1 - min(max(share, 0.5), 1)) / 2)
      return Quantizer.quantisation(low: values[cut], high: values[values.count - 1 - cut])
    case .meanSquare:
      let some =
        stride(from: 0, to: values.count, by: max(1, values.count / 20_000)).map { values[$0] } + [least, most]
      var best = (error: Double.infinity, quantisation: Quantizer.quantisation(low: least, high: most))
      for percent in stride(from: 100, through: 30, by: -2) {
        let part = Float(percent) / 100
        let candidate = Quantizer.quantisation(low: least * part, high: most * part)
        let error = some.reduce(0.0) { total, value in
          let code = Double(candidate.code(Double(value)))
          let difference = (code - Double(candidate.zeroPoint)) * Double(candidate.scale) - Double(value)
          return total + difference * difference
        }
        if error < best.error { best = (error, candidate) }
      }
      return best.quantisation
    }
  }

  /// Codes for `low ... high`, zero among them.
  static func quantisation(low: Float, high: Float) -> Quantisation {
    let (low, high) = (min(low, 0), max(high, 0))
    let scale = max((high - low) / 255, 1e-6)
    return Quantisation(scale: scale, zeroPoint: UInt8(min(max((-low / scale).rounded(), 0), 255)))
  }
}

import Foundation

/// Writes convolutions with quantised inputs and weights into a graph.
struct QDQWriter {
  var graph: Onnx_GraphProto
  /// Dequantised tensors written so far, by the tensor they stand for.
  private var written: [String: String] = [:]

  init(graph: Onnx_GraphProto) { self.graph = graph }

  /// - Parameter scalesOutputs: whether weights have a scale for each output, which is their first index; else one.
  mutating func convolution(
    _ node: Onnx_NodeProto, source: String, _ quantisation: Quantisation, weights: OnnxTensor, bias: [Double]?,
    scalesOutputs: Bool
  ) {
    let outputs = scalesOutputs ? weights.shape[0] : 1
    let window = weights.values.count / max(outputs, 1)
    var scales: [Float] = []
    var codes: [Int8] = []
    for output in 0..<outputs {
      let row = weights.values[output * window..<(output + 1) * window]
      let scale = max(Float(row.reduce(0) { max($0, abs($1)) } / 127), 1e-9)
      scales.append(scale)
      codes += row.map { Int8(min(max(($0 / Double(scale)).rounded(.toNearestOrEven), -127), 127)) }
    }
    let name = node.output.first ?? ""
    var convolution = node
    convolution.input = [activation(source, quantisation)]
    convolution.input.append(
      constant(
        "\(name).weights", shape: weights.shape, type: 3, data: codes.map { UInt8(bitPattern: $0) }, scales: scales,
        zeroType: 3, zeroBytes: 1))
    if let bias {
      let units = scales.map { $0 * quantisation.scale }
      let integers = bias.indices.map { index in
        let unit = Double(units[scalesOutputs ? index : 0])
        return Int32(min(max((bias[index] / unit).rounded(), -0x3FFF_FFFF), 0x3FFF_FFFF))
      }
      convolution.input.append(
        constant(
          "\(name).bias", shape: [bias.count], type: 6, data: integers.flatMap { bytes($0.littleEndian) },
          scales: units,
          zeroType: 6, zeroBytes: 4))
    }
    graph.node.append(convolution)
  }

  private func bytes<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] { withUnsafeBytes(of: value) { Array($0) } }

  /// The name of a tensor once it was bytes.
  mutating func activation(_ source: String, _ quantisation: Quantisation) -> String {
    if let name = written[source] { return name }
    let scale = initialiser("\(source).scale", [], 1, bytes(quantisation.scale.bitPattern.littleEndian))
    let zero = initialiser("\(source).zero", [], 2, [quantisation.zeroPoint])
    append("QuantizeLinear", [source, scale, zero], "\(source).codes")
    append("DequantizeLinear", ["\(source).codes", scale, zero], "\(source).levels")
    written[source] = "\(source).levels"
    return "\(source).levels"
  }

  private mutating func constant(
    _ name: String, shape: [Int], type: Int32, data: [UInt8], scales: [Float], zeroType: Int32, zeroBytes: Int
  ) -> String {
    let integers = initialiser("\(name).codes", shape, type, data)
    let count = scales.count > 1 ? [scales.count] : []
    let scale = initialiser(
      "\(name).scale", count, 1, scales.flatMap { bytes($0.bitPattern.littleEndian) })
    let zero = initialiser(
      "\(name).zero", count, zeroType, .init(repeating: 0, count: scales.count * zeroBytes))
    append("DequantizeLinear", [integers, scale, zero], "\(name).levels", axis: scales.count > 1 ? 0 : nil)
    return "\(name).levels"
  }

  private mutating func initialiser(_ name: String, _ shape: [Int], _ type: Int32, _ data: [UInt8]) -> String {
    graph.initializer.append(
      .with {
        $0.name = name
        $0.dims = shape.map(Int64.init)
        $0.dataType = type
        $0.rawData = Data(data)
      })
    return name
  }

  private mutating func append(_ operation: String, _ inputs: [String], _ output: String, axis: Int64? = nil) {
    graph.node.append(
      .with {
        $0.opType = operation
        $0.name = output
        $0.input = inputs
        $0.output = [output]
        if let axis {
          $0.attribute = [
            .with {
              $0.name = "axis"
              $0.i = axis
              $0.type = 2
            }
          ]
        }
      })
  }

  /// Removes the float weights that nothing reads any more.
  mutating func dropUnused() {
    let read = Set(graph.node.flatMap(\.input))
    graph.initializer.removeAll { !read.contains($0.name) }
  }
}

import Frames

/// A node with checked access to its attributes; every failure names the operator and the node.
struct OnnxNode {
  let proto: Onnx_NodeProto
  let place: String

  init(_ proto: Onnx_NodeProto, number: Int, model: String) {
    self.proto = proto
    let name = proto.name.isEmpty ? "number \(number)" : "'\(proto.name)'"
    place = "\(model): \(proto.opType.isEmpty ? "node" : proto.opType) \(name)"
  }

  /// Its name or else its output's.
  var label: String { proto.name.isEmpty ? proto.output.first ?? "" : proto.name }

  var operation: String { proto.opType }

  func refuse(_ message: String, advice: String? = nil) -> Failure {
    Failure(message, place: place, advice: advice, exitCode: .usage)
  }

  func input(_ index: Int) throws(Failure) -> String {
    guard let name = optionalInput(index) else { throw refuse("input \(index) is missing") }
    return name
  }

  func optionalInput(_ index: Int) -> String? {
    proto.input.indices.contains(index) && !proto.input[index].isEmpty ? proto.input[index] : nil
  }

  func output() throws(Failure) -> String {
    guard let name = proto.output.first, !name.isEmpty else { throw refuse("it has no output") }
    return name
  }

  func int(_ name: String, default value: Int) throws(Failure) -> Int {
    guard let attribute = attribute(name) else { return value }
    return OnnxNode.bounded(attribute.i)
  }

  func ints(_ name: String) -> [Int]? { attribute(name)?.ints.map(OnnxNode.bounded) }

  /// No attribute means anything beyond 31 bits, and sums of such do not overflow.
  private static func bounded(_ value: Int64) -> Int { Int(min(max(value, -1 << 31), 1 << 31)) }

  func float(_ name: String, default value: Double) throws(Failure) -> Double {
    guard let attribute = attribute(name) else { return value }
    guard attribute.f.isFinite else { throw refuse("attribute '\(name)' is not finite") }
    return Double(attribute.f)
  }

  func string(_ name: String, default value: String) -> String {
    attribute(name).map { String(decoding: $0.s, as: UTF8.self) } ?? value
  }

  /// Refuses an attribute unless it is absent or has one of these values.
  func require(_ name: String, _ allowed: [Int], default value: Int) throws(Failure) {
    let found = try int(name, default: value)
    guard allowed.contains(found) else { throw refuse("attribute '\(name)' = \(found) is not supported") }
  }

  private func attribute(_ name: String) -> Onnx_AttributeProto? { proto.attribute.first { $0.name == name } }
}

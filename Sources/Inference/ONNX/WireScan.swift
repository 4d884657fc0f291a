import Foundation

/// Counts the messages of an ONNX file before it is parsed: an empty one takes two bytes there and hundreds in memory.
struct WireScan {
  private enum Kind { case model, graph, node, attribute, tensor, valueInfo, type, tensorType, shape, leaf }

  private let bytes: [UInt8]
  private let limit: Int
  private var count = 0

  /// - Returns: the number of messages, or nil where there are more than `limit`, or the bytes are no such file.
  static func messages(in data: Data, limit: Int) -> Int? {
    var scan = WireScan(bytes: [UInt8](data), limit: limit)
    return scan.walk(0..<data.count, .model) ? scan.count : nil
  }

  private init(bytes: [UInt8], limit: Int) {
    self.bytes = bytes
    self.limit = limit
  }

  private static func kind(of field: UInt64, in parent: Kind) -> Kind? {
    switch (parent, field) {
    case (.model, 7): .graph
    case (.model, 8), (.model, 14), (.shape, 1): .leaf
    case (.graph, 1): .node
    case (.graph, 5), (.attribute, 5): .tensor
    case (.graph, 11), (.graph, 12): .valueInfo
    case (.node, 1), (.node, 2), (.tensor, 1): .leaf
    case (.node, 5): .attribute
    case (.valueInfo, 2): .type
    case (.type, 1): .tensorType
    case (.tensorType, 2): .shape
    default: nil
    }
  }

  private mutating func walk(_ range: Range<Int>, _ kind: Kind) -> Bool {
    var at = range.lowerBound
    while at < range.upperBound {
      guard let tag = varint(&at, range.upperBound) else { return false }
      switch tag & 7 {
      case 0: guard varint(&at, range.upperBound) != nil else { return false }
      case 1: at += 8
      case 5: at += 4
      case 2:
        guard let length = varint(&at, range.upperBound), length <= UInt64(range.upperBound - at) else { return false }
        let end = at + Int(length)
        if let inner = WireScan.kind(of: tag >> 3, in: kind) {
          count += 1
          guard count <= limit else { return false }
          if inner != .leaf && inner != .tensor { guard walk(at..<end, inner) else { return false } }
        }
        at = end
      default: return false
      }
    }
    return at == range.upperBound
  }

  private func varint(_ at: inout Int, _ end: Int) -> UInt64? {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while at < end, shift < 64 {
      let byte = bytes[at]
      at += 1
      value |= UInt64(byte & 127) << shift
      if byte < 128 { return value }
      shift += 7
    }
    return nil
  }
}

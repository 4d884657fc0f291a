/// One operation of a content stream: its operator and what stands before it.
struct ContentOperation {
  enum Operand: Equatable {
    case number(Double)
    /// Without its slash.
    case name(String)
    /// How many bytes the string holds.
    case text(Int)
    case open, close
    case other
  }
  var name: String
  var operands: [Operand]
  /// Where it stands, operands included.
  var range: Range<Int>

  var numbers: [Double] { operands.compactMap { if case .number(let value) = $0 { value } else { nil } } }
  var firstName: String? {
    for case .name(let name) in operands { return name }
    return nil
  }
  /// Bytes of all strings among the operands.
  var textBytes: Int { operands.reduce(0) { if case .text(let count) = $1 { $0 + count } else { $0 } } }
}

/// Splits a content stream into operations. Damaged parts are passed over, never trapped on.
struct ContentTokens: Sequence, IteratorProtocol {
  private let bytes: [UInt8]
  private var at = 0
  /// Operands that one operation may have; more are dropped.
  private let operandLimit = 4096

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  mutating func next() -> ContentOperation? {
    var operands: [ContentOperation.Operand] = []
    skipSpace()
    let start = at
    while at < bytes.count {
      let operand: ContentOperation.Operand
      switch bytes[at] {
      case UInt8(ascii: "("): operand = .text(literalString())
      case UInt8(ascii: "<"):
        if at + 1 < bytes.count, bytes[at + 1] == UInt8(ascii: "<") {
          at += 2
          operand = .open
        } else {
          operand = .text(hexString())
        }
      case UInt8(ascii: ">"):
        at += at + 1 < bytes.count && bytes[at + 1] == UInt8(ascii: ">") ? 2 : 1
        operand = .close
      case UInt8(ascii: "["):
        at += 1
        operand = .open
      case UInt8(ascii: "]"):
        at += 1
        operand = .close
      case UInt8(ascii: "/"):
        at += 1
        operand = .name(name())
      case UInt8(ascii: ")"), UInt8(ascii: "{"), UInt8(ascii: "}"):
        at += 1
        operand = .other
      default:
        let word = String(decoding: regularCharacters(), as: UTF8.self)
        if let value = ContentTokens.number(word) {
          operand = .number(value)
        } else if word == "true" || word == "false" || word == "null" {
          operand = .other
        } else {
          if word == "ID" { skipInlineImage() }
          return ContentOperation(name: word, operands: operands, range: start..<at)
        }
      }
      if operands.count < operandLimit { operands.append(operand) }
      skipSpace()
    }
    return nil
  }

  // MARK: Tokens

  private static func isSpace(_ byte: UInt8) -> Bool {
    byte == 32 || byte == 10 || byte == 13 || byte == 9 || byte == 12 || byte == 0
  }
  private static func isDelimiter(_ byte: UInt8) -> Bool { "()<>[]{}/%".utf8.contains(byte) }

  private mutating func skipSpace() {
    while at < bytes.count {
      if bytes[at] == UInt8(ascii: "%") {
        while at < bytes.count, bytes[at] != 10, bytes[at] != 13 { at += 1 }
      } else if ContentTokens.isSpace(bytes[at]) {
        at += 1
      } else {
        return
      }
    }
  }

  private mutating func regularCharacters() -> ArraySlice<UInt8> {
    let start = at
    while at < bytes.count, !ContentTokens.isSpace(bytes[at]), !ContentTokens.isDelimiter(bytes[at]) { at += 1 }
    return bytes[start..<at]
  }

  private mutating func name() -> String {
    let raw = Array(regularCharacters())
    var result: [UInt8] = []
    var index = 0
    while index < raw.count {
      if raw[index] == UInt8(ascii: "#"), index + 2 < raw.count,
        let code = UInt8(String(decoding: raw[index + 1...index + 2], as: UTF8.self), radix: 16)
      {
        result.append(code)
        index += 3
      } else {
        result.append(raw[index])
        index += 1
      }
    }
    return String(decoding: result, as: UTF8.self)
  }

  private mutating func literalString() -> Int {
    var depth = 0
    var count = 0
    while at < bytes.count {
      let byte = bytes[at]
      at += 1
      if byte == UInt8(ascii: "\\") {
        at += 1
        count += 1
      } else if byte == UInt8(ascii: "(") {
        depth += 1
      } else if byte == UInt8(ascii: ")") {
        depth -= 1
        if depth == 0 { break }
      } else {
        count += 1
      }
    }
    at = Swift.min(at, bytes.count)
    return count
  }

  private mutating func hexString() -> Int {
    let start = at
    while at < bytes.count, bytes[at] != UInt8(ascii: ">") { at += 1 }
    let digits = at - start - 1
    at = Swift.min(at + 1, bytes.count)
    return (digits + 1) / 2
  }

  /// From behind `ID` to behind the `EI` that ends the image's data.
  private mutating func skipInlineImage() {
    at += 1
    while at + 1 < bytes.count {
      if bytes[at] == UInt8(ascii: "E"), bytes[at + 1] == UInt8(ascii: "I"), at > 0,
        ContentTokens.isSpace(bytes[at - 1]), at + 2 >= bytes.count || ContentTokens.isSpace(bytes[at + 2])
      {
        at += 2
        return
      }
      at += 1
    }
    at = bytes.count
  }

  private static func number(_ word: String) -> Double? {
    guard let first = word.utf8.first, "+-.0123456789".utf8.contains(first),
      word.utf8.allSatisfy({ "+-.0123456789".utf8.contains($0) })
    else { return nil }
    // Real files hold numbers such as 12.-5; readers take what comes first.
    return Double(word) ?? Double(word.prefix { $0 != "-" || word.first == "-" }) ?? 0
  }
}

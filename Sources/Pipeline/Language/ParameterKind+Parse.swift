import Foundation

/// A value as it was written, before its parameter says what it must be.
enum Written {
  /// `quoted`: a text that looks like a number stays a text.
  case scalar(String, quoted: Bool)
  case list([Written])
  case map([(String, Written)])
}

extension ParameterKind {
  /// Turns what was written into a value of this kind, or says in one phrase what is wrong with it.
  func parse(_ written: Written) -> Result<Value, Complaint> {
    switch (self, written) {
    case (.boolean, .scalar(let word, false)):
      if word == "true" { return .success(.bool(true)) }
      if word == "false" { return .success(.bool(false)) }
    case (.integer(let range), .scalar(let word, false)):
      if let value = Int(word) {
        return range.contains(value) ? .success(.int(value)) : .failure(Complaint("\(value) is out of range"))
      }
    case (.number(let range), .scalar(let word, false)):
      if let value = ParameterKind.number(word) {
        return range.contains(value) ? .success(.double(value)) : .failure(Complaint("\(word) is out of range"))
      }
    case (.numberOrAuto(let range), .scalar(let word, let quoted)):
      if word == "auto" { return .success(.string("auto")) }
      if !quoted, let value = ParameterKind.number(word) {
        return range.contains(value) ? .success(.double(value)) : .failure(Complaint("\(word) is out of range"))
      }
    case (.text, .scalar(let word, _)):
      return .success(.string(word))
    case (.choice(let words), .scalar(let word, _)):
      if words.contains(word) { return .success(.string(word)) }
      return .failure(Complaint("there is no '\(word)'" + Nearest.hint(word, in: words)))
    case (.choices(let words), .list(let items)):
      var values: [Value] = []
      for item in items {
        guard case .scalar(let word, _) = item, words.contains(word) else {
          if case .scalar(let word, _) = item {
            return .failure(Complaint("there is no '\(word)'" + Nearest.hint(word, in: words)))
          }
          return .failure(Complaint("a list of names is wanted"))
        }
        values.append(.string(word))
      }
      return .success(.list(values))
    case (.choices, .scalar):
      return parse(.list([written]))
    case (.duration, .scalar(let word, _)):
      if let seconds = ParameterKind.seconds(word) { return .success(.double(seconds)) }
    case (.pairs, .map(let pairs)):
      var values: [String: Value] = [:]
      for (name, item) in pairs {
        guard case .scalar(let word, _) = item else { return .failure(Complaint("'\(name)' wants a plain value")) }
        values[name] = .string(word)
      }
      return .success(.map(values))
    case (.pairs, .scalar(let word, _)):
      // x265's own spelling, convenient in --set: a=1:b=2
      var values: [String: Value] = [:]
      for pair in word.split(separator: ":") {
        let sides = pair.split(separator: "=", maxSplits: 1)
        values[String(sides[0])] = .string(sides.count > 1 ? String(sides[1]) : "1")
      }
      return .success(.map(values))
    default: break
    }
    return .failure(Complaint(written.phrase))
  }

  /// A finite number; Swift would also read "nan", "inf" and hexadecimal.
  static func number(_ word: String) -> Double? {
    guard word.allSatisfy({ $0.isASCII && ($0.isNumber || "+-.eE".contains($0)) }) else { return nil }
    return Double(word).flatMap { $0.isFinite ? $0 : nil }
  }

  static func seconds(_ word: String) -> Double? {
    for (suffix, scale) in [("ms", 0.001), ("s", 1), ("m", 60), ("h", 3600)] where word.hasSuffix(suffix) {
      return number(String(word.dropLast(suffix.count))).flatMap { $0 >= 0 ? $0 * scale : nil }
    }
    return number(word).flatMap { $0 >= 0 ? $0 : nil }
  }

  /// What a reader should write: "a number from 0 to 51".
  public var wanted: String {
    switch self {
    case .boolean: "true or false"
    case .integer(let range):
      range.upperBound == .max
        ? "a whole number from \(range.lowerBound)" : "a whole number from \(range.lowerBound) to \(range.upperBound)"
    case .number(let range): "a number from \(Value.double(range.lowerBound)) to \(Value.double(range.upperBound))"
    case .numberOrAuto(let range):
      "auto, or a number from \(Value.double(range.lowerBound)) to \(Value.double(range.upperBound))"
    case .text: "a text"
    case .choice(let words): "one of " + words.joined(separator: ", ")
    case .choices(let words): "a list of " + words.joined(separator: ", ")
    case .duration: "a time such as 30s, 500ms or 2m"
    case .pairs: "pairs such as { name: value }"
    }
  }
}

extension Written {
  /// How an error names it.
  var phrase: String {
    switch self {
    case .scalar(let word, true): "\"\(word)\" is a text"
    case .scalar("", false): "nothing is given"
    case .scalar(let word, false): "'\(word)' does not fit"
    case .list: "a list does not fit"
    case .map: "a mapping does not fit"
    }
  }
}

/// What is wrong with a value, without its place.
struct Complaint: Error {
  let text: String
  init(_ text: String) { self.text = text }
}

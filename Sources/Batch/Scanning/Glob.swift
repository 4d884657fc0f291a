import Foundation

/// Glob patterns on a path below an input folder; letter case is ignored.
///
/// `*` and `?` stay within a name, `**` spans folders, `[a-z]` and `[!a-z]` name characters, `{a,b}` alternatives.
/// As in a shell, a wildcard at the start of a name does not match a dot: hidden files want a pattern with one.
public struct GlobSet: Sendable {
  private var extensions: Set<String> = []
  private var patterns: [[Component]] = []

  private enum Component: Sendable, Equatable {
    case anyFolders
    case name([Token])
  }
  private enum Token: Sendable, Equatable {
    case scalar(Unicode.Scalar)
    case one
    case many
    case set([ClosedRange<Unicode.Scalar>], inverted: Bool)
  }

  public init(_ globs: [String]) {
    for glob in globs.flatMap({ Self.alternatives(Substring(Self.folded($0))) }) {
      if let suffix = Self.plainSuffix(glob) {
        extensions.insert(suffix)
      } else {
        patterns.append(
          glob.split(separator: "/").filter { $0 != "." }.map {
            $0 == "**" ? .anyFolders : .name(Self.tokens($0))
          })
      }
    }
  }

  /// - Parameter path: relative to the input folder, with `/` between names.
  public func matches(_ path: String) -> Bool {
    let names = Self.folded(path).split(separator: "/")
    guard let last = names.last else { return false }
    if !extensions.isEmpty, let dot = last.lastIndex(of: "."), dot != last.startIndex,
      extensions.contains(String(last[last.index(after: dot)...])), !names.contains(where: { $0.hasPrefix(".") })
    {
      return true
    }
    if patterns.isEmpty { return false }
    let scalars = names.map { Array($0.unicodeScalars) }
    return patterns.contains { Self.match($0[...], scalars[...]) }
  }

  /// One form for every spelling of a name: composed, lower case.
  private static func folded(_ text: String) -> String {
    // The fast path: most names are ASCII.
    text.utf8.allSatisfy { $0 < 0x80 } ? text.lowercased() : text.lowercased().precomposedStringWithCanonicalMapping
  }

  /// `mp4` of `**/*.mp4`, the pattern of nearly every pipeline, which a set answers at once.
  private static func plainSuffix(_ glob: String) -> String? {
    guard glob.hasPrefix("**/*.") else { return nil }
    let suffix = glob.dropFirst(5)
    return suffix.isEmpty || suffix.contains(where: { "*?[]/.".contains($0) }) ? nil : String(suffix)
  }

  /// Every pattern that `{a,b}` stands for; braces may nest.
  private static func alternatives(_ glob: Substring, limit: Int = 1000) -> [String] {
    guard let open = glob.firstIndex(of: "{") else { return [String(glob)] }
    var depth = 0
    var parts: [Substring] = []
    var start = glob.index(after: open)
    var index = open
    while index < glob.endIndex {
      switch glob[index] {
      case "{": depth += 1
      case "," where depth == 1:
        parts.append(glob[start..<index])
        start = glob.index(after: index)
      case "}":
        depth -= 1
        if depth == 0 {
          parts.append(glob[start..<index])
          let head = glob[..<open], tail = glob[glob.index(after: index)...]
          return Array(parts.lazy.flatMap { alternatives(head + $0 + tail) }.prefix(limit))
        }
      default: break
      }
      index = glob.index(after: index)
    }
    // A brace that is never closed is a plain character.
    return [String(glob)]
  }

  private static func tokens(_ name: Substring) -> [Token] {
    var result: [Token] = []
    let scalars = Array(name.unicodeScalars)
    var i = 0
    while i < scalars.count {
      switch scalars[i] {
      case "*": if result.last != .many { result.append(.many) }
      case "?": result.append(.one)
      case "[":
        if let (token, next) = set(scalars, from: i + 1) {
          result.append(token)
          i = next
        } else {
          result.append(.scalar("["))
        }
      default: result.append(.scalar(scalars[i]))
      }
      i += 1
    }
    return result
  }

  /// The set after a `[`, and where its `]` stands.
  private static func set(_ scalars: [Unicode.Scalar], from start: Int) -> (Token, Int)? {
    var i = start
    let inverted = i < scalars.count && (scalars[i] == "!" || scalars[i] == "^")
    if inverted { i += 1 }
    guard let end = scalars[min(i + 1, scalars.count)...].firstIndex(of: "]") else { return nil }
    var ranges: [ClosedRange<Unicode.Scalar>] = []
    while i < end {
      if i + 2 < end, scalars[i + 1] == "-", scalars[i] <= scalars[i + 2] {
        ranges.append(scalars[i]...scalars[i + 2])
        i += 3
      } else {
        ranges.append(scalars[i]...scalars[i])
        i += 1
      }
    }
    return (.set(ranges, inverted: inverted), end)
  }

  private static func match(_ pattern: ArraySlice<Component>, _ names: ArraySlice<[Unicode.Scalar]>) -> Bool {
    guard let first = pattern.first else { return names.isEmpty }
    switch first {
    case .anyFolders:
      let rest = pattern.dropFirst()
      var names = names
      while true {
        if match(rest, names) { return true }
        guard let name = names.popFirst(), name.first != "." else { return false }
        if rest.isEmpty && names.isEmpty { return true }
      }
    case .name(let tokens):
      guard let name = names.first, matchName(tokens, name) else { return false }
      return match(pattern.dropFirst(), names.dropFirst())
    }
  }

  /// Linear in pattern x name: on a mismatch only the last `*` gives way.
  private static func matchName(_ tokens: [Token], _ name: [Unicode.Scalar]) -> Bool {
    if name.first == ".", tokens.first != .scalar(".") { return false }
    var t = 0, n = 0
    var star: (t: Int, n: Int)?
    while n < name.count {
      if t < tokens.count, tokens[t] == .many {
        star = (t, n)
        t += 1
      } else if t < tokens.count, accepts(tokens[t], name[n]) {
        t += 1
        n += 1
      } else if let last = star {
        star = (last.t, last.n + 1)
        t = last.t + 1
        n = last.n + 1
      } else {
        return false
      }
    }
    return tokens[t...].allSatisfy { $0 == .many }
  }

  private static func accepts(_ token: Token, _ scalar: Unicode.Scalar) -> Bool {
    switch token {
    case .scalar(let wanted): wanted == scalar
    case .one: true
    case .many: false
    case .set(let ranges, let inverted): ranges.contains { $0.contains(scalar) } != inverted
    }
  }
}

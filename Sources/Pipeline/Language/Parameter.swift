import Foundation

/// What a parameter accepts.
public enum ParameterKind: Sendable, Hashable {
  case boolean
  case integer(ClosedRange<Int>)
  case number(ClosedRange<Double>)
  /// A number in a range, or the word `auto`.
  case numberOrAuto(ClosedRange<Double>)
  case text
  case choice([String])
  /// Several of the named choices.
  case choices([String])
  /// A time: `30s`, `500ms`, `2m`, `1h`, or plain seconds.
  case duration
  /// Free pairs of name and value, handed to a library: `{ aq-mode: 3 }`.
  case pairs
}

/// What is known of a parameter without an instance of its stage: the source of checks, manual and schema.
public struct ParameterSpec: Sendable {
  public let name: String
  /// One line: what it does.
  public let summary: String
  public let kind: ParameterKind
  /// What a number counts: `px`, `dB`, `s` …
  public let unit: String?
  public let defaultValue: Value
}

/// A number, or "find it out".
public enum Automatic: Sendable, Hashable {
  case auto
  case value(Double)
}

/// The parameters of a stage, with their defaults.
public protocol StageOptions: Sendable {
  init()
  static var parameters: [Parameter<Self>] { get }
}

/// For stages without parameters.
public struct NoOptions: StageOptions {
  public init() {}
  public static var parameters: [Parameter<NoOptions>] { [] }
}

/// The one declaration of a parameter: YAML, `--set`, `pipe stages` and the JSON Schema all come from it.
public struct Parameter<Options: StageOptions>: Sendable {
  public let spec: ParameterSpec
  let assign: @Sendable (inout Options, Value) -> Void
  let read: @Sendable (Options) -> Value

  private init(
    _ name: String, _ summary: String, _ kind: ParameterKind, unit: String? = nil,
    assign: @escaping @Sendable (inout Options, Value) -> Void, read: @escaping @Sendable (Options) -> Value
  ) {
    spec = ParameterSpec(name: name, summary: summary, kind: kind, unit: unit, defaultValue: read(Options()))
    self.assign = assign
    self.read = read
  }

  public typealias Path<T> = WritableKeyPath<Options, T> & Sendable

  public static func flag(_ name: String, _ path: Path<Bool>, _ summary: String) -> Parameter {
    Parameter(
      name, summary, .boolean,
      assign: { if case .bool(let value) = $1 { $0[keyPath: path] = value } }, read: { .bool($0[keyPath: path]) })
  }

  public static func integer(
    _ name: String, _ path: Path<Int>, _ range: ClosedRange<Int>, _ summary: String, unit: String? = nil
  ) -> Parameter {
    Parameter(
      name, summary, .integer(range), unit: unit,
      assign: { if case .int(let value) = $1 { $0[keyPath: path] = value } }, read: { .int($0[keyPath: path]) })
  }

  /// An integer that may be left out.
  public static func integer(
    _ name: String, _ path: Path<Int?>, _ range: ClosedRange<Int>, _ summary: String, unit: String? = nil
  ) -> Parameter {
    Parameter(
      name, summary, .integer(range), unit: unit,
      assign: { if case .int(let value) = $1 { $0[keyPath: path] = value } },
      read: { $0[keyPath: path].map { .int($0) } ?? .null })
  }

  public static func number(
    _ name: String, _ path: Path<Double>, _ range: ClosedRange<Double>, _ summary: String, unit: String? = nil
  ) -> Parameter {
    Parameter(
      name, summary, .number(range), unit: unit,
      assign: { if case .double(let value) = $1 { $0[keyPath: path] = value } }, read: { .double($0[keyPath: path]) })
  }

  /// A number that may be left out.
  public static func number(
    _ name: String, _ path: Path<Double?>, _ range: ClosedRange<Double>, _ summary: String, unit: String? = nil
  ) -> Parameter {
    Parameter(
      name, summary, .number(range), unit: unit,
      assign: { if case .double(let value) = $1 { $0[keyPath: path] = value } },
      read: { $0[keyPath: path].map { .double($0) } ?? .null })
  }

  public static func numberOrAuto(
    _ name: String, _ path: Path<Automatic>, _ range: ClosedRange<Double>, _ summary: String, unit: String? = nil
  ) -> Parameter {
    Parameter(
      name, summary, .numberOrAuto(range), unit: unit,
      assign: {
        if case .double(let value) = $1 { $0[keyPath: path] = .value(value) } else { $0[keyPath: path] = .auto }
      },
      read: { if case .value(let value) = $0[keyPath: path] { .double(value) } else { .string("auto") } })
  }

  public static func text(_ name: String, _ path: Path<String>, _ summary: String) -> Parameter {
    Parameter(
      name, summary, .text,
      assign: { if case .string(let value) = $1 { $0[keyPath: path] = value } }, read: { .string($0[keyPath: path]) })
  }

  /// A text that may be left out.
  public static func text(_ name: String, _ path: Path<String?>, _ summary: String) -> Parameter {
    Parameter(
      name, summary, .text,
      assign: { if case .string(let value) = $1 { $0[keyPath: path] = value } },
      read: { $0[keyPath: path].map { .string($0) } ?? .null })
  }

  public static func choice<Choice: RawRepresentable<String> & CaseIterable & Sendable>(
    _ name: String, _ path: Path<Choice>, _ summary: String
  ) -> Parameter {
    Parameter(
      name, summary, .choice(Choice.allCases.map(\.rawValue)),
      assign: {
        if case .string(let word) = $1, let value = Choice(rawValue: word) { $0[keyPath: path] = value }
      }, read: { .string($0[keyPath: path].rawValue) })
  }

  public static func choices<Choice: RawRepresentable<String> & CaseIterable & Sendable>(
    _ name: String, _ path: Path<[Choice]>, _ summary: String
  ) -> Parameter {
    Parameter(
      name, summary, .choices(Choice.allCases.map(\.rawValue)),
      assign: {
        guard case .list(let words) = $1 else { return }
        $0[keyPath: path] = words.compactMap { if case .string(let word) = $0 { Choice(rawValue: word) } else { nil } }
      }, read: { .list($0[keyPath: path].map { .string($0.rawValue) }) })
  }

  public static func duration(_ name: String, _ path: Path<Double>, _ summary: String) -> Parameter {
    Parameter(
      name, summary, .duration, unit: "s",
      assign: { if case .double(let value) = $1 { $0[keyPath: path] = value } }, read: { .double($0[keyPath: path]) })
  }

  public static func pairs(_ name: String, _ path: Path<[String: String]>, _ summary: String) -> Parameter {
    Parameter(
      name, summary, .pairs,
      assign: {
        guard case .map(let pairs) = $1 else { return }
        $0[keyPath: path] = pairs.mapValues(\.description)
      }, read: { .map($0[keyPath: path].mapValues { .string($0) }) })
  }
}

import Foundation
import Frames
import Pipeline

/// What the stages declare of themselves, as a page to read and as JSON.
public struct StageManual {
  private let registry: StageRegistry

  public init(_ registry: StageRegistry) { self.registry = registry }

  /// All stages in a line each, or one with its parameters. Throws exit code 2 where there is no such stage.
  public func text(_ name: String?) throws -> String {
    if name != nil { return try specs(name).map(page).joined(separator: "\n\n") }
    let width = registry.specs.map(\.name.count).max() ?? 0
    return registry.specs.map {
      $0.name.padding(toLength: width, withPad: " ", startingAt: 0) + "  \(Self.kind($0.role)): \($0.summary)"
    }.joined(separator: "\n")
  }

  public func json(_ name: String?) throws -> String {
    Value.list(try specs(name).map(value)).prettyJSON
  }

  /// The JSON Schema of the pipeline language.
  public func schema() -> String { JSONSchema.make(registry).prettyJSON }

  private func specs(_ name: String?) throws -> [StageSpec] {
    guard let name else { return registry.specs }
    guard let spec = registry[name] else {
      let hint = Nearest.name(to: name, in: registry.specs.map(\.name)).map { "did you mean '\($0)'?" }
      throw Failure("there is no stage '\(name)'", advice: hint ?? "see pipe stages", exitCode: .usage)
    }
    return [spec]
  }

  private func page(_ spec: StageSpec) -> String {
    var lines = ["\(spec.name) (\(Self.kind(spec.role))): \(spec.summary)"]
    for parameter in spec.parameters {
      let unit = parameter.unit.map { " [\($0)]" } ?? ""
      let main = parameter.name == spec.main ? " (may stand alone)" : ""
      lines.append("  \(parameter.name)\(main)")
      lines.append("      \(parameter.summary)")
      let preset = parameter.defaultValue == .null ? "" : "; default \(parameter.defaultValue)"
      lines.append("      \(parameter.kind.wanted)\(unit)\(preset)")
    }
    return lines.joined(separator: "\n")
  }

  private func value(_ spec: StageSpec) -> Value {
    .map([
      "name": .string(spec.name), "summary": .string(spec.summary), "role": .string(Self.kind(spec.role)),
      "main": spec.main.map { .string($0) } ?? .null,
      "parameters": .list(
        spec.parameters.map {
          .map([
            "name": .string($0.name), "summary": .string($0.summary), "accepts": .string($0.kind.wanted),
            "unit": $0.unit.map { .string($0) } ?? .null, "default": $0.defaultValue,
          ])
        }),
    ])
  }

  private static func kind(_ role: StageRole) -> String {
    switch role {
    case .source(let flow): "source of \(flow.rawValue)"
    case .filter(let flows): "filter of " + list(flows)
    case .sink(let flows): "sink of " + list(flows)
    }
  }

  private static func list(_ flows: Set<Flow>) -> String { flows.map(\.rawValue).sorted().joined(separator: " and ") }
}

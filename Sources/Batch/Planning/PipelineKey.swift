import Foundation
import Frames
import Media
import Pipeline

/// What an output depends on beside its input.
struct PipelineKey: Sendable {
  /// SHA-256 of `value`.
  let hash: String
  let value: Value

  init(_ chain: Chain) throws {
    let requirements = chain.requirements.map { Value.string("\($0.metric) \($0.condition)") }
    value = .map(["stages": try chain.normalised(), "require": .list(requirements)])
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    hash = try ContentHash.of(try encoder.encode(value))
  }

  /// The first difference from an earlier pipeline, in words: "encode.crf 22 -> 20".
  func change(from earlier: Value) -> String {
    guard case .map(let new) = value, case .map(let old) = earlier,
      case .list(let newStages)? = new["stages"], case .list(let oldStages)? = old["stages"]
    else { return "pipeline changed" }
    let names = Self.names(newStages), oldNames = Self.names(oldStages)
    if names != oldNames {
      return "stages changed: \(oldNames.joined(separator: " ")) -> \(names.joined(separator: " "))"
    }
    for (index, pair) in zip(newStages, oldStages).enumerated() where pair.0 != pair.1 {
      guard case .map(let now) = pair.0, case .map(let then) = pair.1 else { continue }
      let stage = index < names.count ? names[index] : ""
      if let difference = Self.difference(now["parameters"], then["parameters"]) {
        return "pipeline changed: \(stage).\(difference)"
      }
      if let difference = Self.difference(now["with"], then["with"], shortened: true) {
        return "changed: \(stage) \(difference)"
      }
      if let difference = Self.difference(pair.0, pair.1) { return "pipeline changed: \(difference)" }
    }
    return new["require"] != old["require"] ? "pipeline changed: require" : "pipeline changed"
  }

  private static func names(_ stages: [Value]) -> [String] {
    stages.compactMap { if case .map(let entry) = $0 { entry["stage"]?.description } else { nil } }
  }

  /// - Parameter shortened: the values are hashes, whose first digits tell enough.
  private static func difference(_ new: Value?, _ old: Value?, shortened: Bool = false) -> String? {
    var a: [String: Value] = [:], b: [String: Value] = [:]
    if case .map(let values)? = new { a = values }
    if case .map(let values)? = old { b = values }
    guard let name = Set(a.keys).union(b.keys).sorted().first(where: { a[$0] != b[$0] }) else { return nil }
    func text(_ value: Value?) -> String {
      let text = value?.description ?? "none"
      return shortened && text.utf8.count > 24 ? text.prefix(12) + "…" : text
    }
    return "\(name) \(text(b[name])) -> \(text(a[name]))"
  }
}

import Foundation
import Frames

/// A checked chain of stages and the rules for its inputs and outputs.
public struct Chain: Sendable {
  public struct ConfiguredStage: Sendable {
    public let spec: StageSpec
    public let stage: any Stage
    /// Every parameter, defaults included.
    public let values: [String: Value]
    /// Where in the file it stands, `file:line:column`, and by name where its parameters and theirs stand.
    public let place: String
    public let places: [String: String]
  }

  /// Which files of a folder are inputs: glob patterns on the path below it, case ignored.
  public struct Inputs: Sendable, Hashable {
    public var include: [String]
    public var exclude: [String]
  }

  /// A condition that an output must meet to be published.
  public struct Requirement: Sendable, Hashable {
    public var metric: String
    /// `exact`, or a comparison such as `>= 20`.
    public var condition: String
  }

  public let name: String
  public let inputs: Inputs
  /// The output's name, with `{stem}`, `{ext}`, `{name}` and `{n}`.
  public let output: String
  /// The length of the stretches that a long video is cut into, in seconds.
  public let segment: Double?
  public let requirements: [Requirement]
  public let stages: [ConfiguredStage]

  public var source: any SourceStage { stages[0].stage as! any SourceStage }
  public var filters: [any FilterStage] { stages.dropFirst().dropLast().map { $0.stage as! any FilterStage } }
  public var sink: any SinkStage { stages[stages.count - 1].stage as! any SinkStage }
  public var flow: Flow {
    if case .source(let flow) = stages[0].spec.role { flow } else { preconditionFailure("checked when read") }
  }

  /// Looks for everything that the stages need from this machine.
  public func check() throws {
    for stage in stages {
      do { try stage.stage.check() } catch var failure as Failure
        where failure.exitCode == .usage && failure.place.isEmpty
      {
        // The parameter that is complained of, where one is named.
        let words = Set(failure.message.split { !($0.isLetter || $0.isNumber || "-_".contains($0)) }.map(String.init))
        let named = stage.places.filter { words.contains($0.key) }.max {
          ($0.key.count, $1.key) < ($1.key.count, $0.key)
        }
        failure.place = named?.value ?? stage.place
        throw failure
      }
    }
  }

  /// Everything that decides the bits of an output, and nothing else: comments, order of keys and file name do not.
  public func normalised() throws -> Value {
    .list(
      try stages.map { configured in
        var entry: [String: Value] = ["stage": .string(configured.spec.name), "parameters": .map(configured.values)]
        let fingerprint = try configured.stage.fingerprint()
        if !fingerprint.isEmpty { entry["with"] = .map(fingerprint.mapValues { .string($0) }) }
        return .map(entry)
      } + [.map(["segment": segment.map { .double($0) } ?? .null])])
  }
}

import Foundation
import Frames

/// Something about an output that its user should know.
public struct Note: Sendable, Hashable, Codable, CustomStringConvertible {
  public enum Kind: String, Sendable, Hashable, Codable {
    /// Something of the source is not in the output. `--strict` makes it a failure.
    case loss
    /// It is there in another form.
    case converted
    case info
  }
  public var kind: Kind
  public var text: String

  public init(_ kind: Kind, _ text: String) { (self.kind, self.text) = (kind, text) }
  public var description: String { kind == .info ? text : "\(kind.rawValue): \(text)" }
}

/// One input on its way through a chain: where it lies, where its output goes, what it may use.
public final class Job: Sendable {
  public let input: String
  /// The final path of the output. Sinks write beside it under `part(_:)` and never touch it.
  public let output: String
  /// How many threads the job may keep busy.
  public let threads: Int
  public let strict: Bool
  public let verbose: Bool

  private let state = Locked(State())
  private struct State {
    var notes: [Note] = []
    var cancelled = false
    var beats = 0
    var findings: [String: Data] = [:]
  }

  public init(input: String, output: String, threads: Int, strict: Bool = false, verbose: Bool = false) {
    self.input = input
    self.output = output
    self.threads = max(threads, 1)
    self.strict = strict
    self.verbose = verbose
  }

  /// The temporary name of an output of this job.
  public func part(_ path: String) -> String { TemporaryName.fitting(path, suffix: ".part") }

  /// Keeps a note for the receipt and the user, once. In a strict job a loss fails the file.
  public func note(_ note: Note) throws {
    if strict, note.kind == .loss {
      throw Failure(note.text, advice: "run without --strict to accept this loss")
    }
    state.withLock { if !$0.notes.contains(note) { $0.notes.append(note) } }
  }

  public var notes: [Note] { state.withLock { $0.notes } }

  /// What stages found out about the whole input, by name: handed from the job that cuts it to those of its stretches.
  public var findings: [String: Data] { state.withLock { $0.findings } }

  public func take(_ findings: [String: Data]) { state.withLock { $0.findings.merge(findings) { $1 } } }

  /// What is known of the input under that name, or else found out now.
  public func finding<Fact: Codable>(_ name: String, _ find: () throws -> Fact) throws -> Fact {
    if let known = findings[name], let fact = try? JSONDecoder().decode(Fact.self, from: known) { return fact }
    let fact = try find()
    take([name: try JSONEncoder().encode(fact)])
    return fact
  }

  /// A sign of life. The chain gives one for each frame; a stage that works long on one frame, or on none (a flush,
  /// a verification), gives them itself, or is taken for hung.
  public func beat() { state.withLock { $0.beats &+= 1 } }
  public var beats: Int { state.withLock { $0.beats } }

  /// Asks the chain to stop as soon as it can.
  public func cancel() { state.withLock { $0.cancelled = true } }
  public var isCancelled: Bool { state.withLock { $0.cancelled } }
}

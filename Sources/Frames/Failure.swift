/// The exit codes that scripts and schedulers rely on.
public enum ExitCode: Int32, Sendable, Codable {
  case success = 0
  /// Some inputs failed; the others are done.
  case someFailed = 1
  /// The command line or the pipeline is wrong.
  case usage = 2
  /// A model, a language or a library is missing.
  case missing = 3
  /// No space or no memory.
  case exhausted = 6
  /// Stopped at a checkpoint, or another run holds the lock.
  case tryAgain = 75
  /// A second signal.
  case aborted = 130
}

/// An error that a person can act on: what went wrong, where, why, and what to do next.
public struct Failure: Error, Sendable, Hashable, Codable, CustomStringConvertible {
  /// Where: `pipeline.yml:3:5`, `clip.mp4@12.3s`, `scan.pdf page 4`; empty where the message says it.
  public var place: String
  /// What and why, in one line.
  public var message: String
  /// What to do next, as an instruction.
  public var advice: String?
  public var exitCode: ExitCode
  /// Whether a later try of the same thing may succeed (input/output, memory): bad data never does.
  public var mayPass: Bool

  public init(
    _ message: String, place: String = "", advice: String? = nil, exitCode: ExitCode = .someFailed,
    mayPass: Bool = false
  ) {
    self.place = place
    self.message = message
    self.advice = advice
    self.exitCode = exitCode
    self.mayPass = mayPass
  }

  public var description: String {
    (place.isEmpty ? "" : place + ": ") + message + (advice.map { "; " + $0 } ?? "")
  }
}

import Foundation
import Frames
import Pipeline

/// Whether and how urgently a run is to end. Set by signals, `--until`, `--fail-fast`.
public final class StopFlag: Sendable {
  public enum Level: Int, Sendable, Comparable {
    case none
    /// Begin nothing more; end at the next checkpoint.
    case checkpoint
    /// Break off.
    case now
    public static func < (a: Level, b: Level) -> Bool { a.rawValue < b.rawValue }
  }

  /// Reasons that end in an exit code of their own.
  static let failFast = "an input failed and --fail-fast is given"
  static let noSpace = "there is no room for outputs"

  private let state = Locked((level: Level.none, reason: "", since: ContinuousClock.now))
  public init() {}

  public var level: Level { state.withLock { $0.level } }
  public var reason: String { state.withLock { $0.reason } }
  /// Seconds since it was first set.
  var age: Double { state.withLock { $0.level == .none ? 0 : $0.since.duration(to: .now).seconds } }

  public func raise(_ level: Level, _ reason: String) {
    state.withLock {
      guard level > $0.level else { return }
      if $0.level == .none { $0.since = .now }
      ($0.level, $0.reason) = (level, reason)
    }
  }
}

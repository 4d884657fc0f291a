import Foundation

/// A value behind a lock.
public final class Locked<State>: @unchecked Sendable {
  // Unchecked: `state` is touched under `lock` alone.
  private let lock = NSLock()
  private var state: State
  public init(_ state: State) { self.state = state }
  public func withLock<Result>(_ body: (inout State) throws -> Result) rethrows -> Result {
    lock.lock()
    defer { lock.unlock() }
    return try body(&state)
  }
}

import Foundation
import Frames

/// The threads of one job. The first error of any of them ends them all.
final class Crew: @unchecked Sendable {
  // Unchecked: `state` is locked, the rest is constant.
  private let state = Locked((error: (any Error)?.none, seconds: [String: Double]()))
  private let group = DispatchGroup()
  private let job: Job
  private let breakOff: @Sendable () -> Void

  init(job: Job, breakOff: @escaping @Sendable () -> Void) {
    self.job = job
    self.breakOff = breakOff
  }

  func start(_ name: String, _ body: @escaping @Sendable (Meter) throws -> Void) {
    group.enter()
    let thread = Thread { [self] in
      let meter = Meter()
      do { try body(meter) } catch { fail(error) }
      state.withLock { $0.seconds[name, default: 0] += meter.seconds }
      group.leave()
    }
    thread.name = name
    // Codecs and networks keep large tables on the stack.
    thread.stackSize = 8 << 20
    thread.start()
  }

  private func fail(_ error: any Error) {
    state.withLock {
      // A broken queue is the echo of an error elsewhere, never the error itself.
      if $0.error == nil, !(error is QueueBroken) { $0.error = error }
    }
    breakOff()
  }

  /// Waits for all, then throws the first error or returns the busy seconds of each.
  func wait() throws -> [String: Double] {
    while group.wait(timeout: .now() + .milliseconds(200)) == .timedOut {
      if job.isCancelled { breakOff() }
    }
    return try state.withLock {
      if let error = $0.error { throw error }
      return $0.seconds
    }
  }
}

/// How long a thread was at work, waiting for queues left out. Used by one thread.
final class Meter {
  private(set) var seconds = 0.0
  private let clock = ContinuousClock()

  func measure<Result>(_ body: () throws -> Result) rethrows -> Result {
    let start = clock.now
    defer { seconds += start.duration(to: clock.now).seconds }
    return try body()
  }

  /// Takes the time of `body`, inside `measure`, off again.
  func pause<Result>(_ body: () throws -> Result) rethrows -> Result {
    let start = clock.now
    defer { seconds -= start.duration(to: clock.now).seconds }
    return try body()
  }
}

import Foundation
import Pipeline

/// A planned job with what has been tried already.
struct QueuedJob: Sendable {
  var job: PlannedJob
  /// Attempts that have ended.
  var attempts = 0
  /// Attempts that took their worker with them.
  var crashes = 0
  var notBefore: ContinuousClock.Instant?
}

/// The jobs that wait for a lane. Those that are to be tried again wait until their time has come.
final class JobQueue: @unchecked Sendable {
  // Unchecked: all state is touched under `condition` alone.
  private let condition = NSCondition()
  private var waiting: [QueuedJob]
  private var running = 0

  /// The longest job first, so that none of them is alone at the end.
  init(_ jobs: [PlannedJob]) {
    waiting = jobs.sorted { $0.input.identity.size > $1.input.identity.size }.map { QueuedJob(job: $0) }
    waiting.reverse()
  }

  /// The next job that may start and how many are or will be running then; nil when there is none left, or `stop`
  /// says so.
  func take(lanes: Int, stop: () -> Bool) -> (QueuedJob, active: Int)? {
    condition.lock()
    defer { condition.unlock() }
    while true {
      if waiting.isEmpty || stop() { return nil }
      let now = ContinuousClock.now
      if let index = waiting.lastIndex(where: { $0.notBefore.map { $0 <= now } ?? true }) {
        let job = waiting.remove(at: index)
        running += 1
        return (job, min(lanes, running + waiting.count))
      }
      _ = condition.wait(until: Date(timeIntervalSinceNow: 0.1))
    }
  }

  func finished() { change { running -= 1 } }

  func retry(_ job: QueuedJob) {
    change {
      running -= 1
      waiting.insert(job, at: 0)
    }
  }

  /// How many were never begun.
  var left: Int {
    condition.lock()
    defer { condition.unlock() }
    return waiting.count
  }

  private func change(_ body: () -> Void) {
    condition.lock()
    body()
    condition.broadcast()
    condition.unlock()
  }
}

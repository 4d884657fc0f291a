import Foundation
import Pipeline

/// A planned job, or a part of one, with what has been tried already.
struct QueuedJob: Sendable {
  enum Part: Sendable {
    case whole
    /// Not to be cut: it was tried, and its stretches do not fit.
    case uncut
    case segment(SegmentedJob, Int)
    case join(SegmentedJob)

    /// The job that it is a part of.
    var segmented: SegmentedJob? {
      switch self {
      case .whole, .uncut: nil
      case .segment(let job, _), .join(let job): job
      }
    }
  }

  var job: PlannedJob
  var part = Part.whole
  /// Attempts that have ended.
  var attempts = 0
  /// Attempts that took their worker with them.
  var crashes = 0
  var notBefore: ContinuousClock.Instant?
  /// Bytes of memory that it asked for, more than its share: it runs alone.
  var memory: Int?
}

/// The jobs that wait for a lane. Those that are to be tried again wait until their time has come.
final class JobQueue: @unchecked Sendable {
  // Unchecked: all state is touched under `condition` alone.
  private let condition = NSCondition()
  private var waiting: [QueuedJob]
  private var running = 0
  /// Of those that run, how many only wait for the disk: they leave room for others, and may come back yet.
  private var settling = 0
  /// The one that is running wants no other beside it.
  private var isAlone = false
  /// The most that were there at once.
  private var most: Int
  private let grows: Bool

  /// The longest job first, so that none of them is alone at the end.
  /// - Parameters:
  ///   - grows: whether a running job may fall into parts.
  ///   - weight: how long a job may take in comparison with the others.
  init(
    _ jobs: [PlannedJob], grows: Bool, weight: (PlannedJob) -> Double = { Double($0.input.identity.size) }
  ) {
    waiting = jobs.map { (job: QueuedJob(job: $0), weight: weight($0)) }.sorted { $0.weight > $1.weight }.map(\.job)
    waiting.reverse()
    (most, self.grows) = (waiting.count, grows)
  }

  /// The next job that may start and how many are or will be running then; nil when there is none left, or `stop`
  /// says so.
  /// - Parameter lanes: how many may run at once where there are so many.
  func take(lanes: (Int) -> Int, stop: () -> Bool) -> (QueuedJob, active: Int)? {
    condition.lock()
    defer { condition.unlock() }
    while true {
      if stop() || (waiting.isEmpty && settling == 0 && !(grows && running > 0)) { return nil }
      let now = ContinuousClock.now
      let limit = lanes(most)
      if running == 0 { isAlone = false }
      if running - settling < limit, !isAlone,
        let index = waiting.lastIndex(where: {
          ($0.notBefore.map { $0 <= now } ?? true) && ($0.memory == nil || running == 0)
        })
      {
        let job = waiting.remove(at: index)
        running += 1
        isAlone = job.memory != nil
        return (job, isAlone ? 1 : min(limit, running - settling + waiting.count))
      }
      _ = condition.wait(until: Date(timeIntervalSinceNow: 0.1))
    }
  }

  func finished() { change { running -= 1 } }

  /// A job's work is done, and only its output has to reach the disk: from here to `settled` it leaves room for others.
  func settles() { change { settling += 1 } }

  /// To be called after what ends the job.
  func settled() { change { settling -= 1 } }

  func retry(_ job: QueuedJob) {
    change {
      running -= 1
      waiting.insert(job, at: 0)
    }
  }

  /// Puts parts of a running job in its place, to be taken next and in their order.
  func replace(by parts: [QueuedJob]) {
    change {
      running -= 1
      waiting += parts.reversed()
      most = max(most, waiting.count + running)
    }
  }

  /// Takes back what waits of a job that was given up.
  func drop(_ job: SegmentedJob) { change { waiting.removeAll { $0.part.segmented === job } } }

  private func change(_ body: () -> Void) {
    condition.lock()
    body()
    condition.broadcast()
    condition.unlock()
  }
}

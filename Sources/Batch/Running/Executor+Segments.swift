import Foundation
import Media
import Pipeline

/// How a long input falls into stretches, and comes together again.
extension Executor {
  /// Bytes a second below which a file is taken for short without a look: what would be lost is not worth it.
  private static let leastRate = 2048.0

  func mayBeCut(_ queued: QueuedJob) -> Bool {
    guard case .whole = queued.part, let segment = options.segment else { return false }
    return Double(queued.job.input.identity.size) > segment * Self.leastRate
  }

  /// Nil where it was tried before, and its stretches do not fit.
  func segmented(_ job: PlannedJob, _ input: CutInput, _ start: ContinuousClock.Instant) throws -> SegmentedJob? {
    let folder = try SegmentStore(plan.roots[job.root], job.relativeOutput).open(
      input, path: job.input.path, pipelineKey: plan.key.hash)
    return SegmentStore.isRefused(folder) ? nil : SegmentedJob(input, folder: folder, start: start)
  }

  func parts(of segmented: SegmentedJob, _ queued: QueuedJob) -> [QueuedJob] {
    let missing = segmented.missing
    let (count, all) = (missing.count, segmented.input.segments.count)
    if count < all { observer.remark("\(queued.job.input.path): \(all - count) of \(all) segments are there already") }
    let parts = missing.isEmpty ? [.join(segmented)] : missing.map { QueuedJob.Part.segment(segmented, $0) }
    return parts.map { QueuedJob(job: queued.job, part: $0, attempts: missing.isEmpty ? queued.attempts : 0) }
  }

  func task(of queued: QueuedJob) -> JobTask {
    switch queued.part {
    case .whole, .uncut: return .whole
    case .segment(let segmented, let number):
      return .segment(
        segmented.input.segments[number], of: segmented.input.identity,
        path: SegmentStore.path(segmented.folder, number), findings: segmented.input.findings)
    case .join(let segmented):
      var input = segmented.input
      // Where they lie in the source matters no more.
      for index in input.segments.indices { input.segments[index].place = Data() }
      return .join(input, segmented.paths)
    }
  }

  /// A stretch is finished.
  func advance(_ queued: QueuedJob) {
    guard case .segment(let segmented, let number) = queued.part, segmented.finish(number) else {
      return queue.finished()
    }
    queue.replace(by: [QueuedJob(job: queued.job, part: .join(segmented))])
  }

  /// The stretches cannot be what reading in one go would give.
  func runUncut(_ queued: QueuedJob, _ reason: String) {
    guard let segmented = queued.part.segmented, segmented.giveUp() else { return queue.finished() }
    observer.remark("\(queued.job.input.path): run in one go, not in segments: \(reason)")
    SegmentStore.refuse(segmented.folder, reason)
    queue.drop(segmented)
    queue.replace(by: [QueuedJob(job: queued.job, part: .uncut)])
  }

  /// Removes what an attempt that has ended did not complete.
  func removeParts(_ queued: QueuedJob, _ publisher: Publisher) {
    publisher.removeParts()
    if case .segment(let segmented, let number) = queued.part {
      unlink(SegmentWriter.part(of: SegmentStore.path(segmented.folder, number)))
    }
  }

  func forgetSegments(_ job: PlannedJob) {
    if options.segment != nil { SegmentStore(plan.roots[job.root], job.relativeOutput).remove() }
  }
}

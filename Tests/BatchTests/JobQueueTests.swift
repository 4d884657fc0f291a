import Foundation
import Testing

@testable import Batch

/// Which job is taken when.
@Suite struct JobQueueTests {
  private let folder: URL

  init() throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "job-queue-" + UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  private func job(_ name: String, size: Int) throws -> PlannedJob {
    let path = folder.appending(path: name).path
    try Data(count: size).write(to: URL(fileURLWithPath: path))
    return PlannedJob(
      input: InputFile(path: path, relative: name, root: 0, identity: try #require(FileIdentity(path: path))), root: 0,
      relativeOutput: name, action: .run, why: "")
  }

  /// Waits for at most a fifth of a second.
  private func take(_ queue: JobQueue, lanes: Int) -> (QueuedJob, active: Int)? {
    let limit = ContinuousClock.now + .milliseconds(200)
    return queue.take(lanes: { _ in lanes }, stop: { .now > limit })
  }

  @Test func longestComesFirst() throws {
    let queue = JobQueue([try job("a", size: 1), try job("b", size: 30), try job("c", size: 2)], grows: false)
    #expect(take(queue, lanes: 3)?.0.job.relativeOutput == "b")
    #expect(take(queue, lanes: 3)?.0.job.relativeOutput == "c")
    #expect(take(queue, lanes: 3)?.0.job.relativeOutput == "a")
  }

  @Test func theHeaviestComesFirstWhateverItsSize() throws {
    let weights = ["a": 2.5, "b": 1, "c": 7]
    let queue = JobQueue([try job("a", size: 1), try job("b", size: 30), try job("c", size: 2)], grows: false) {
      weights[$0.relativeOutput] ?? 0
    }
    #expect((0..<3).map { _ in take(queue, lanes: 3)?.0.job.relativeOutput } == ["c", "a", "b"])
  }

  @Test func whatWaitsForTheDiskLeavesRoom() throws {
    let queue = JobQueue([try job("a", size: 3), try job("b", size: 2)], grows: false)
    #expect(take(queue, lanes: 1)?.active == 1)
    #expect(take(queue, lanes: 1) == nil)
    queue.settles()
    let next = take(queue, lanes: 1)
    #expect(next?.0.job.relativeOutput == "b")
    #expect(next?.active == 1)
  }

  @Test func whatFailsAtTheDiskIsTakenAgain() throws {
    let queue = JobQueue([try job("a", size: 1)], grows: false)
    let (job, _) = try #require(take(queue, lanes: 1))
    queue.settles()
    // A lane that comes now waits for how it ends.
    Thread.detachNewThread {
      Thread.sleep(forTimeInterval: 0.05)
      queue.retry(job)
      queue.settled()
    }
    #expect(take(queue, lanes: 1)?.0.job.relativeOutput == "a")
    queue.settles()
    queue.finished()
    queue.settled()
    let start = ContinuousClock.now
    #expect(take(queue, lanes: 1) == nil)
    #expect(start.duration(to: .now) < .milliseconds(100))
  }
}

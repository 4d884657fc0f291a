import Foundation
import Frames
import Pipeline
import Testing

@Suite struct ChainRunnerTests {
  private func run(_ stages: String, queue: Int = 2, job: Job? = nil) throws -> ([UInt8], JobReport) {
    let chain = try Chain(
      text: "version: 1\ninputs: { include: [\"*\"] }\noutput: \"{stem}.bin\"\nstages: \(stages)", file: "t.yml",
      registry: smallStages)
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let job = job ?? Job(input: "in", output: folder.appending(path: "out.bin").path, threads: 2)
    let report = try ChainRunner(chain, queueCapacity: queue).run(job)
    return (Array(try Data(contentsOf: URL(filePath: report.sink.files[0].part))), report)
  }

  @Test(arguments: [1, 2, 7])
  func framesKeepTheirOrderThroughQueuesOfAnyLength(queue: Int) throws {
    let (bytes, report) = try run("[count: 300, add: 2, add: 3, bytes]", queue: queue)
    #expect(bytes == (0..<300).map { UInt8(truncatingIfNeeded: $0 + 5) })
    #expect((report.framesIn, report.framesOut) == (300, 300))
    #expect(Set(report.stageSeconds.keys) == ["count", "add.1", "add.2", "bytes"])
  }

  @Test func anErrorInTheMiddleEndsTheJobWithThatError() {
    #expect(throws: Failure("thrown at 7")) {
      try run("[count: 100000, fault: { kind: throw, at: 7 }, add, bytes]")
    }
  }

  @Test func aLostFrameFailsTheJob() {
    #expect(throws: Failure("9 frames went in and 8 came out", place: "in")) {
      try run("[count: 9, fault: { kind: drop, at: 3 }, bytes]")
    }
  }

  @Test func nothingDecodedFailsTheJob() {
    #expect(throws: Failure("no picture of it could be decoded", place: "in")) { try run("[count: 0, bytes]") }
  }

  @Test func cancellingStopsSoon() throws {
    let job = Job(input: "in", output: "/nonexistent/out", threads: 1)
    DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(50)) { job.cancel() }
    let start = ContinuousClock.now
    #expect(throws: Failure("stopped", place: "in", exitCode: .tryAgain, mayPass: true)) {
      try run("[count: 1000000, add: { wait: 10ms }, bytes]", job: job)
    }
    // A run to the end would take hours.
    #expect(ContinuousClock.now - start < .seconds(60))
  }

  @Test func strictTurnsLossesIntoFailures() throws {
    let loss = Note(.loss, "a data stream is left out")
    try Job(input: "a", output: "b", threads: 1).note(loss)
    #expect(throws: Failure.self) { try Job(input: "a", output: "b", threads: 1, strict: true).note(loss) }
  }
}

import Batch
import Foundation
import Frames
import Testing

/// A fault in one file costs that file alone.
@Suite(.serialized) struct WorkerTests {
  @Test func filesGoThroughWorkers() async throws {
    let ground = try Playground()
    try ground.write("in/a.txt", "frames 3")
    try ground.write("in/deep/er/b.txt", "frames 1\nprint\nframes 1")
    let outcome = try await ground.run()
    #expect(outcome.code == .success)
    #expect(outcome.summary?.done == 2)
    #expect(ground.files("out") == ["a.raw", "deep/er/b.raw"])
    #expect(ground.bytes("out/a.raw") == (1...3).flatMap { Array(repeating: UInt8($0), count: 16) })
    #expect(ground.bytes("out/deep/er/b.raw")?.count == 32)
  }

  @Test func crashCostsItsFileAlone() async throws {
    let ground = try Playground()
    for name in ["a", "c", "d", "e"] { try ground.write("in/\(name).txt", "frames 5") }
    try ground.write("in/b.txt", "frames 2\ncrash")
    let outcome = try await ground.run()
    #expect(outcome.code == .someFailed)
    #expect(outcome.summary?.done == 4)
    #expect(outcome.failures.keys.sorted() == ["b.txt"])
    #expect(outcome.failures["b.txt"]?.message.contains("SIGSEGV") == true)
    #expect(ground.files("out") == ["a.raw", "c.raw", "d.raw", "e.raw"])
    // Twice, then no more: in this run and in the next.
    #expect(outcome.started == 6)
    let again = try await ground.run()
    #expect(again.code == .someFailed)
    #expect(again.started == 0)
    #expect(again.plan["b.txt"]?.why.contains("failed before") == true)
  }

  @Test func crashThatPassesIsTriedOnceMore() async throws {
    let ground = try Playground()
    try ground.write("in/a.txt", "frames 2\ncrash-once \(ground.path("mark"))\nframes 1")
    let outcome = try await ground.run { $0.retries = 0 }
    #expect(outcome.code == .success)
    #expect(ground.bytes("out/a.raw")?.count == 48)
  }

  @Test func silentEndIsACrash() async throws {
    let ground = try Playground()
    try ground.write("in/a.txt", "frames 2\nexit")
    let outcome = try await ground.run()
    #expect(outcome.failures["a.txt"]?.message.contains("exit 0") == true)
    #expect(ground.files("out").isEmpty)
  }

  @Test func hangIsEnded() async throws {
    let ground = try Playground()
    try ground.write("in/a.txt", "frames 2\nhang")
    try ground.write("in/b.txt", "frames 2")
    let outcome = try await ground.run { $0.stallDeadline = 1.5 }
    #expect(outcome.code == .someFailed)
    #expect(outcome.failures["a.txt"]?.message.contains("no progress") == true)
    #expect(ground.files("out") == ["b.raw"])
  }

  @Test func slowIsNoHang() async throws {
    let ground = try Playground()
    try ground.write("in/a.txt", "pause 0.4\nframes 8")
    #expect(try await ground.run { $0.stallDeadline = 1.5 }.code == .success)
  }

  @Test func memoryHasALimit() async throws {
    let ground = try Playground()
    try ground.write("in/a.txt", "frames 1\nallocate")
    try ground.write("in/b.txt", "frames 1")
    let outcome = try await ground.run { $0.retries = 0 }
    #expect(outcome.code == .exhausted)
    #expect(outcome.failures["a.txt"]?.message == "no memory")
    #expect(ground.files("out") == ["b.raw"])
  }

  @Test func passingErrorIsTriedAgain() async throws {
    let ground = try Playground()
    try ground.write("in/a.txt", "throw-once \(ground.path("mark"))\nframes 2")
    #expect(try await ground.run { $0.retries = 0 }.code == .exhausted)
    try FileManager.default.removeItem(atPath: ground.path("mark"))
    let outcome = try await ground.run { $0.retries = 1 }
    #expect(outcome.code == .success)
    #expect(outcome.started == 2)
  }

  @Test func badDataIsNotTriedAgain() async throws {
    let ground = try Playground()
    try ground.write("in/a.txt", "frames 1\nthrow")
    let outcome = try await ground.run { $0.retries = 5 }
    #expect(outcome.code == .someFailed)
    #expect(outcome.started == 1)
    #expect(outcome.failures["a.txt"]?.message == "the script said so")
  }

  @Test func lossFailsOnlyWhenStrict() async throws {
    let ground = try Playground()
    try ground.write("in/a.txt", "loss no data streams\nframes 1")
    let strict = try await ground.run { $0.strict = true }
    #expect(strict.code == .someFailed)
    #expect(strict.failures["a.txt"]?.description.contains("--strict") == true)
    #expect(ground.files("out").isEmpty)
    #expect(try await ground.run().code == .success)
  }

  @Test func inProcessGivesTheSame() async throws {
    let ground = try Playground()
    try ground.write("in/a.txt", "frames 3")
    #expect(try await ground.run { $0.inProcess = true }.code == .success)
    #expect(ground.bytes("out/a.raw")?.count == 48)
  }

  @Test func failFastLeavesTheRest() async throws {
    let ground = try Playground()
    // The larger file is begun first.
    try ground.write("in/a.txt", "throw\n" + String(repeating: "frames 1\n", count: 50))
    for name in 0..<6 { try ground.write("in/b\(name).txt", "frames 1") }
    let outcome = try await ground.run {
      $0.failFast = true
      $0.jobs = 1
    }
    #expect(outcome.code == .someFailed)
    #expect(outcome.summary?.left == 6)
  }
}

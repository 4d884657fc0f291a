import Batch
import Foundation
import Frames
import Testing

/// Real processes, real signals.
@Suite(.serialized) struct ProcessTests {
  private func start(_ ground: Playground) throws -> Process {
    try .silent(Playground.faultyPipe, [ground.path("copy.yml"), ground.path("out"), ground.path("in")])
  }

  /// Waits for `condition`, then runs `action`: on a thread of its own, since the pool that runs the tests may be busy for
  /// longer than what is waited for lasts.
  private func once(
    _ condition: @escaping @Sendable () -> Bool, _ action: @escaping @Sendable () -> Void = {}
  ) async {
    let held = await withCheckedContinuation { continuation in
      Thread.detachNewThread {
        for _ in 0..<1500 where !condition() { Thread.sleep(forTimeInterval: 0.02) }
        let met = condition()
        action()
        continuation.resume(returning: met)
      }
    }
    #expect(held)
  }

  /// Sends signals, 300 ms apart, as soon as `condition` holds.
  private func signal(
    _ process: Process, _ numbers: [Int32], when condition: @escaping @Sendable () -> Bool
  ) async {
    let identifier = process.processIdentifier
    await once(condition) {
      for number in numbers {
        kill(identifier, number)
        Thread.sleep(forTimeInterval: 0.3)
      }
    }
  }

  /// The workers of a run: its children.
  private func children(_ process: pid_t) -> [pid_t] {
    let path = "/proc/\(process)/task"
    let tasks = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    return tasks.flatMap {
      ((try? String(contentsOfFile: "\(path)/\($0)/children", encoding: .utf8)) ?? "").split(separator: " ")
        .compactMap { pid_t($0) }
    }
  }

  @Test func firstSignalStopsAtACheckpoint() async throws {
    let ground = try Playground()
    for name in 0..<14 { try ground.write("in/\(name).txt", "pause 0.1\nframes 10") }
    let process = try start(ground)
    await signal(process, [SIGINT]) { ground.exists("out/.pipe/receipts") }
    #expect(try await process.end() == 75)
    let outputs = ground.files("out")
    #expect((1..<14).contains(outputs.count))
    #expect(outputs.allSatisfy { ground.bytes("out/\($0)")?.count == 160 })
    #expect(try await ground.run().code == .success)
    #expect(ground.files("out").count == 14)
  }

  @Test func secondSignalEndsAtOnce() async throws {
    let ground = try Playground()
    try ground.write("in/a.txt", "pause 0.1\nframes 100")
    let process = try start(ground)
    // Once the run can tell that little is left of the file, the first signal lets it end.
    await signal(process, [SIGTERM, SIGTERM]) { (ground.bytes("out/a.raw.part")?.count ?? 0) > 200 }
    #expect(try await process.end() == 130)
    #expect(ground.files("out").isEmpty)
  }

  @Test func workersDieWithTheirParent() async throws {
    let ground = try Playground()
    try ground.write("in/a.txt", "pause 0.1\nframes 1000")
    let process = try start(ground)
    await once { ground.exists("out/a.raw.part") }
    let workers = children(process.processIdentifier)
    #expect(!workers.isEmpty)
    kill(process.processIdentifier, SIGKILL)
    #expect(try await process.end() == -SIGKILL)
    await once { workers.allSatisfy { kill($0, 0) != 0 || isZombie($0) } }
  }

  private func isZombie(_ process: pid_t) -> Bool {
    let status = (try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)) ?? ""
    return status.isEmpty || status.contains(") Z ")
  }

  @Test func killedWorkerIsReplaced() async throws {
    let ground = try Playground()
    for name in 0..<4 { try ground.write("in/\(name).txt", "pause 0.05\nframes 20") }
    let process = try start(ground)
    let parent = process.processIdentifier
    await once {
      ground.exists("out/0.raw.part") || ground.exists("out/1.raw.part")
    } _: {
      for worker in children(parent).prefix(1) { kill(worker, SIGKILL) }
    }
    #expect(try await process.end() == 0)
    #expect(ground.files("out").count == 4)
  }

  @Test func killedRunsAddUpToOneUndisturbedRun() async throws {
    let ground = try Playground()
    for name in 0..<12 { try ground.write("in/\(name / 4)/\(name).txt", "pause 0.01\nframes \(5 + name)") }
    try ground.write("in/bad.txt", "frames 3\nthrow")
    try ground.write("in/worse.txt", "frames 3\ncrash")
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<8 {
      let process = try start(ground)
      try await Task.sleep(for: .milliseconds(Int.random(in: 50...900, using: &generator)))
      kill(process.processIdentifier, SIGKILL)
      _ = try await process.end()
    }
    let last = try start(ground)
    #expect(try await last.end() == 1)
    _ = try await ground.run(output: "fresh")
    #expect(ground.files("out") == ground.files("fresh"))
    for file in ground.files("fresh") { #expect(ground.bytes("out/\(file)") == ground.bytes("fresh/\(file)")) }
    #expect(try await ground.run().started == 0)
  }
}

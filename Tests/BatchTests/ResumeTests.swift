import Batch
import Foundation
import Frames
import Testing

/// The same line again does exactly what is left to do.
@Suite(.serialized) struct ResumeTests {
  private func done(_ ground: Playground) async throws {
    try ground.write("in/a.txt", "frames 1")
    try ground.write("in/b.txt", "frames 2")
    #expect(try await ground.run().code == .success)
  }

  @Test func nothingIsDoneTwice() async throws {
    let ground = try Playground()
    try await done(ground)
    let again = try await ground.run()
    #expect(again.started == 0)
    #expect(again.summary?.upToDate == 2)
    #expect(try await ground.run { $0.fresh = true }.started == 2)
  }

  @Test func touchingIsNoChange() async throws {
    let ground = try Playground()
    try await done(ground)
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSince1970: 1)], ofItemAtPath: ground.path("in/a.txt"))
    #expect(try await ground.run().started == 0)
  }

  @Test func changedInputIsDoneAgain() async throws {
    let ground = try Playground()
    try await done(ground)
    try ground.write("in/a.txt", "frames 3")
    let again = try await ground.run()
    #expect(again.plan["a.txt"]?.why == "input changed")
    #expect(again.started == 1)
    #expect(ground.bytes("out/a.raw")?.count == 48)
  }

  @Test func changedParameterIsNamed() async throws {
    let ground = try Playground()
    try await done(ground)
    let again = try await ground.run { $0.settings = ["add.amount=5"] }
    #expect(again.plan["a.txt"]?.why == "pipeline changed: add.amount 1 -> 5")
    #expect(again.started == 2)
  }

  @Test func commentIsNoChange() async throws {
    let ground = try Playground()
    try await done(ground)
    try ground.write("copy.yml", "# a comment\n" + String(contentsOfFile: ground.path("copy.yml"), encoding: .utf8))
    #expect(try await ground.run().started == 0)
  }

  @Test func missingOrAlteredOutputIsMadeAgain() async throws {
    let ground = try Playground()
    try await done(ground)
    try FileManager.default.removeItem(atPath: ground.path("out/a.raw"))
    try Data(repeating: 9, count: 32).write(to: URL(filePath: ground.path("out/b.raw")))
    let again = try await ground.run()
    #expect(again.plan["a.txt"]?.why == "output missing")
    #expect(again.plan["b.txt"]?.why == "output altered")
    #expect(ground.bytes("out/b.raw")?.first == 1)
  }

  @Test func damagedReceiptIsNoEvidence() async throws {
    let ground = try Playground()
    try await done(ground)
    try ground.write("out/.pipe/receipts/a.raw.json", "{ \"format\": 1, ")
    let again = try await ground.run()
    #expect(again.plan["a.txt"]?.why == "its receipt is damaged")
    #expect(again.started == 1)
  }

  @Test func completeButUnpublishedIsOnlyRenamed() async throws {
    let ground = try Playground()
    try await done(ground)
    // As a run leaves it that is killed after the receipt and before the renaming.
    try FileManager.default.moveItem(atPath: ground.path("out/a.raw"), toPath: ground.path("out/a.raw.part"))
    let again = try await ground.run()
    #expect(again.started == 0)
    #expect(ground.files("out") == ["a.raw", "b.raw"])
  }

  @Test func remainsOfAKilledRunAreRemoved() async throws {
    let ground = try Playground()
    try ground.write("in/a.txt", "throw")
    try ground.write("out/a.raw.part", "half")
    try ground.write("out/other.raw.part", "somebody else's")
    _ = try await ground.run()
    #expect(ground.files("out") == ["other.raw.part"])
  }

  @Test func dryRunTouchesNothing() async throws {
    let ground = try Playground()
    try ground.write("in/a.txt", "frames 1")
    let outcome = try await ground.run { $0.dryRun = true }
    #expect(outcome.code == .success)
    #expect(outcome.plan["a.txt"]?.action == .run)
    #expect(!ground.exists("out"))
  }

  @Test func stopLeavesTheRest() async throws {
    let ground = try Playground()
    for name in 0..<5 { try ground.write("in/\(name).txt", "pause 0.1\nframes 10") }
    let stop = StopFlag()
    async let outcome = ground.run(stop: stop) { $0.jobs = 1 }
    await ground.appearance(of: "out/.pipe/receipts")
    stop.raise(.checkpoint, "test")
    let first = try await outcome
    #expect(first.code == .tryAgain)
    #expect((first.summary?.done ?? 0) >= 1)
    #expect((first.summary?.left ?? 0) >= 2)
    let rest = try await ground.run()
    #expect(rest.code == .success)
    #expect(rest.summary.map { $0.done + $0.upToDate } == 5)
    #expect(ground.files("out").count == 5)
  }

  @Test func abortLeavesNothingHalfDone() async throws {
    let ground = try Playground()
    try ground.write("in/a.txt", "pause 0.2\nframes 1000")
    let stop = StopFlag()
    async let outcome = ground.run(stop: stop)
    await ground.appearance(of: "out/a.raw.part")
    stop.raise(.now, "test")
    #expect(try await outcome.code == .aborted)
    #expect(ground.files("out").isEmpty)
  }
}

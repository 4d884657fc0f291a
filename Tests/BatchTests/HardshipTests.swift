import Batch
import Foundation
import Frames
import Testing

/// Disks, folders, clocks and inputs that let a run down.
@Suite(.serialized) struct HardshipTests {
  /// A small disk at `name`; false where this process may not mount one.
  private func mount(_ ground: Playground, _ name: String, _ options: String) -> Bool {
    try? FileManager.default.createDirectory(atPath: ground.path(name), withIntermediateDirectories: true)
    return (try? Tools.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", ground.path(name)])) != nil
  }

  private func unmount(_ ground: Playground, _ name: String) { _ = try? Tools.run(["umount", ground.path(name)]) }

  @Test func fullDiskIsSaidAndLeavesNothing() async throws {
    let ground = try Playground()
    guard mount(ground, "out", "size=1m") else { return }
    defer { unmount(ground, "out") }
    try ground.write("in/a.txt", "frames 10")
    try ground.write("in/b.txt", "frames 90000")
    let outcome = try await ground.run { $0.retries = 0 }
    #expect(outcome.code == .exhausted)
    #expect(outcome.failures["b.txt"]?.description.contains("No space left") == true, "\(outcome.failures)")
    #expect(ground.files("out") == ["a.raw"])
    try Tools.run(["mount", "-o", "remount,size=8m", ground.path("out")])
    let again = try await ground.run()
    #expect(again.code == .success)
    #expect(again.started == 1)
    #expect(ground.bytes("out/b.raw")?.count == 90000 * 16)
  }

  @Test func readOnlyOutputIsAUsageError() async throws {
    let ground = try Playground()
    guard mount(ground, "out", "size=1m") else { return }
    defer { unmount(ground, "out") }
    try Tools.run(["mount", "-o", "remount,ro", ground.path("out")])
    try ground.write("in/a.txt", "frames 1")
    await #expect {
      try await ground.run()
    } throws: {
      let failure = $0 as? Failure
      return failure?.exitCode == .usage && failure?.message.contains("Read-only") == true
    }
  }

  @Test func outputFolderThatGoesAwayFailsTheFileAlone() async throws {
    let ground = try Playground()
    try ground.write("in/a.txt", "pause 0.1\nframes 50")
    async let outcome = ground.run { $0.retries = 0 }
    await ground.appearance(of: "out/a.raw.part")
    try FileManager.default.removeItem(atPath: ground.path("out"))
    let first = try await outcome
    #expect(first.code == .someFailed)
    #expect(first.failures["a.txt"]?.description.contains("went away") == true, "\(first.failures)")
    let again = try await ground.run()
    #expect(again.code == .success)
    #expect(ground.files("out") == ["a.raw"])
  }

  @Test func inputThatChangesOrGoesIsNotTrusted() async throws {
    for goes in [true, false] {
      let ground = try Playground()
      try ground.write("in/a.txt", "pause 0.1\nframes 50")
      async let outcome = ground.run { $0.retries = 0 }
      await ground.appearance(of: "out/a.raw.part")
      if goes {
        try FileManager.default.removeItem(atPath: ground.path("in/a.txt"))
      } else {
        try ground.write("in/a.txt", "frames 3")
      }
      let first = try await outcome
      #expect(first.code == .someFailed)
      #expect(first.failures["a.txt"]?.description.contains("changed while it was read") == true)
      #expect(ground.files("out").isEmpty)
      if !goes {
        #expect(try await ground.run().code == .success)
        #expect(ground.bytes("out/a.raw")?.count == 48)
      }
    }
  }

  @Test func clockThatIsSetBackChangesNothing() async throws {
    let ground = try Playground()
    try ground.write("in/a.txt", "frames 1")
    let future = Date(timeIntervalSinceNow: 40_000_000)
    try FileManager.default.setAttributes([.modificationDate: future], ofItemAtPath: ground.path("in/a.txt"))
    #expect(try await ground.run().code == .success)
    // As if the run had been made in a future that the clock now denies.
    let path = ground.path("out/.pipe/receipts/a.raw.json")
    let receipt = try String(contentsOfFile: path, encoding: .utf8)
    let later = receipt.replacing(/"finished" : [0-9.]+/, with: "\"finished\" : 4102444800")
    #expect(later != receipt)
    try Data(later.utf8).write(to: URL(filePath: path))
    for file in ["out/a.raw", "out/.pipe/lock", "out/.pipe/run.json"] {
      // Times of outputs are part of what they are recognised by: only the ledger's own are changed.
      if file != "out/a.raw" {
        try FileManager.default.setAttributes([.modificationDate: future], ofItemAtPath: ground.path(file))
      }
    }
    #expect(try await ground.run().started == 0)
    try ground.write("in/a.txt", "frames 2")
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSince1970: 1000)], ofItemAtPath: ground.path("in/a.txt"))
    let changed = try await ground.run()
    #expect(changed.plan["a.txt"]?.why == "input changed")
    #expect(ground.bytes("out/a.raw")?.count == 32)
  }

  @Test func oneContentUnderTwoNamesIsTwoInputs() async throws {
    let ground = try Playground()
    try ground.write("in/a.txt", "frames 2")
    try FileManager.default.linkItem(atPath: ground.path("in/a.txt"), toPath: ground.path("in/hard.txt"))
    try FileManager.default.copyItem(atPath: ground.path("in/a.txt"), toPath: ground.path("in/copy.txt"))
    try FileManager.default.createSymbolicLink(atPath: ground.path("in/soft.txt"), withDestinationPath: "a.txt")
    #expect(try await ground.run().code == .success)
    #expect(ground.files("out") == ["a.raw", "copy.raw", "hard.raw", "soft.raw"])
    #expect(try await ground.run().started == 0)
  }

  @Test(.enabled(if: geteuid() != 0, "nothing is unreadable to root"))
  func unreadableFolderIsNamedAndTheRestDone() async throws {
    let ground = try Playground()
    try ground.write("in/a.txt", "frames 1")
    try ground.write("in/closed/b.txt", "frames 1")
    chmod(ground.path("in/closed"), 0)
    defer { chmod(ground.path("in/closed"), 0o700) }
    let outcome = try await ground.run()
    #expect(outcome.code == .someFailed)
    #expect(outcome.failures["closed"] != nil)
    #expect(ground.files("out") == ["a.raw"])
  }

  @Test func namesThatDifferInUnicodeFormStayApart() async throws {
    let ground = try Playground()
    // The same letter composed and decomposed: two files on most disks of Linux, one on others.
    try ground.write("in/\u{e4}.txt", "frames 1")
    try ground.write("in/a\u{308}.txt", "frames 2")
    try #require(try FileManager.default.contentsOfDirectory(atPath: ground.path("in")).count == 2)
    #expect(try await ground.run().code == .success)
    #expect(ground.files("out").count == 2)
    #expect(try await ground.run().started == 0)
  }

  @Test func whatCanNeverFitFailsAtOnceWithTheFigures() async throws {
    let ground = try Playground()
    try ground.write("in/a.txt", "size 30000\nframes 1")
    try ground.write("in/b.txt", "frames 1")
    let outcome = try await ground.run { $0.memory = 1 << 30 }
    #expect(outcome.code == .exhausted)
    #expect(outcome.failures["a.txt"]?.message.contains("MiB of memory, and this process may have 1024 MiB") == true)
    #expect(ground.files("out") == ["b.raw"])
  }

  @Test func whatDoesNotFitBesideOthersWaitsForThem() async throws {
    let ground = try Playground()
    try ground.write("in/a.txt", "size 10000\nframes 0")
    for name in 0..<3 { try ground.write("in/\(name).txt", "pause 0.05\nframes 10") }
    let outcome = try await ground.run { $0.memory = 2 << 30 }
    #expect(outcome.remarks.contains { $0.contains("a.txt: waits until it can run alone") }, "\(outcome.remarks)")
    #expect(ground.files("out").count == 3)
    #expect(Set(outcome.failures.keys) == ["a.txt"])
    #expect(outcome.failures["a.txt"]?.message.contains("no picture") == true)
  }

  @Test func dryRunForetellsAndLearns() async throws {
    let ground = try Playground()
    try ground.write("in/a.txt", "frames 100")
    func prediction(_ outcome: Playground.Outcome) -> Prediction? {
      for case .plan(_, _, _, _, let prediction?) in outcome.events { return prediction }
      return nil
    }
    let rough = try #require(prediction(try await ground.run { $0.dryRun = true }))
    #expect(!rough.learned)
    #expect(rough.seconds > 0 && rough.memory > 16 << 20 && rough.temporary > 0)
    #expect(try await ground.run().code == .success)
    try ground.write("in/a.txt", "frames 200")
    let learned = try #require(prediction(try await ground.run { $0.dryRun = true }))
    #expect(learned.learned)
    // 16 bytes a frame, as the receipt says.
    #expect(abs(learned.temporary - 3200) <= 1)
  }
}

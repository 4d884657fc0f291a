import Batch
import Foundation
import Frames
import Testing

/// Where outputs go, and what happens when two want the same place.
@Suite(.serialized) struct OutputTests {
  @Test func folderGoesToItsSibling() async throws {
    let ground = try Playground()
    try ground.write("in/a.txt", "frames 1")
    _ = try await ground.run(output: nil)
    #expect(ground.files("in-copy") == ["a.raw"])
  }

  @Test func fileStaysBesideItselfAndIsNoInputLater() async throws {
    let ground = try Playground()
    try ground.write(
      "copy.yml",
      try String(contentsOfFile: ground.path("copy.yml"), encoding: .utf8)
        .replacingOccurrences(of: "{stem}.raw", with: "{stem}-x.txt"))
    try ground.write("in/a.txt", "frames 1")
    _ = try await ground.run(["in/a.txt"], output: nil)
    #expect(ground.files("in") == ["a-x.txt", "a.txt"])
    let again = try await ground.run(["in/a.txt", "in/a-x.txt"], output: nil)
    #expect(again.started == 0)
    #expect(again.plan["a-x.txt"]?.why == "an output of this pipeline")
    let folder = try await ground.run(["in"])
    #expect(folder.plan["a-x.txt"]?.action == .skip)
    #expect(ground.files("out") == ["a-x.txt"])
  }

  @Test func severalFoldersKeepTheirNames() async throws {
    let ground = try Playground()
    try ground.write("one/a.txt", "frames 1")
    try ground.write("two/a.txt", "frames 1")
    _ = try await ground.run(["one", "two"])
    #expect(ground.files("out") == ["one/a.raw", "two/a.raw"])
    try ground.write("deep/one/a.txt", "frames 1")
    await #expect(throws: Failure.self) { try await ground.run(["one", "deep/one"]) }
  }

  @Test func outputInsideInputIsRefused() async throws {
    let ground = try Playground()
    try ground.write("in/a.txt", "frames 1")
    for output in ["in", "in/out", "in/x/../out", "in/not/yet/there"] {
      await #expect { try await ground.run(output: output) } throws: { ($0 as? Failure)?.exitCode == .usage }
    }
    try FileManager.default.createSymbolicLink(atPath: ground.path("alias"), withDestinationPath: ground.path("in"))
    await #expect { try await ground.run(output: "alias/o") } throws: { ($0 as? Failure)?.exitCode == .usage }
    #expect(ground.files("in") == ["a.txt"])
  }

  @Test func outputThatIsAFileIsRefused() async throws {
    let ground = try Playground()
    try ground.write("in/a.txt", "frames 1")
    try ground.write("out", "a file")
    await #expect { try await ground.run() } throws: { ($0 as? Failure)?.exitCode == .usage }
  }

  @Test func secondOfTwoGetsItsWholeName() async throws {
    let ground = try Playground()
    try ground.write("in/a.txt", "frames 1")
    try ground.write("in/a.txt2", "frames 2")
    try ground.write("in/A.txt", "frames 3")
    let outcome = try await ground.run()
    #expect(outcome.code == .success)
    #expect(ground.files("out") == ["A.raw", "a.txt.raw", "a.txt2.raw"])
    // Their names stay, whoever goes.
    try FileManager.default.removeItem(atPath: ground.path("in/A.txt"))
    #expect(try await ground.run().started == 0)
  }

  @Test func firstByReceiptKeepsTheName() async throws {
    let ground = try Playground()
    try ground.write("in/a.txt2", "frames 2")
    _ = try await ground.run()
    try ground.write("in/a.txt", "frames 1")
    #expect(try await ground.run().started == 1)
    #expect(ground.files("out") == ["a.raw", "a.txt.raw"])
    #expect(ground.bytes("out/a.raw")?.count == 32)
  }

  @Test func foreignFileIsNotOverwritten() async throws {
    let ground = try Playground()
    try ground.write("in/a.txt", "frames 1")
    try ground.write("out/a.raw", "precious")
    let outcome = try await ground.run()
    #expect(outcome.code == .someFailed)
    #expect(ground.bytes("out/a.raw") == Array("precious".utf8))
    #expect(try await ground.run { $0.fresh = true }.code == .success)
    #expect(ground.bytes("out/a.raw")?.count == 16)
  }

  @Test func longestNamesWork() async throws {
    let ground = try Playground()
    for letter in ["x", "y"] { try ground.write("in/\(String(repeating: "ä", count: 125))\(letter).txt", "frames 1") }
    let outcome = try await ground.run()
    #expect(outcome.code == .success)
    #expect(ground.files("out").count == 2)
    #expect(try await ground.run().started == 0)
  }

  @Test func oddNamesWork() async throws {
    let ground = try Playground()
    for name in ["-dash.txt", "with space.txt", "日本語/ünï.txt", "quote'\".txt", "per%cent.txt", "a:b.txt", "{stem}.txt"]
    {
      try ground.write("in put/\(name)", "frames 1")
    }
    let outcome = try await ground.run(["in put"], output: nil)
    #expect(outcome.code == .success)
    #expect(ground.files("in put-copy").count == 7)
  }

  @Test func secondRunWaitsItsTurn() async throws {
    let ground = try Playground()
    try ground.write("in/a.txt", "pause 0.1\nframes 1000")
    let stop = StopFlag()
    async let first = ground.run(stop: stop)
    await ground.appearance(of: "out/a.raw.part")
    await #expect { try await ground.run() } throws: { ($0 as? Failure)?.exitCode == .tryAgain }
    stop.raise(.now, "test")
    #expect(try await first.code == .aborted)
  }
}

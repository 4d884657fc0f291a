import Batch
import Foundation
import Frames
import Testing

@Suite struct ScanTests {
  private func scan(_ ground: Playground, _ inputs: [String] = ["in"]) throws -> Scan {
    try Scan(inputs.map(ground.path), include: ["**/*.txt"], exclude: ["**/old/**"])
  }

  @Test func treeIsSortedAndFiltered() throws {
    let ground = try Playground()
    for name in [
      "b.txt", "B.TXT", "a/z.txt", "a/old/y.txt", "c.md", ".hidden.txt", ".pipe/receipts/x.txt", "d.txt.part",
    ] {
      try ground.write("in/\(name)", "x")
    }
    #expect(try scan(ground).files.map(\.relative) == ["B.TXT", "a/z.txt", "b.txt"])
  }

  @Test func linksAreHarmless() throws {
    let ground = try Playground()
    try ground.write("in/a.txt", "x")
    try ground.write("elsewhere/b.txt", "x")
    let manager = FileManager.default
    try manager.createSymbolicLink(atPath: ground.path("in/loop"), withDestinationPath: ground.path("in"))
    try manager.createSymbolicLink(atPath: ground.path("in/out"), withDestinationPath: ground.path("elsewhere"))
    try manager.createSymbolicLink(
      atPath: ground.path("in/file.txt"), withDestinationPath: ground.path("elsewhere/b.txt"))
    try manager.createSymbolicLink(atPath: ground.path("in/dead.txt"), withDestinationPath: "nowhere")
    let scan = try scan(ground)
    #expect(scan.files.map(\.relative) == ["a.txt", "file.txt"])
    #expect(scan.problems.map { ($0.place as NSString).lastPathComponent } == ["dead.txt"])
    #expect(scan.remarks.count == 2)
  }

  @Test func fileGivenTwiceIsOneInput() throws {
    let ground = try Playground()
    try ground.write("in/a.txt", "x")
    let scan = try scan(ground, ["in/a.txt", "in", "in/../in"])
    #expect(scan.files.map(\.path) == [ground.path("in/a.txt")])
  }

  @Test func whatIsNotTakenIsToldApart() throws {
    let ground = try Playground()
    try ground.write("in/a.md", "x")
    let scan = try scan(ground, ["in/a.md"])
    #expect(scan.files.isEmpty)
    #expect(scan.unmatched.map(\.relative) == ["a.md"])
  }

  @Test func missingInputIsAUsageError() throws {
    let ground = try Playground()
    #expect { try scan(ground, ["nothing"]) } throws: { ($0 as? Failure)?.exitCode == .usage }
    #expect(mkfifo(ground.path("fifo.txt"), 0o600) == 0)
    #expect { try scan(ground, ["fifo.txt"]) } throws: { ($0 as? Failure)?.exitCode == .usage }
  }

  @Test func pipesInAFolderAreNoInputs() throws {
    let ground = try Playground()
    try ground.write("in/a.txt", "x")
    #expect(mkfifo(ground.path("in/fifo.txt"), 0o600) == 0)
    #expect(try scan(ground).files.map(\.relative) == ["a.txt"])
  }

  @Test func nameThatIsNoTextIsAProblem() throws {
    let ground = try Playground()
    try ground.write("in/a.txt", "x")
    let name = Array(ground.path("in/").utf8) + [0xFF, 0x2E, 0x74, 0x78, 0x74, 0]
    let descriptor = name.withUnsafeBytes {
      open($0.bindMemory(to: CChar.self).baseAddress!, O_CREAT | O_WRONLY, 0o600)
    }
    #expect(descriptor >= 0)
    close(descriptor)
    let scan = try scan(ground)
    #expect(scan.files.map(\.relative) == ["a.txt"])
    #expect(scan.problems.first?.message.contains("not UTF-8") == true)
  }
}

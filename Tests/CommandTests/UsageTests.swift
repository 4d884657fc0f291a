import Foundation
import Testing

/// Wrong use gives one clear line and the pinned exit code.
@Suite(.serialized) struct UsageTests {
  @Test(arguments: [
    ([], "Missing expected argument"), (["frobnicate"], "Unexpected argument 'frobnicate'"),
    (["run"], "Missing expected argument '<pipeline>'"), (["run", "transcode.yml"], "Missing expected argument"),
    (["run", "transcode.yml", "x", "--crf", "3"], "Unknown option '--crf'"),
    (["run", "transcode.yml", "x", "-j", "0"], "--jobs wants at least 1"),
    (["run", "transcode.yml", "x", "-j", "many"], "The value 'many' is invalid"),
    (["run", "transcod.yml", "x"], "there is no pipeline 'transcod.yml'; did you mean 'transcode.yml'?"),
    (["run", "./no.yml", "x"], "there is no file ./no.yml"),
    (["check", "nothing"], "there is no pipeline 'nothing'"),
    (["stages", "nothing"], "there is no stage 'nothing'"),
  ])
  func wrongUse(_ arguments: [String], _ message: String) throws {
    let command = try Command(arguments)
    if arguments.isEmpty {
      // The bare name asks for help.
      #expect(command.code == 0)
      #expect(command.output.contains("USAGE: pipe <subcommand>"))
      return
    }
    #expect(command.code == 2)
    #expect(command.output.isEmpty)
    #expect(command.error.contains(message))
    #expect(command.error.split(separator: "\n").count == 1)
  }

  @Test func anEncoderThatDoesNotOpenIsOneLineBeforeAnythingIsWritten() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "encoders-" + UUID().uuidString).path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    _ = try Command(
      words: "ffmpeg -v error -f lavfi -i testsrc2=s=64x48:d=0.2 -c:v libx264 in.mp4".split(separator: " ").map(
        String.init), folder: folder)
    let opened = try Command(["doctor"]).output.split(separator: "\n").filter { $0.contains("hardware") }
    #expect(!opened.isEmpty)
    for name in ["nvenc", "qsv", "vaapi"] where !opened.contains(where: { $0.contains("hevc_\(name)") }) {
      let refused = try Command(
        ["run", "transcode.yml", "in.mp4", "-o", "out", "--set", "encode.encoder=\(name)"], folder: folder)
      #expect(refused.code == 3 && refused.error.split(separator: "\n").count == 1)
      #expect(refused.error.contains("encoder: \(name) does not open here") && refused.error.contains("; install "))
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["in.mp4"])
    }
    // Names of one letter are names.
    try FileManager.default.createDirectory(atPath: folder + "/v", withIntermediateDirectories: true)
    try FileManager.default.moveItem(atPath: folder + "/in.mp4", toPath: folder + "/v/in.mp4")
    let auto = try Command(
      ["run", "transcode.yml", "v", "-o", "o", "--set", "encode.encoder=auto"], folder: folder)
    #expect(auto.code == 0 && FileManager.default.fileExists(atPath: folder + "/o/in.mkv"))
    let said = auto.error.components(separatedBy: "no encoder in hardware opens").count == 2
    #expect(said == opened.contains { $0.contains("none") })
  }

  @Test(arguments: [
    ("{ params: { aq-mod: 3 } }", "t.yml:7:25: libx265 does not accept", "aq-mod"),
    ("{ codec: h264, params: { aq-mod: 3 } }", "t.yml:7:38: ", "aq-mod"),
    ("{ codec: ffv1, params: { slice: 3 } }", "t.yml:7:38: ", "'slice'"),
    ("{ preset: fastish }", "t.yml:7:", "fastish"),
  ])
  func whatTheEncoderRefusesIsNamedWithItsPlace(parameters: String, beginning: String, name: String) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "places-" + UUID().uuidString).path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let head = "version: 1\nname: t\ninputs: { include: [x] }\noutput: '{stem}.mkv'\nstages:\n  - decode\n"
    let text = head + "  - encode: \(parameters)\n"
    try Data(text.utf8).write(to: URL(filePath: folder + "/t.yml"))
    let command = try Command(["check", "./t.yml"], folder: folder)
    #expect(command.code == 2 && command.output.isEmpty)
    #expect(command.error.contains(beginning) && command.error.contains(name), "\(command.error)")
    #expect(command.error.split(separator: "\n").count == 1)
  }

  @Test func helpIsForReading() throws {
    let help = try Command(["run", "--help"])
    #expect(help.code == 0)
    #expect(help.error.isEmpty)
    for option in [
      "--output", "--set", "--dry-run", "--jobs", "--threads", "--fresh", "--retries", "--fail-fast",
      "--strict", "--json", "--quiet", "--verbose", "--no-progress",
    ] { #expect(help.output.contains(option)) }
    #expect(!(try Command(["--help"]).output.contains("worker")))
  }

  @Test func workerEndsWithItsInput() throws {
    let worker = try Command(["worker"])
    #expect(worker.code == 2)
    #expect(worker.output.isEmpty)
  }
}

import Batch
import Foundation
import Frames
import Media
import Pipeline
import Testing

/// Runs that are killed with all their processes, again and again, add up to one undisturbed run.
///
/// A few kills in every test run; as many as `PIPE_SOAK_KILLS` says in `make soak`.
@Suite(.serialized) struct KillTests {
  private static let kills =
    ProcessInfo.processInfo.environment["PIPE_SOAK_KILLS"].flatMap { Int($0) } ?? 8

  /// Videos, one of them long enough for segments, pages, and files that are neither.
  private func fill(_ ground: Playground) throws {
    for (name, arguments) in [
      ("in/a/long.mkv", "-f lavfi -i testsrc2=s=320x240:r=25:d=8 -f lavfi -i sine=d=8 -g 25 -c:a aac"),
      ("in/b/one.mp4", "-f lavfi -i testsrc=s=160x120:r=10:d=2 -f lavfi -i sine=d=2 -c:a aac"),
      ("in/b/two.mp4", "-f lavfi -i testsrc2=s=128x96:r=10:d=2"),
      ("in/page.png", "-f lavfi -i testsrc=s=320x240:d=1 -frames:v 1"),
      ("in/scan.png", "-f lavfi -i testsrc2=s=200x280:d=1 -frames:v 1"),
    ] {
      try ground.write(name, "")
      try Tools.run(
        ["ffmpeg", "-v", "error", "-y"] + arguments.split(separator: " ").map(String.init) + [ground.path(name)])
    }
    let whole = try #require(ground.bytes("in/b/one.mp4"))
    try Data(whole.prefix(whole.count / 3)).write(to: URL(filePath: ground.path("in/cut off.mp4")))
    try ground.write("in/no video.mkv", "not a video\n")
    try ground.write("in/no document.pdf", "%PDF-1.4 and nothing else")
    try ground.write(
      "videos.yml",
      """
      version: 1
      name: videos
      inputs: { include: ["**/*.{mkv,mp4}"] }
      output: "{stem}.mkv"
      segment: 1s
      stages: [decode, resize: 2, encode: { preset: ultrafast }]
      """)
    try ground.write(
      "pages.yml",
      """
      version: 1
      name: pages
      inputs: { include: ["**/*.{png,pdf}"] }
      output: "{stem}.pdf"
      stages: [rasterize, ocr, document: { formats: [pdf, txt, json] }]
      """)
  }

  private func start(_ ground: Playground, _ name: String, to output: String) throws -> Process {
    try .silent(
      SegmentTests.pipe,
      ["run", ground.path(name + ".yml"), ground.path("in"), "-o", ground.path("\(output)/\(name)"), "-q", "-j", "2"])
  }

  /// Ends a run and all that it has started, at once.
  private func killTree(_ process: Process) {
    let all = [process.processIdentifier] + Tools.descendants(of: process.processIdentifier)
    for identifier in all { kill(identifier, SIGKILL) }
  }

  /// The outputs that have a receipt, with what they were at the time.
  private func receipted(_ ground: Playground) -> [String: FileIdentity] {
    var result: [String: FileIdentity] = [:]
    for name in ["videos", "pages"] {
      let folder = ground.path("out/\(name)/.pipe/receipts")
      for case let path as String in FileManager.default.enumerator(atPath: folder) ?? .init() {
        guard let data = FileManager.default.contents(atPath: folder + "/" + path),
          let receipt = try? JSONDecoder().decode(Receipt.self, from: data)
        else { continue }
        for output in receipt.outputs { result["\(name)/\(output.relative)"] = output.identity }
      }
    }
    return result
  }

  /// What an output holds: the bytes of documents, the pictures of videos.
  private func content(_ path: String) throws -> String {
    guard path.hasSuffix(".mkv") else { return try ContentHash.of(file: path) ?? "" }
    let reader = try VideoReader(path)
    var hashes = ""
    while let frame = try reader.read() { hashes += "\(frame.timestamp.value) " + (try ContentHash.of(frame.picture)) }
    return try ContentHash.of(Data(hashes.utf8))
  }

  @Test(.timeLimit(.minutes(120))) func killedRunsAddUpToOneUndisturbedRun() async throws {
    let ground = try Playground()
    try fill(ground)
    let clock = ContinuousClock.now
    for name in ["videos", "pages"] { #expect(try await start(ground, name, to: "reference").end() == 1) }
    let length = clock.duration(to: .now).seconds / 2

    for kill in 0..<Self.kills {
      // Every so often from the beginning, or there would be nothing left to kill.
      if kill % 12 == 11 { try FileManager.default.removeItem(atPath: ground.path("out")) }
      let before = receipted(ground)
      let process = try start(ground, kill % 3 == 2 ? "pages" : "videos", to: "out")
      try await Task.sleep(for: .seconds(Double.random(in: 0.02...max(length * 0.8, 0.1))))
      killTree(process)
      _ = try await process.end()
      let after = receipted(ground)
      for (output, identity) in before { #expect(after[output] == identity, "\(output) was done twice") }
    }
    for name in ["videos", "pages"] { #expect(try await start(ground, name, to: "out").end() == 1) }

    let expected = ground.files("reference")
    #expect(expected.count == 9)
    #expect(ground.files("out") == expected)
    for file in expected where ground.exists("out/" + file) {
      #expect(try content(ground.path("out/" + file)) == content(ground.path("reference/" + file)), "\(file)")
    }
    #expect(!ground.exists("out/videos/.pipe/segments"))
    // And now nothing is left to do.
    let before = receipted(ground)
    for name in ["videos", "pages"] { #expect(try await start(ground, name, to: "out").end() == 1) }
    #expect(receipted(ground) == before)
  }
}

/// Programs that tests call.
enum Tools {
  /// What it prints, errors too.
  @discardableResult
  static func run(_ command: [String]) throws -> String {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = command
    let output = Foundation.Pipe()
    process.standardOutput = output
    process.standardError = output
    process.standardInput = FileHandle.nullDevice
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw Failure("\(command.joined(separator: " ")): \(text)") }
    return text
  }

  static func descendants(of process: pid_t) -> [pid_t] {
    let path = "/proc/\(process)/task"
    let tasks = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    let children = tasks.flatMap {
      ((try? String(contentsOfFile: "\(path)/\($0)/children", encoding: .utf8)) ?? "").split(separator: " ")
        .compactMap { pid_t($0) }
    }
    return children + children.flatMap { descendants(of: $0) }
  }
}

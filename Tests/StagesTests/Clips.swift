import Foundation
import Frames
import Media
import Pipeline
import Testing

@testable import Stages

/// A folder of small clips that `ffmpeg` makes, and chains of stages that are run on them.
final class Clips {
  let folder: URL

  init() throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "stages-tests-" + UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  func path(_ name: String) -> String { folder.appending(path: name).path }

  /// Runs `ffmpeg` with arguments that hold no spaces; the path of what it made.
  @discardableResult
  func make(_ name: String, _ arguments: String...) throws -> String {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments =
      ["ffmpeg", "-v", "error", "-y"] + arguments.flatMap { $0.split(separator: " ").map(String.init) } + [path(name)]
    process.standardInput = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0, "ffmpeg \(arguments)")
    return path(name)
  }

  /// Runs a chain written as a YAML list; its report and the path of its first output.
  func run(_ stages: String, _ input: String, to name: String) throws -> (report: JobReport, output: String) {
    let chain = try Chain(
      text: "version: 1\ninputs: { include: [\"*\"] }\noutput: \"{stem}.mkv\"\nstages: \(stages)", file: "t.yml",
      registry: builtinStages)
    try chain.check()
    let report = try ChainRunner(chain).run(Job(input: input, output: path(name), threads: 2))
    return (report, report.sink.files[0].part)
  }

  static func frames(_ path: String) throws -> [Frame] {
    let reader = try VideoReader(path)
    var result: [Frame] = []
    while let frame = try reader.read() { result.append(frame) }
    return result
  }
}

extension Picture {
  /// Samples of one plane, row by row.
  func samples(_ plane: Int = 0) -> [Int] {
    withPlanes { planes in
      let source = planes[plane]
      return (0..<source.height).flatMap { y in
        format.depth > 8
          ? (0..<source.width).map { Int(source.row(y, as: UInt16.self)[$0]) }
          : (0..<source.width).map { Int(source.row(y, as: UInt8.self)[$0]) }
      }
    }
  }

  /// Mean absolute difference of luma.
  func distance(_ other: Picture) -> Double {
    let (a, b) = (samples(), other.samples())
    return Double(zip(a, b).reduce(0) { $0 + abs($1.0 - $1.1) }) / Double(max(a.count, 1))
  }

  /// How far lines stand out from both of their neighbours where those two agree, per sample of luma: some tenths for
  /// a picture with detail, many times as much where two moments are woven together.
  var combing: Double {
    let luma = samples()
    var sum = 0
    for y in 1..<height - 1 {
      for x in 0..<width {
        let (a, b, c) = (luma[(y - 1) * width + x], luma[y * width + x], luma[(y + 1) * width + x])
        sum += max(0, min(abs(b - a), abs(b - c)) - abs(a - c))
      }
    }
    return Double(sum) / Double(luma.count)
  }
}

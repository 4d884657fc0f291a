import Foundation
import Frames
import Testing

@testable import Media

/// A folder of its own for each test, gone when the test is.
final class Scratch {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory.appending(path: "media-tests-" + UUID().uuidString)
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  func path(_ name: String) -> String { url.appending(path: name).path }

  func write(_ text: String, _ name: String) throws -> String {
    try Data(text.utf8).write(to: URL(filePath: path(name)))
    return path(name)
  }
}

/// Debian's own `ffmpeg` and `ffprobe`: makers of test media, and judges that know nothing of this code.
enum Tool {
  @discardableResult
  static func run(_ name: String, _ arguments: [String]) throws -> String {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [name] + arguments
    let output = Foundation.Pipe()
    process.standardOutput = output
    process.standardInput = FileHandle.nullDevice
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw Failure("\(name) \(arguments.joined(separator: " ")) failed") }
    return String(decoding: data, as: UTF8.self)
  }

  static func ffmpeg(_ arguments: String..., to path: String) throws {
    try run("ffmpeg", ["-v", "error", "-y"] + arguments.flatMap { $0.split(separator: " ").map(String.init) } + [path])
  }

  /// Values that ffprobe prints for a stream, one a line.
  static func probe(_ path: String, _ stream: String, _ entries: String) throws -> [String] {
    try run("ffprobe", ["-v", "error", "-select_streams", stream, "-show_entries", entries, "-of", "csv=p=0", path])
      .split(separator: "\n").map { $0.trimmingCharacters(in: CharacterSet(charactersIn: ",")) }.filter { !$0.isEmpty }
  }
}

/// Reads all of `source` and writes it with `settings`; what is to be said about it.
@discardableResult
func transcode(_ source: String, to target: String, _ settings: WriterSettings) throws -> [MediaNote] {
  let reader = try VideoReader(source, threads: 2)
  let writer = try VideoWriter(target, settings, streams: reader.streams, companionsOf: source)
  while let frame = try reader.read() { try writer.write(frame) }
  _ = try writer.finish()
  return reader.notes + writer.notes
}

extension WriterSettings {
  static func fast(_ container: Container, codec: EncoderSettings.Codec = .hevc) -> WriterSettings {
    WriterSettings(
      encoder: EncoderSettings(
        codec: codec, preset: codec == .ffv1 ? nil : "ultrafast", crf: codec == .ffv1 ? nil : 20, threads: 2),
      container: container)
  }
}

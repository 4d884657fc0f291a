import Foundation
import Testing

/// Flashes and beeps, seen and heard in what `pipe run` writes: how far apart they are must not change.
@Suite struct SoundTests {
  private let folder: URL

  init() throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "sound-tests-" + UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  private func tool(_ name: String, _ arguments: [String]) throws -> Data {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [name, "-v", "error"] + arguments
    let output = Foundation.Pipe()
    process.standardOutput = output
    process.standardInput = FileHandle.nullDevice
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0, "\(name) \(arguments)")
    return data
  }

  /// When each flash and each beep begins, in seconds of the file's own clock.
  private func events(_ path: String) throws -> (flashes: [Double], beeps: [Double]) {
    func numbers(_ arguments: [String]) throws -> [Double] {
      String(decoding: try tool("ffprobe", arguments + ["-of", "csv=p=0", path]), as: UTF8.self)
        .split { ",\n".contains($0) }.compactMap { Double($0) }
    }
    let start = try numbers(["-show_entries", "format=start_time"]).first ?? 0
    let times = try numbers(["-select_streams", "v:0", "-show_entries", "frame=best_effort_timestamp_time"])
    let light = try tool(
      "ffmpeg",
      ["-i", path, "-map", "0:v:0", "-vf", "scale=1:1:flags=area,format=gray", "-vsync", "passthrough"]
        + ["-f", "rawvideo", "-"])
    try #require(light.count == times.count)
    let sound = try tool(
      "ffmpeg", ["-i", path, "-map", "0:a:0", "-af", "aresample=48000:first_pts=0", "-ac", "1", "-f", "s16le", "-"])
    let samples = sound.withUnsafeBytes { Array($0.bindMemory(to: Int16.self)) }
    var (flashes, beeps, quiet): ([Double], [Double], Int) = ([], [], 24000)
    for (index, value) in light.enumerated() where value > 128 && (index == 0 || light[index - 1] <= 128) {
      flashes.append(times[index] - start)
    }
    for (index, sample) in samples.enumerated() {
      if abs(Int(sample)) > 8000 {
        if quiet >= 24000 { beeps.append(Double(index) / 48000) }
        quiet = 0
      } else {
        quiet += 1
      }
    }
    return (flashes, beeps)
  }

  @Test(arguments: ["cfr", "vfr"], ["mkv", "mp4"])
  func flashesAndBeepsStayTogether(timing: String, container: String) throws {
    let source = folder.appending(path: "in.mp4").path
    // Irregular frames, among them each that flashes and the one after it.
    let select =
      timing == "cfr" ? "1" : "between(mod(t,1),0.37,0.45)+not(mod(n,3))+not(mod(n,7))"
    _ = try tool(
      "ffmpeg",
      [
        "-y", "-f", "lavfi", "-i",
        "color=black:s=64x64:r=50:d=6,drawbox=c=white:t=fill:enable='between(mod(t,1),0.39,0.43)'",
      ]
        + ["-f", "lavfi", "-i", "aevalsrc='if(between(mod(t,1),0.4,0.44),sin(6283*t),0)':s=48000:d=6"]
        + ["-vf", "select='\(select)'", "-vsync", "vfr", "-c:v", "libx264"]
        + ["-g", "40", "-c:a", "aac", source])
    let pipeline = folder.appending(path: "t.yml")
    try """
    version: 1
    name: t
    inputs: { include: ["*.mp4"] }
    output: "{stem}-2x.\(container)"
    segment: 2s
    stages: [decode, resize: 2, encode: { preset: ultrafast }]
    """.write(to: pipeline, atomically: true, encoding: .utf8)
    let output = folder.appending(path: "out")
    let run = try Command(["run", pipeline.path, source, "-o", output.path, "-q", "-j", "1", "--threads", "2"])
    try #require(run.code == 0, "\(run.error)")
    let receipt = try String(
      contentsOf: output.appending(path: ".pipe/receipts/in-2x.\(container).json"), encoding: .utf8)
    let segments = try #require(receipt.firstMatch(of: /"segments" ?: ?([0-9]+)/)?.1)
    #expect(Int(segments) ?? 0 > 1, "it is cut and joined")
    let (before, after) = (try events(source), try events(output.appending(path: "in-2x.\(container)").path))
    #expect(before.flashes.count == 6 && before.beeps.count == 6)
    #expect(after.flashes.count == 6 && after.beeps.count == 6)
    for index in 0..<min(after.flashes.count, after.beeps.count, 6) {
      let apart = (before.flashes[index] - before.beeps[index], after.flashes[index] - after.beeps[index])
      #expect(abs(apart.0 - apart.1) < 0.001, "event \(index): \(apart)")
    }
  }
}

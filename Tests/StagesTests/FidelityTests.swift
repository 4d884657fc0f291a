import Foundation
import Frames
import Media
import Pipeline
import Testing

@testable import Stages

/// What arrives of each property of each test clip: the matrix of `docs/FIDELITY.md`, and beside it what the `ffmpeg`
/// command keeps. Minutes long: it runs where `PIPE_FIDELITY` names the file to write.
@Suite(.serialized) struct FidelityTests {
  static let data =
    ProcessInfo.processInfo.environment["PIPE_TEST_DATA"]
    ?? URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../../shared/data").standardized.path
  static let target = ProcessInfo.processInfo.environment["PIPE_FIDELITY"]

  @Test(.enabled(if: target != nil, "PIPE_FIDELITY names no file"))
  func everyPropertyOfEveryClipIsKeptConvertedOrNamed() throws {
    let root = URL(filePath: FidelityTests.data).appending(path: "video")
    let scratch = FileManager.default.temporaryDirectory.appending(path: "fidelity-" + UUID().uuidString)
    try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: scratch) }
    var rows: [(clip: String, ours: [Verdict], theirs: [Verdict])] = []
    var left: [String] = []
    let all = FileManager.default.enumerator(atPath: root.path)?.allObjects as? [String] ?? []
    for name in all.sorted() where !name.hasSuffix(".md") {
      let clip = root.appending(path: name).path
      var isFolder: ObjCBool = false
      guard FileManager.default.fileExists(atPath: clip, isDirectory: &isFolder), !isFolder.boolValue else { continue }
      guard let before = Facts(clip), before.frames > 0 else { continue }
      // Properties depend neither on length nor on size.
      guard before.pixels < 2_000_000_000 else {
        left.append(name)
        continue
      }
      let scale = before.pixels < 20_000_000 ? "2" : "0.5"
      let ours = scratch.appending(path: "ours.mkv").path
      try? FileManager.default.removeItem(atPath: ours + ".part")
      let notes = try? pipe(clip, ours, scale)
      let theirs = scratch.appending(path: "theirs.mkv").path
      try? FileManager.default.removeItem(atPath: theirs)
      ffmpeg(clip, theirs, scale)
      let after = notes.flatMap { _ in Facts(ours + ".part") }
      rows.append((name, before.verdicts(after, notes ?? []), before.verdicts(Facts(theirs), [])))
      let wrong = zip(Facts.properties, rows[rows.count - 1].ours).filter { $1 == .lost || $1 == .nothing }.map(\.0)
      print(name, wrong.isEmpty ? "" : "LOST \(wrong)", (notes ?? []).map(\.description))
    }
    try #require(!rows.isEmpty, "no clips in \(root.path); PIPE_TEST_DATA names the folder that holds video/")
    try FidelityTests.document(rows, left).write(toFile: FidelityTests.target!, atomically: true, encoding: .utf8)
    for row in rows {
      for (property, verdict) in zip(Facts.properties, row.ours) {
        #expect(verdict != .lost && verdict != .nothing, "\(row.clip): \(property)")
      }
    }
  }

  private func pipe(_ clip: String, _ output: String, _ scale: String) throws -> [Note] {
    let chain = try Chain(
      text: """
        version: 1
        inputs: { include: ["*"] }
        output: "{stem}.mkv"
        stages: [decode, resize: { scale: \(scale), filter: bilinear }, encode: { preset: ultrafast, crf: 20 }]
        """, file: "fidelity.yml", registry: builtinStages)
    return try ChainRunner(chain).run(Job(input: clip, output: output, threads: 2)).notes
  }

  private func ffmpeg(_ clip: String, _ output: String, _ scale: String) {
    _ = Command.run(
      "ffmpeg",
      [
        "-v", "quiet", "-y", "-i", clip, "-vf", "scale=iw*\(scale):ih*\(scale):flags=bilinear", "-c:v", "libx265",
        "-preset", "ultrafast",
      ]
        + ["-x265-params", "log-level=none", "-map", "0", "-c:a", "copy", "-c:s", "copy", output])
  }

  private static func document(
    _ rows: [(clip: String, ours: [Verdict], theirs: [Verdict])], _ left: [String]
  ) -> String {
    var text = """
      # Fidelity

      What arrives in the output of `decode, resize, encode` (HEVC in Matroska), for each property of each test clip,
      read back by ffprobe. `make fidelity` writes this page.
      The second line of each clip is what `ffmpeg -i IN -vf scale=iw*2:ih*2 -c:v libx265 -map 0 -c:a copy -c:s copy`
      keeps of it. Large clips are made smaller instead of larger, by both.

      ✓ kept · c converted, and said so · n lost, and named · ✗ lost without a word · – the clip has none · ∅ no output

      """
    text += "\n| clip | by | " + Facts.properties.joined(separator: " | ") + " |\n"
    text += "|---|---|" + Facts.properties.map { _ in "---|" }.joined() + "\n"
    for row in rows {
      text += "| \(row.clip) | pipe | " + row.ours.map(\.rawValue).joined(separator: " | ") + " |\n"
      text += "| | ffmpeg | " + row.theirs.map(\.rawValue).joined(separator: " | ") + " |\n"
    }
    func tally(_ verdicts: [[Verdict]]) -> String {
      let all = verdicts.flatMap { $0 }
      return [Verdict.kept, .converted, .named, .lost, .nothing].map { kind in
        "\(kind.rawValue) \(all.filter { $0 == kind }.count)"
      }
      .joined(separator: ", ")
    }
    text += "\nIn all \(rows.count) clips: pipe \(tally(rows.map(\.ours))); ffmpeg \(tally(rows.map(\.theirs))).\n"
    if !left.isEmpty { text += "\nLeft out for their length: \(left.joined(separator: ", ")).\n" }
    return text
  }
}

enum Verdict: String { case kept = "✓", converted = "c", named = "n", lost = "✗", none = "–", nothing = "∅" }

enum Command {
  static func run(_ name: String, _ arguments: [String]) -> Data? {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [name] + arguments
    let output = Foundation.Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    process.standardInput = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return nil }
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return data
  }
}

/// What ffprobe reads of a file.
private struct Facts {
  static let properties = [
    "frames", "times", "audio sync", "video", "audio", "subtitles", "attachments", "data", "chapters", "tags",
    "rotation",
    "fields", "pixel shape", "range", "matrix", "primaries", "transfer", "HDR", "depth",
  ]
  let streams: [[String: Any]]
  let chapters: Int
  let tags: [String: String]
  let videoTimes: [Double]
  let audioTimes: [Double]
  let frameSide: String
  var frames: Int { videoTimes.count }

  init?(_ path: String) {
    func probe(_ arguments: [String]) -> [String: Any]? {
      Command.run("ffprobe", ["-v", "quiet", "-of", "json"] + arguments + [path])
        .flatMap { try? JSONSerialization.jsonObject(with: $0) as? [String: Any] }
    }
    guard let whole = probe(["-show_streams", "-show_format", "-show_chapters", "-count_packets"]),
      let streams = whole["streams"] as? [[String: Any]]
    else { return nil }
    self.streams = streams
    chapters = (whole["chapters"] as? [Any])?.count ?? 0
    tags = ((whole["format"] as? [String: Any])?["tags"] as? [String: String]) ?? [:]
    func times(_ stream: String, _ kind: String, _ field: String) -> [Double] {
      let list =
        probe(["-select_streams", stream, "-show_entries", "\(kind)=\(field)"])?[kind + "s"] as? [[String: Any]]
      return (list ?? []).map { ($0[field] as? String).flatMap(Double.init) ?? .nan }
    }
    videoTimes = times("v:0", "frame", "best_effort_timestamp_time")
    audioTimes = times("a:0", "packet", "pts_time").filter { !$0.isNaN }
    let first = Command.run(
      "ffprobe", ["-v", "quiet", "-select_streams", "v:0", "-show_frames", "-read_intervals", "%+#1", path])
    frameSide = first.map { String(decoding: $0, as: UTF8.self) } ?? ""
  }

  private func count(_ kind: String) -> Int {
    streams.filter {
      $0["codec_type"] as? String == kind && (kind == "attachment" || ($0["nb_read_packets"] as? String ?? "0") != "0")
    }.count
  }

  private var video: [String: Any] { streams.first { $0["codec_type"] as? String == "video" } ?? [:] }
  private func text(_ key: String) -> String? {
    let value = video[key] as? String
    return value == "unknown" || value == "reserved" || value == "0:1" ? nil : value
  }
  /// Pixels of all frames together.
  var pixels: Int { frames * (video["width"] as? Int ?? 0) * (video["height"] as? Int ?? 0) }
  private var rotation: Int? {
    (video["side_data_list"] as? [[String: Any]])?.compactMap { $0["rotation"] as? Int }.first
  }
  private var mirrored: Bool {
    let matrix = (video["side_data_list"] as? [[String: Any]])?.compactMap { $0["displaymatrix"] as? String }.first
    return matrix != nil
  }
  private var depth: Int {
    let format = video["pix_fmt"] as? String ?? ""
    return format.contains("12") && !format.hasSuffix("nv12") ? 12 : format.contains("10") ? 10 : 8
  }
  private var light: [String] {
    frameSide.split(separator: "\n").filter { $0.contains("max_luminance") || $0.contains("max_content") }.map(
      String.init)
  }

  /// One verdict a property: `after` against this, with what was said.
  func verdicts(_ after: Facts?, _ notes: [Note]) -> [Verdict] {
    guard let after, after.frames > 0 else { return Facts.properties.map { _ in .nothing } }
    func said(_ word: String) -> Verdict {
      if let note = notes.first(where: { $0.text.contains(word) }) { return note.kind == .loss ? .named : .converted }
      return .lost
    }
    func judge(_ has: Bool, _ kept: Bool, _ word: String) -> Verdict { !has ? .none : kept ? .kept : said(word) }
    func streams(_ kind: String, _ word: String) -> Verdict {
      let (a, b) = (count(kind), after.count(kind))
      if a == 0 { return .none }
      if b < a { return said(word) }
      let changed = notes.contains { $0.kind == .converted && $0.text.hasPrefix(word) }
      return changed ? .converted : .kept
    }
    func same(_ key: String) -> Verdict { judge(text(key) != nil, text(key) == after.text(key), key) }
    let period = frames > 1 ? abs(videoTimes[frames - 1] - videoTimes[0]) / Double(frames - 1) : 0.04
    // Matroska counts milliseconds. Frames without a time cannot be compared.
    let start = videoTimes.first { !$0.isNaN } ?? 0
    let newStart = after.videoTimes.first { !$0.isNaN } ?? 0
    let timed = zip(videoTimes, after.videoTimes).filter { !$0.0.isNaN }
    let onTime =
      after.frames == frames && timed.allSatisfy { abs(($0.0 - start) - ($0.1 - newStart)) <= min(0.0011, period) }
    var sync = Verdict.none
    if let a = audioTimes.last, let b = after.audioTimes.last {
      sync = abs((a - start) - (b - newStart)) <= 0.0025 ? .kept : said("audio")
    }
    let wanted = tags.filter {
      !["major_brand", "minor_version", "compatible_brands", "encoder", "duration"].contains($0.key.lowercased())
    }
    let found = Dictionary(after.tags.map { ($0.key.lowercased(), $0.value) }) { $1 }
    let tagsKept = wanted.allSatisfy { found[$0.key.lowercased()] != nil }
    var data = judge(count("data") > 0, after.count("data") >= count("data"), "data stream")
    if data == .lost { data = said("timecode") }
    // MP4 keeps the names of its chapters in a track, which other containers need not have.
    if data == .lost, chapters > 0, after.chapters >= chapters { data = .converted }
    return [
      after.frames == frames ? .kept : said("frames"),
      onTime ? .kept : said("time"),
      sync,
      streams("video", "video stream"), streams("audio", "audio stream"), streams("subtitle", "subtitle stream"),
      streams("attachment", "attachment"),
      data,
      judge(chapters > 0, after.chapters >= chapters, "chapter"),
      judge(!wanted.isEmpty, tagsKept, "tag"),
      judge(rotation != nil, rotation == after.rotation && mirrored == after.mirrored, "display matrix"),
      judge(
        text("field_order").map { $0 != "progressive" } ?? false, text("field_order") == after.text("field_order"),
        "interlaced"),
      same("sample_aspect_ratio"), same("color_range"), same("color_space"), same("color_primaries"),
      same("color_transfer"), judge(!light.isEmpty, light == after.light, "light"),
      depth <= after.depth ? .kept : said("bits"),
    ]
  }
}

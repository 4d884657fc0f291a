import Foundation
import Frames
import Media
import Pipeline

/// `encode`: pictures into a video file, with everything else that the source holds.
public struct Encode: SinkStage {
  public enum ContainerChoice: String, CaseIterable, Sendable { case auto, mkv, mp4, mov, webm }
  public enum Companion: String, CaseIterable, Sendable { case copy, none }
  public enum Audio: String, CaseIterable, Sendable { case copy, none, flac, aac, opus }

  public struct Options: StageOptions {
    var codec = EncoderSettings.Codec.hevc
    var encoder = EncoderDevice.software
    var preset: String?
    var crf: Double?
    var tune: String?
    var params: [String: String] = [:]
    var depth: Int?
    var audio = Audio.copy
    var subtitles = Companion.copy
    var container = ContainerChoice.auto
    var target: [String: String] = [:]
    var maxSizeRatio: Double?

    public init() {}
    public static var parameters: [Parameter<Options>] {
      [
        .choice("codec", \.codec, "the video codec"),
        .choice(
          "encoder", \.encoder,
          "what encodes: software, one in hardware by name, or auto: hardware where it really opens, else software"),
        .text("preset", \.preset, "the encoder's name for speed against size: ultrafast … placebo; a number for av1"),
        .number("crf", \.crf, 0...63, "constant rate factor: lower is better and larger"),
        .text("tune", \.tune, "the encoder's name for a kind of content: grain, animation …"),
        .pairs("params", \.params, "the encoder's own parameters, checked by it before anything runs"),
        .integer("depth", \.depth, 8...16, "bits a sample; the source's if left out", unit: "bit"),
        .choice("audio", \.audio, "copy all sound as it is, leave it out, or convert it"),
        .choice("subtitles", \.subtitles, "copy all subtitles, or none"),
        .choice("container", \.container, "auto: by the output's extension"),
        .pairs(
          "target", \.target,
          "search the crf that gives this likeness to the source, on samples of it: { metric: ssim, value: 0.98 }"),
        .number(
          "max_size_ratio", \.maxSizeRatio, 0.01...100, "refuse an output larger than this part of the source's size"),
      ]
    }
  }

  public static let name = "encode"
  public static let summary = "Write a video with the sound, subtitles, chapters and tags of its source."
  public static let role = StageRole.sink([.frames])

  private let options: Options
  private let settings: EncoderSettings
  /// The SSIM that is searched for.
  private let target: Double?

  public init(_ options: Options) throws {
    self.options = options
    if options.encoder.isHardware, options.codec == .ffv1 || options.codec == .prores {
      throw Failure(
        "encode: \(options.codec.rawValue) is made in software only, not by \(options.encoder.rawValue)",
        exitCode: .usage)
    }
    target = try Encode.target(options)
    settings = EncoderSettings(
      codec: options.codec, device: options.encoder, preset: options.preset, crf: options.crf, tune: options.tune,
      params: options.params,
      depth: options.depth)
  }

  private static func target(_ options: Options) throws -> Double? {
    guard !options.target.isEmpty else { return nil }
    func wrong(_ what: String) -> Failure {
      Failure("encode: \(what)", advice: "write target: { metric: ssim, value: 0.98 }", exitCode: .usage)
    }
    if let unknown = options.target.keys.sorted().first(where: { $0 != "metric" && $0 != "value" }) {
      throw wrong("target has no '\(unknown)'")
    }
    guard options.target["metric"] ?? "ssim" == "ssim" else { throw wrong("target's metric is ssim") }
    guard let value = options.target["value"].flatMap(Double.init), (0.5..<1).contains(value) else {
      throw wrong("target's value is a number from 0.5 to below 1")
    }
    guard options.codec != .ffv1, options.codec != .prores else {
      throw wrong("\(options.codec.rawValue) has no crf to search")
    }
    guard options.crf == nil else { throw wrong("crf and target exclude each other") }
    return value
  }

  public func check() throws { try settings.check() }

  public var remarks: [String] { settings.fallbackRemark.map { [$0] } ?? [] }

  public func fingerprint() throws -> [String: String] {
    guard options.encoder != .software else { return FFmpeg.versions }
    return FFmpeg.versions.merging(["encoder": try settings.resolved().encoderName]) { $1 }
  }

  public func open(_ streams: [StreamFormat], _ job: Job) throws -> any Sink { try sink(streams, job) }

  private func sink(_ streams: [StreamFormat], _ job: Job) throws -> EncodeSink {
    try EncodeSink(try writerSettings(streams, job), streams, job, maxSizeRatio: options.maxSizeRatio)
  }

  private func writerSettings(_ streams: [StreamFormat], _ job: Job) throws -> WriterSettings {
    let byName = Container(path: job.output)
    guard let container = Container(rawValue: options.container.rawValue) ?? byName else {
      throw Failure(
        "the output's extension names no container: \(job.output)",
        advice: "let the output end in .mkv, .mp4, .mov or .webm",
        exitCode: .usage)
    }
    var settings = settings
    settings.threads = job.threads
    if let first = streams.first, options.encoder != .software {
      settings = try settings.resolved(for: first)
      try job.note(Note(.info, "encoded by \(settings.encoderName)"))
    }
    if let target, let first = streams.first {
      let found = try QualitySearch(job.input, first, settings).run(target: target)
      settings.crf = found.crf
      try job.note(
        Note(
          .info,
          String(format: "crf %.2f gives SSIM %.4f on samples (target %.4f)", found.crf, found.ssim, target)))
    }
    let audio: CompanionSettings.Audio =
      switch options.audio {
      case .copy: .copy
      case .none: .none
      case .flac: .convert(.flac)
      case .aac: .convert(.aac)
      case .opus: .convert(.opus)
      }
    let companions = CompanionSettings(audio: audio, subtitles: options.subtitles == .copy)
    return WriterSettings(encoder: settings, container: container, companions: companions)
  }
}

extension Encode: SegmentableSink {
  /// Parameters by which an encoder goes by what it has spent before.
  private static let budgets: Set<String> = [
    "bitrate", "vbv-maxrate", "vbv-bufsize", "pass", "stats", "zones", "tbr", "rc", "qpfile", "slow-firstpass",
    "multi-pass-opt-analysis", "multi-pass-opt-distortion", "b", "maxrate", "bufsize",
  ]

  public var cutObstacle: String? {
    if target != nil { return "encode's target is searched over the whole file" }
    if options.encoder != .software, (try? settings.resolved())?.device.isHardware ?? true {
      return "encode's hardware is not held to the same header every time"
    }
    return options.params.keys.sorted().first { Self.budgets.contains($0) }.map {
      "encode's \($0) goes by the whole file"
    }
  }

  public func open(_ streams: [StreamFormat], _ job: Job, segmentAt path: String) throws -> any SegmentSink {
    guard streams.count == 1 else { throw CutRefused("it has several video streams") }
    return EncodeSegment(try SegmentWriter(path, writerSettings(streams, job), stream: streams[0]))
  }

  public func record(of path: String) throws -> Data { try SegmentFile(path).record }

  public func join(_ streams: [StreamFormat], _ job: Job, _ paths: [String]) throws -> SinkReport {
    let sink = try sink(streams, job)
    do { try sink.join(try paths.map { try SegmentFile($0) }) } catch let mismatch as SegmentMismatch {
      throw CutRefused(mismatch.description)
    }
    return try sink.finish()
  }
}

private final class EncodeSegment: SegmentSink {
  private let writer: SegmentWriter
  init(_ writer: SegmentWriter) { self.writer = writer }
  func write(_ frame: Frame) throws { try writer.write(frame) }
  func finish(next: Int?, record: Data) throws { try writer.finish(next: next, record: record) }
}

private final class EncodeSink: Sink {
  private let writer: VideoWriter
  private let job: Job
  private let part: String
  private let settings: WriterSettings
  private let maxSizeRatio: Double?

  init(_ settings: WriterSettings, _ streams: [StreamFormat], _ job: Job, maxSizeRatio: Double?) throws {
    (self.settings, self.job, self.maxSizeRatio) = (settings, job, maxSizeRatio)
    part = job.part(job.output)
    writer = try VideoWriter(part, settings, streams: streams, companionsOf: job.input)
    for note in writer.notes { try job.note(Note(note)) }
  }

  func write(_ frame: Frame) throws {
    if frame.sideData.contains(where: \.isPictureTag) {
      try job.note(Note(.loss, "the pictures' own tags: no film holds them"))
    }
    try writer.write(frame)
  }

  func join(_ stretches: [SegmentFile]) throws {
    try writer.write(stretches) {
      job.beat()
      try job.throwIfCancelled()
    }
  }

  func finish() throws -> SinkReport {
    let summary = try writer.finish()
    for note in writer.notes { try job.note(Note(note)) }
    try refuseLarger(summary)
    return SinkReport(
      files: [SinkReport.File(part: part, path: job.output)],
      details: [
        "container": .string(settings.container.rawValue), "bytes": .int(summary.bytes),
        "duration": summary.duration.map { .double($0) } ?? .null, "chapters": .int(summary.chapters),
        "streams": .list(summary.streams.map(EncodeSink.describe)),
        "verified": .list([.string("opens"), .string("streams"), .string("frames")]),
        "crf": settings.encoder.crf.map { .double($0) } ?? .null,
        "size_ratio": sourceSize.map { .double(Double(summary.bytes) / Double($0)) } ?? .null,
      ])
  }

  private var sourceSize: Int? {
    let size = try? FileManager.default.attributesOfItem(atPath: job.input)[.size] as? Int
    return size.flatMap { $0 > 0 ? $0 : nil }
  }

  private func refuseLarger(_ summary: MediaSummary) throws {
    guard let maxSizeRatio, let sourceSize else { return }
    let ratio = Double(summary.bytes) / Double(sourceSize)
    guard ratio <= maxSizeRatio else {
      throw Failure(
        String(
          format: "the output is %.2f times the source's size, more than max_size_ratio %.2f", ratio, maxSizeRatio),
        place: job.input, advice: "raise crf, or keep the source")
    }
  }

  private static func describe(_ stream: MediaSummary.Stream) -> Value {
    var entry: [String: Value] = ["kind": .string(stream.kind.rawValue), "codec": .string(stream.codec)]
    if let packets = stream.packets { entry["packets"] = .int(packets) }
    if let first = stream.first { entry["first"] = .double(first) }
    if let last = stream.last { entry["last"] = .double(last) }
    if let width = stream.width, let height = stream.height { entry["size"] = .string("\(width)x\(height)") }
    if let format = stream.pixelFormat, stream.kind == .video { entry["pixels"] = .string(format) }
    return .map(entry)
  }
}

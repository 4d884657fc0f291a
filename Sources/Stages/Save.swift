import Foundation
import Frames
import Media
import Pipeline

/// `save`: pictures into picture files.
public struct Save: SinkStage {
  public enum FormatChoice: String, CaseIterable, Sendable { case auto, png, jpeg, tiff, webp, exr }

  public struct Options: StageOptions {
    var format = FormatChoice.auto
    var quality = 92
    var depth: Int?

    public init() {}
    public static var parameters: [Parameter<Options>] {
      [
        .choice("format", \.format, "auto: by the output's extension"),
        .integer("quality", \.quality, 1...100, "for JPEG and WebP; 100 makes WebP lossless"),
        .integer("depth", \.depth, 8...16, "bits a sample, 8 or 16; the source's if left out", unit: "bit"),
      ]
    }
  }

  public static let name = "save"
  public static let summary = "Write pictures: PNG, JPEG, TIFF, WebP or OpenEXR."
  public static let main: String? = "format"
  public static let role = StageRole.sink([.frames, .pages])

  private let options: Options

  public init(_ options: Options) throws {
    if let depth = options.depth, depth != 8, depth != 16 {
      throw Failure("save: depth is 8 or 16, not \(depth)", exitCode: .usage)
    }
    self.options = options
  }

  public func check() throws {
    for format in PictureFormat.allCases where options.format == .auto || options.format.rawValue == format.rawValue {
      guard FFmpeg.hasEncoder(format.encoderName) else {
        throw Failure(
          "this build of FFmpeg has no encoder \(format.encoderName)", advice: "install libavcodec-extra",
          exitCode: .missing)
      }
    }
  }

  public func fingerprint() throws -> [String: String] { FFmpeg.versions }

  public func open(_ streams: [StreamFormat], _ job: Job) throws -> any Sink {
    guard let format = PictureFormat(rawValue: options.format.rawValue) ?? PictureFormat(path: job.output) else {
      throw Failure(
        "the output's extension names no picture format: \(job.output)",
        advice: "let the output end in .png, .jpg, .tiff, .webp or .exr", exitCode: .usage)
    }
    return SaveSink(format, options, streams, job)
  }
}

private final class SaveSink: Sink {
  private let format: PictureFormat
  private let options: Save.Options
  private let streams: [StreamFormat]
  private let job: Job
  private var files: [SinkReport.File] = []

  init(_ format: PictureFormat, _ options: Save.Options, _ streams: [StreamFormat], _ job: Job) {
    (self.format, self.options, self.streams, self.job) = (format, options, streams, job)
  }

  func write(_ frame: Frame) throws {
    guard streams.indices.contains(frame.stream) else { return }
    let stream = streams[frame.stream]
    let numbered = job.output.contains("{n}")
    guard numbered || files.isEmpty else {
      throw Failure(
        "it has more than one picture, and the output's name has no {n} to number them", place: job.input,
        advice: "write {n} into the pipeline's output")
    }
    let number = String(format: "%04d", files.count + 1)
    let path = job.output.replacingOccurrences(of: "{n}", with: number)
    let part = job.part(path)
    // RGB of 8 bits is worked on in 16: what comes out has what the file had.
    let depth = options.depth ?? stream.codedDepth.map { $0 > 8 ? 16 : 8 }
    try noteLosses(frame, stream, depth)
    var picture = frame.picture
    if let turn = stream.displayMatrix.flatMap(Orientation.init(displayMatrix:)), turn != .upright {
      picture = picture.turned(turn)
      try job.note(Note(.converted, "the orientation is applied to the pixels"))
    }
    let writer = PictureWriter(format, quality: options.quality, depth: depth)
    for lost in try writer.write(picture, sideData: frame.sideData, to: part) {
      try job.note(Note(.loss, "\(lost): \(format.rawValue) is written without"))
    }
    files.append(SinkReport.File(part: part, path: path))
  }

  func finish() throws -> SinkReport {
    for file in files { try verify(file.part) }
    return SinkReport(
      files: files,
      details: ["format": .string(format.rawValue), "verified": .list([.string("decodes"), .string("size")])])
  }

  /// Decodes what was written.
  private func verify(_ part: String) throws {
    do {
      guard try VideoReader(part).read() != nil else { throw Failure("it is empty") }
    } catch let failure as Failure {
      throw Failure("the output does not verify: \(failure.message)", place: job.input, mayPass: true)
    }
  }

  private func noteLosses(_ frame: Frame, _ stream: StreamFormat, _ depth: Int?) throws {
    if frame.picture.format.alpha, !format.holdsAlpha {
      try job.note(Note(.loss, "transparency: \(format.rawValue) has none"))
    }
    if (stream.codedDepth ?? frame.picture.format.depth) > 8, !(format.holdsSixteenBits && depth ?? 16 > 8) {
      try job.note(Note(.loss, "more than 8 bits a sample"))
    }
  }
}

import Foundation
import Frames
import Media
import Pipeline

/// `decode`: the pictures of a media file, moving or still.
public struct Decode: SourceStage {
  public enum HDR: String, CaseIterable, Sendable { case keep, tonemap, refuse }

  public struct Options: StageOptions {
    var fps: Double?
    var depth: Int?
    var hdr = HDR.keep
    var orientation = OrientationChoice.carry
    var streams = "all"

    public init() {}
    public static var parameters: [Parameter<Options>] {
      [
        .number(
          "fps", \.fps, 0.1...240,
          "frames a second, dropping or repeating; the source's own times if left out. Of numbered pictures: how many a "
            + "second they are, 25 if left out"),
        .integer("depth", \.depth, 8...16, "bits a sample; the source's if left out", unit: "bit"),
        .choice("hdr", \.hdr, "pictures in PQ or HLG: keep them, map them to BT.709 of 8 bits, or refuse the file"),
        .choice(
          "orientation", \.orientation,
          "carry the source's rotation to the output, which applies it where it cannot hold it, or apply it at once"),
        .text("streams", \.streams, "which video streams: all, first, or their numbers in the file, as in '0,3'"),
      ]
    }
  }

  public enum OrientationChoice: String, CaseIterable, Sendable { case carry, apply }

  public static let name = "decode"
  public static let summary = "Read the pictures of videos and picture files."
  public static let role = StageRole.source(.frames)

  private let options: Options
  private let selection: StreamSelection

  public init(_ options: Options) throws {
    self.options = options
    if let depth = options.depth, ![8, 9, 10, 12, 14, 16].contains(depth) {
      throw Failure("decode: depth is 8, 9, 10, 12, 14 or 16, not \(depth)", exitCode: .usage)
    }
    switch options.streams {
    case "all": selection = .all
    case "first": selection = .first
    default:
      let numbers = options.streams.split(separator: ",").map { Int($0.filter { $0 != " " }) }
      guard !numbers.isEmpty, numbers.allSatisfy({ $0.map { $0 >= 0 } ?? false }) else {
        throw Failure(
          "decode: streams is all, first, or numbers such as '0,3', not '\(options.streams)'", exitCode: .usage)
      }
      selection = .numbers(Set(numbers.compactMap { $0 }))
    }
  }

  public func fingerprint() throws -> [String: String] { FFmpeg.versions }

  /// 23.976 and its like are thousands over 1001.
  static func rational(_ rate: Double) -> Rational {
    let whole = rate.rounded()
    if whole == rate { return Rational(Int(whole), 1) }
    if abs(whole * 1000 / 1001 - rate) < 0.001 { return Rational(Int(whole) * 1000, 1001) }
    return Rational(Int((rate * 1000).rounded()), 1000)
  }

  public func open(_ job: Job) throws -> any Source {
    guard PictureSequence(job.input) != nil else {
      return try DecodeSource(job, options, VideoReader(job.input, threads: job.threads, select: selection))
    }
    // Numbered pictures have no times of their own.
    var options = options
    let rate = Decode.rational(options.fps ?? 25)
    options.fps = nil
    return try DecodeSource(job, options, VideoReader(job.input, threads: job.threads, pictureRate: rate))
  }
}

extension Decode: SegmentableSource {
  public var cutObstacle: String? { options.fps == nil ? nil : "decode's fps goes by all frames before one" }

  public func cut(_ job: Job, every seconds: Double, context: Int) throws -> [Segment]? {
    guard PictureSequence(job.input) == nil else { return nil }
    let index = try SegmentIndex.cut(job.input, select: selection, every: seconds, lead: context) {
      job.beat()
      try job.throwIfCancelled()
    }
    guard let index, try Self.canEnter(job.input, index) else { return nil }
    return try index.stretches.indices.map { number in
      // Each is told of itself alone.
      var own = index
      own.stretches = [index.stretches[number]]
      return Segment(
        number: number, frames: own.stretches[0].times.count, place: try JSONEncoder().encode(own))
    }
  }

  /// Some containers cannot be entered where their index says: found out before anything is done in vain.
  private static func canEnter(_ path: String, _ index: SegmentIndex) throws -> Bool {
    do { _ = try SegmentReader(path, index, index.stretches.count / 2, threads: 1) } catch is SegmentMismatch {
      return false
    }
    return true
  }

  public func open(_ job: Job, _ segment: Segment, context: Int) throws -> any SegmentSource {
    let index = try JSONDecoder().decode(SegmentIndex.self, from: segment.place)
    guard let stretch = index.stretches.first else { throw CutRefused("an empty cut") }
    do {
      let reader = try SegmentReader(
        job.input, index, 0, threads: job.threads, lead: stretch.start == nil ? 0 : context,
        trail: stretch.end == nil ? 0 : context)
      return DecodeSegment(try DecodeSource(job, options, reader), reader, end: stretch.end)
    } catch let mismatch as SegmentMismatch {
      throw CutRefused(mismatch.description)
    }
  }
}

/// What gives decoded frames: all of a file, or a stretch of it.
private protocol FrameReader: AnyObject {
  var streams: [StreamFormat] { get }
  var notes: [MediaNote] { get }
  func read() throws -> Frame?
}

extension VideoReader: FrameReader {}
extension SegmentReader: FrameReader {}

private final class DecodeSegment: SegmentSource {
  private let source: DecodeSource
  private let reader: SegmentReader
  let end: Int?

  init(_ source: DecodeSource, _ reader: SegmentReader, end: Int?) {
    (self.source, self.reader, self.end) = (source, reader, end)
  }

  var streams: [StreamFormat] { source.streams }
  func contains(_ time: Timestamp) -> Bool { reader.contains(time) }

  func read() throws -> Frame? {
    do { return try source.read() } catch let mismatch as SegmentMismatch { throw CutRefused(mismatch.description) }
  }

  var facts: SegmentFacts {
    let label = "video stream \(reader.streams.first?.sourceStream ?? 0)"
    return SegmentFacts(
      first: reader.firstHash, next: reader.nextHash,
      tallies: [
        .init(Note(.loss, "\(label): # packets could not be decoded"), reader.refused),
        .init(Note(.info, "\(label): # frames are damaged in the source"), reader.damaged),
      ])
  }
}

private final class DecodeSource: Source {
  private let reader: any FrameReader
  private let job: Job
  private var lanes: [Lane] = []
  private var ready: [Frame] = []
  private var head = 0
  private var finished = false
  private var notesTaken = 0

  /// What is done to the frames of one stream on their way out.
  private struct Lane {
    var format: StreamFormat
    var orientation = Orientation.upright
    var filters: FilterGraph?
    var depth: Scaler?
  }

  var streams: [StreamFormat] { lanes.map(\.format) }

  init(_ job: Job, _ options: Decode.Options, _ reader: some FrameReader) throws {
    self.job = job
    self.reader = reader
    for format in reader.streams {
      if options.hdr == .refuse, format.colour.isPQ || format.colour.isHLG {
        throw Failure(
          "is HDR (\(format.colour.isPQ ? "PQ" : "HLG")), which this pipeline refuses", place: job.input,
          advice: "set decode's hdr to keep")
      }
      lanes.append(try DecodeSource.lane(format, options, threads: job.threads))
    }
    try takeNotes()
  }

  private static func lane(_ format: StreamFormat, _ options: Decode.Options, threads: Int) throws -> Lane {
    var lane = Lane(format: format)
    var filters: [String] = []
    if options.hdr == .tonemap, format.colour.isPQ || format.colour.isHLG {
      // Light is mapped linearly, in floating point, with the reference white of SDR at 100 cd/m².
      filters += [
        "zscale=transfer=linear:npl=100", "format=gbrpf32le", "zscale=primaries=bt709", "tonemap=hable:desat=0",
        "zscale=transfer=bt709:matrix=bt709:range=limited", "format=yuv420p",
      ]
    }
    if let fps = options.fps { filters.append("fps=\(fps)") }
    if !filters.isEmpty {
      let graph = try FilterGraph(filters.joined(separator: ","), input: format, threads: threads)
      lane.filters = graph
      lane.format.pixelFormat = graph.output.pixelFormat
      if filters.count > 1 {
        lane.format.colour = Colour(range: .limited, matrix: 1, primaries: 1, transfer: 1, chromaLocation: 1)
        lane.format.codedDepth = 8
        (lane.format.masteringDisplay, lane.format.contentLight) = (nil, nil)
      }
      if options.fps != nil {
        lane.format.frameRate = graph.output.frameRate
        lane.format.frameCount = nil
      }
    }
    if options.orientation == .apply, let turn = format.displayMatrix.flatMap(Orientation.init(displayMatrix:)) {
      lane.orientation = turn
      lane.format = lane.format.turned(turn)
    }
    if let depth = options.depth, depth != lane.format.pixelFormat.depth {
      let size = (lane.format.width, lane.format.height, lane.format.pixelFormat)
      lane.format.pixelFormat.depth = depth
      lane.format.codedDepth = depth
      lane.depth = try Scaler(
        from: PictureLayout(width: size.0, height: size.1, format: size.2),
        to: PictureLayout(width: size.0, height: size.1, format: lane.format.pixelFormat))
    }
    return lane
  }

  func read() throws -> Frame? {
    while head == ready.count {
      (ready, head) = ([], 0)
      if finished { return nil }
      if let frame = try reader.read() {
        if let filters = lanes[frame.stream].filters {
          try filters.filter(frame) { ready.append($0.in(frame.stream)) }
        } else {
          ready.append(frame)
        }
      } else {
        finished = true
        for (index, lane) in lanes.enumerated() { try lane.filters?.filter(nil) { ready.append($0.in(index)) } }
      }
      try takeNotes()
    }
    let frame = ready[head]
    head += 1
    let lane = lanes[frame.stream]
    let turned = frame.picture.turned(lane.orientation)
    return frame.with(try lane.depth?.scale(turned) ?? turned)
  }

  private func takeNotes() throws {
    for note in reader.notes[notesTaken...] { try job.note(Note(note)) }
    notesTaken = reader.notes.count
  }
}

extension Frame {
  func `in`(_ stream: Int) -> Frame {
    var copy = self
    copy.stream = stream
    return copy
  }
}

extension Note {
  init(_ note: MediaNote) {
    let kind: Kind =
      switch note.kind {
      case .loss: .loss
      case .converted: .converted
      case .info: .info
      }
    self.init(kind, note.text)
  }
}

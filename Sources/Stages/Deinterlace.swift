import Frames
import Media
import Pipeline

/// `deinterlace`: whole pictures out of fields.
public struct Deinterlace: FilterStage {
  public enum Mode: String, CaseIterable, Sendable { case auto, on, off, telecine }

  public struct Options: StageOptions {
    var mode = Mode.auto

    public init() {}
    public static var parameters: [Parameter<Options>] {
      [
        .choice(
          "mode", \.mode,
          "auto: what looks interlaced or telecined, whatever its flags say; on: every frame; off: take every "
            + "frame as whole; telecine: restore film of 24 frames from 30")
      ]
    }
  }

  public static let name = "deinterlace"
  public static let summary = "Turn interlaced frames into whole ones."
  public static let main: String? = "mode"
  public static let role = StageRole.filter([.frames])

  private let options: Options

  public init(_ options: Options) throws { self.options = options }
  public func fingerprint() throws -> [String: String] { FFmpeg.versions.filter { $0.key == "libavfilter" } }

  /// A frame is made of its own fields and those of its neighbours; film is found by what came before.
  public var context: FrameContext {
    switch options.mode {
    case .off: .frames(0)
    case .auto, .on: .frames(2)
    case .telecine: .everything
    }
  }

  public func survey(_ input: StreamFormat, _ job: Job) throws {
    if options.mode == .auto { _ = try? FieldScan.of(input.sourceStream, job) }
  }

  public func open(_ input: StreamFormat, _ job: Job) throws -> any Filter {
    switch options.mode {
    case .off: return FieldFilter(input, job)
    case .on:
      return try FieldFilter(input, job, chain: "bwdif=mode=send_frame:parity=auto:deint=all")
    case .telecine:
      return try FilmRestorer(input, job, order: input.fields == .bottomFirst ? .bottomFirst : .topFirst)
    case .auto: return try automatic(input, job)
    }
  }

  /// The pictures decide; where too little moves in them, their flags do.
  private func automatic(_ input: StreamFormat, _ job: Job) throws -> any Filter {
    let scan = try? FieldScan.of(input.sourceStream, job)
    let stream = "video stream \(input.sourceStream)"
    switch scan?.content {
    case .telecined(let order) where FilmRestorer.isVideoRate(input.frameRate):
      return try FilmRestorer(input, job, order: order)
    case .interlaced(let order), .telecined(let order):
      try job.note(
        Note(
          .converted,
          "\(stream): interlaced frames (\(order == .topFirst ? "top" : "bottom") field first) are deinterlaced"))
      if let scan, (1..<scan.frames).contains(scan.flagged) {
        // Some frames are marked and others not: then somebody has looked at each.
        return try FieldFilter(input, job, chain: "bwdif=mode=send_frame:parity=auto:deint=interlaced")
      }
      let field = order == .topFirst ? "tff" : "bff"
      return try FieldFilter(input, job, chain: "bwdif=mode=send_frame:parity=\(field):deint=all")
    case .whole where (scan?.flagged ?? 0) > 0:
      try job.note(Note(.info, "\(stream): marked as interlaced, but its frames are whole and left as they are"))
      return FieldFilter(input, job)
    default:
      return FieldFilter(input, job, onceFlagged: "bwdif=mode=send_frame:parity=auto:deint=interlaced")
    }
  }
}

/// Passes frames through, or through libavfilter from the start, or from the first one on that is marked as interlaced.
private final class FieldFilter: Filter {
  private(set) var output: StreamFormat
  private let input: StreamFormat
  private let job: Job
  private let onceFlagged: String?
  private var graph: FilterGraph?
  private var before: Frame?
  private var stream = 0

  init(_ input: StreamFormat, _ job: Job, onceFlagged: String? = nil) {
    (self.input, self.job, self.onceFlagged) = (input, job, onceFlagged)
    output = input
    output.fields = .progressive
  }

  convenience init(_ input: StreamFormat, _ job: Job, chain: String) throws {
    self.init(input, job)
    try begin(chain)
  }

  private func begin(_ chain: String) throws {
    let graph = try FilterGraph(chain, input: input, threads: job.threads)
    guard graph.output.pixelFormat == input.pixelFormat else {
      throw Failure("interlaced \(input.pixelFormat) cannot be deinterlaced", place: job.input)
    }
    self.graph = graph
  }

  func process(_ frame: Frame, emit: (Frame) throws -> Void) throws {
    stream = frame.stream
    if graph == nil, let onceFlagged, frame.fields == .topFirst || frame.fields == .bottomFirst {
      // Progressive streams never pay for a filter.
      try begin(onceFlagged)
      // It looks at the frame before, which has been passed on already.
      if let before { try graph?.filter(before) { _ in } }
      try job.note(Note(.converted, "video stream \(input.sourceStream): interlaced frames are deinterlaced"))
    }
    guard let graph else {
      if onceFlagged != nil { before = frame }
      return try emit(frame.whole(in: stream))
    }
    try graph.filter(frame) { if $0.timestamp.value != before?.timestamp.value { try emit($0.whole(in: stream)) } }
  }

  func finish(emit: (Frame) throws -> Void) throws {
    try graph?.filter(nil) { try emit($0.whole(in: stream)) }
  }
}

/// Takes 3:2 pulldown back: fields are matched to the film's frames, and of five frames the one that repeats another
/// is left out. The four that stay share the time of the five, so that nothing drifts however irregular the source is.
private final class FilmRestorer: Filter {
  let output: StreamFormat
  var frameRatio: Rational { Rational(4, 5) }
  private let graph: FilterGraph
  private var stream = 0
  /// Times of the frames of the cycles that have not come out yet.
  private var times: [Int] = []
  private var given = 0

  /// Whether pulldown would make that many frames a second.
  static func isVideoRate(_ rate: Rational?) -> Bool { rate.map { (29.9...30.1).contains($0.value) } ?? false }

  init(_ input: StreamFormat, _ job: Job, order: FieldOrder) throws {
    let field = order == .bottomFirst ? "bff" : "tff"
    graph = try FilterGraph(
      "setfield=\(field),fieldmatch=order=\(field):combmatch=full,bwdif=mode=send_frame:parity=\(field):deint=interlaced,"
        + "decimate=cycle=5", input: input, threads: job.threads)
    guard graph.output.pixelFormat == input.pixelFormat else {
      throw Failure("telecined \(input.pixelFormat) cannot be restored", place: job.input)
    }
    var output = graph.output
    output.fields = .progressive
    output.frameCount = input.frameCount.map { $0 * 4 / 5 }
    self.output = output
    try job.note(
      Note(.converted, "video stream \(input.sourceStream): 3:2 pulldown is taken back, 4 frames of 5 are film"))
  }

  func process(_ frame: Frame, emit: (Frame) throws -> Void) throws {
    stream = frame.stream
    times.append(frame.timestamp.value)
    try graph.filter(frame) { try emit(retimed($0)) }
  }

  func finish(emit: (Frame) throws -> Void) throws {
    try graph.filter(nil) { try emit(retimed($0)) }
  }

  private func retimed(_ frame: Frame) -> Frame {
    var result = frame.whole(in: stream)
    let place = given % 4
    if place == 0, given > 0 { times.removeFirst(min(5, times.count)) }
    given += 1
    guard let first = times.first else { return result }
    let last = times[min(4, times.count - 1)]
    // Five frames last five fourths of what lies between the first and the fifth.
    let span = times.count >= 5 ? Double(last - first) * 5 / 4 : Double(last - first)
    result.timestamp.value = first + Int((span * Double(place) / 4).rounded())
    result.duration = nil
    return result
  }
}

extension Frame {
  fileprivate func whole(in stream: Int) -> Frame {
    var copy = self.in(stream)
    copy.fields = .progressive
    return copy
  }
}

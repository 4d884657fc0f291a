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
          "auto: frames that the stream marks as interlaced; on: every frame; telecine: restore film of 24 from 30")
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

  public func open(_ input: StreamFormat, _ job: Job) throws -> any Filter {
    switch options.mode {
    case .off: try Deinterlacer(nil, input, job)
    case .auto: try Deinterlacer("bwdif=mode=send_frame:parity=auto:deint=interlaced", input, job, lazily: true)
    case .on: try Deinterlacer("bwdif=mode=send_frame:parity=auto:deint=all", input, job)
    case .telecine:
      try Deinterlacer(
        "fieldmatch=order=auto:combmatch=full,bwdif=mode=send_frame:parity=auto:deint=interlaced,decimate", input, job,
        keepsFrameCount: false)
    }
  }
}

private final class Deinterlacer: Filter {
  private(set) var output: StreamFormat
  let keepsFrameCount: Bool
  private let input: StreamFormat
  private let description: String?
  private let job: Job
  private let lazily: Bool
  private var graph: FilterGraph?
  private var before: Frame?
  private var stream = 0

  init(
    _ description: String?, _ input: StreamFormat, _ job: Job, lazily: Bool = false, keepsFrameCount: Bool = true
  ) throws {
    (self.description, self.input, self.job, self.lazily) = (description, input, job, lazily)
    self.keepsFrameCount = keepsFrameCount
    output = input
    guard let description else { return }
    if !lazily {
      let graph = try FilterGraph(description, input: input, threads: job.threads)
      output = graph.output
      self.graph = graph
    }
    output.fields = .progressive
    if !keepsFrameCount { output.frameCount = nil }
  }

  func process(_ frame: Frame, emit: (Frame) throws -> Void) throws {
    stream = frame.stream
    if graph == nil, lazily, let description, frame.fields == .topFirst || frame.fields == .bottomFirst {
      // Progressive streams never pay for a filter.
      let graph = try FilterGraph(description, input: input, threads: job.threads)
      guard graph.output.pixelFormat == input.pixelFormat else {
        throw Failure("interlaced \(input.pixelFormat) cannot be deinterlaced", place: job.input)
      }
      self.graph = graph
      // It looks at the frame before, which has been passed on already.
      if let before { try graph.filter(before) { _ in } }
      try job.note(Note(.converted, "video stream \(input.sourceStream): interlaced frames are deinterlaced"))
    }
    guard let graph else {
      before = frame
      return try emit(frame)
    }
    try graph.filter(frame) { if $0.timestamp.value != before?.timestamp.value { try emit(whole($0)) } }
  }

  func finish(emit: (Frame) throws -> Void) throws {
    try graph?.filter(nil) { try emit(whole($0)) }
  }

  private func whole(_ frame: Frame) -> Frame {
    var copy = frame.in(stream)
    copy.fields = .progressive
    return copy
  }
}

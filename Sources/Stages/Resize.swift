import Frames
import Media
import Pipeline

/// `resize`: another size by plain interpolation.
public struct Resize: FilterStage {
  public struct Options: StageOptions {
    var scale: Double?
    var width: Int?
    var height: Int?
    var filter = ScalingFilter.lanczos

    public init() {}
    public static var parameters: [Parameter<Options>] {
      [
        .number("scale", \.scale, 0.01...16, "new width and height by old"),
        .integer("width", \.width, 1...32768, "new width; the shape is kept where only one side is given", unit: "px"),
        .integer("height", \.height, 1...32768, "new height", unit: "px"),
        .choice("filter", \.filter, "how new samples are made of old ones"),
      ]
    }
  }

  public static let name = "resize"
  public static let summary = "Change the size by plain interpolation."
  public static let main: String? = "scale"
  public static let role = StageRole.filter([.frames, .pages])

  private let options: Options

  public init(_ options: Options) throws {
    guard options.scale != nil || options.width != nil || options.height != nil else {
      throw Failure("resize needs scale, width or height", exitCode: .usage)
    }
    guard options.scale == nil || (options.width == nil && options.height == nil) else {
      throw Failure("resize takes scale, or width and height, not both", exitCode: .usage)
    }
    self.options = options
  }

  public func fingerprint() throws -> [String: String] { FFmpeg.versions.filter { $0.key == "libswscale" } }

  public var context: FrameContext { .frames(0) }

  public func open(_ input: StreamFormat, _ job: Job) throws -> any Filter { try Resizer(input, options, job) }
}

private final class Resizer: Filter {
  let output: StreamFormat
  private let scaler: Scaler

  init(_ input: StreamFormat, _ options: Resize.Options, _ job: Job) throws {
    let (width, height) = Resizer.size(input, options)
    guard width * height <= 1 << 28 else {
      throw Failure("\(width)x\(height) is too large a picture", place: job.input)
    }
    scaler = try Scaler(
      from: PictureLayout(width: input.width, height: input.height, format: input.pixelFormat),
      to: PictureLayout(width: width, height: height, format: input.pixelFormat), filter: options.filter)
    var output = input
    (output.width, output.height) = (width, height)
    output.sampleAspectRatio = scaler.aspect(input.sampleAspectRatio)
    self.output = output
  }

  func process(_ frame: Frame, emit: (Frame) throws -> Void) throws {
    // The container's pixel shape may differ from the frame's own: the stream's counts.
    try emit(frame.with(try scaler.scale(frame.picture)))
  }

  private static func size(_ input: StreamFormat, _ options: Resize.Options) -> (Int, Int) {
    func scaled(_ side: Int, _ factor: Double) -> Int { max(Int((Double(side) * factor).rounded()), 1) }
    if let scale = options.scale { return (scaled(input.width, scale), scaled(input.height, scale)) }
    switch (options.width, options.height) {
    case (let width?, let height?): return (width, height)
    case (let width?, nil): return (width, scaled(input.height, Double(width) / Double(input.width)))
    case (nil, let height?): return (scaled(input.width, Double(height) / Double(input.height)), height)
    case (nil, nil): return (input.width, input.height)
    }
  }
}

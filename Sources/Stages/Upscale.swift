import Foundation
import Frames
import Inference
import Media
import Pipeline

/// Enlarges pictures by a network on the integer engine: luma, with chroma by bicubic interpolation, or red, green and
/// blue. Opacity is interpolated.
///
/// PQ and HLG go to the network as they are coded, which loses nothing: they are as even to the eye as the gamma that
/// it was trained on. Brought to that gamma and back, pictures came out 0.05 to 0.8 dB further from the original.
public struct Upscale: FilterStage {
  public struct Options: StageOptions {
    var model = "sr-x2"
    var scale = 2
    public init() {}
    public static let parameters: [Parameter<Options>] = [
      .text("model", \.model, "a name of `pipe models`, or the path of an ONNX file, on luma or on RGB"),
      .integer("scale", \.scale, 2...4, "how many times larger: 2, or 4 by a network for 2 times that is run twice"),
    ]
  }

  public static let name = "upscale"
  public static let summary = "Enlarge pictures by a neural network."
  public static let main: String? = "model"
  public static let role = StageRole.filter([.frames, .pages])

  private let options: Options

  public init(_ options: Options) throws {
    guard options.scale != 3 else { throw Failure("upscale.scale can be 2 or 4", exitCode: .usage) }
    self.options = options
  }

  public func check() throws { _ = try network() }

  public func fingerprint() throws -> [String: String] { ["model": try Models.identity(options.model)] }

  private func network() throws -> Network {
    let network = try Models.load(options.model, for: "upscale")
    let channels = (network.inputChannels, network.outputChannels)
    guard channels == (1, 1) || channels == (3, 3) else {
      throw Failure(
        "the model '\(options.model)' takes \(channels.0) channels and makes \(channels.1)",
        advice: "upscale wants one on luma or on RGB", exitCode: .usage)
    }
    guard network.scale == 2 || (network.scale == 4 && options.scale == 4 && channels.0 == 3) else {
      throw Failure(
        "the model '\(options.model)' makes pictures \(network.scale) times larger",
        advice: "upscale wants one for 2 times, or with 'scale: 4' one for 4 times on RGB", exitCode: .usage)
    }
    return network
  }

  // Rows taken over from the frame before have the same bits as those worked out anew.
  public var context: FrameContext { .frames(0) }

  public func survey(_ input: StreamFormat, _ job: Job) throws {
    if input.fields == .unknown, input.frameCount != 1 { _ = try? FieldScan.of(input.sourceStream, job) }
  }

  public func open(_ input: StreamFormat, _ job: Job) throws -> any Filter {
    try Upscale.refuseFields(input, job)
    return UpscaleFilter(input, network: try network(), scale: options.scale, threads: job.threads)
  }

  /// Enlarged combs are there for good.
  private static func refuseFields(_ input: StreamFormat, _ job: Job) throws {
    var combed = input.fields == .topFirst || input.fields == .bottomFirst
    // Nobody has looked: flags say nothing, or nothing true.
    if input.fields == .unknown, input.frameCount != 1,
      let scan = try? FieldScan.of(input.sourceStream, job)
    {
      switch scan.content {
      case .interlaced, .telecined: combed = true
      case .whole, .unsure: break
      }
    }
    guard !combed else {
      throw Failure(
        "video stream \(input.sourceStream) is interlaced, and enlarging would make its combing permanent",
        place: job.input, advice: "write deinterlace: auto before upscale, or deinterlace: off to take it as it is")
    }
  }
}

/// One stream's upscaler: it owns the network's buffers and threads.
final class UpscaleFilter: Filter {
  let output: StreamFormat
  private let passes: [any PicturePass]

  /// - Parameter scale: how many times larger, a power of the network's.
  init(_ input: StreamFormat, network: Network, scale: Int, threads: Int) {
    var format = input
    format.width *= scale
    format.height *= scale
    output = format
    passes = (0..<(scale == network.scale ? 1 : 2)).map { _ -> any PicturePass in
      if network.inputChannels == 3 { return RGBPass(network, threads: threads) }
      return LumaDoubler(network, threads: threads)
    }
  }

  func process(_ frame: Frame, emit: (Frame) throws -> Void) throws {
    try emit(frame.with(try passes.reduce(frame.picture) { try $1.run($0) }))
  }
}

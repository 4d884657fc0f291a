import Foundation
import Frames
import Inference
import Pipeline

/// Doubles the size of pictures: luma by a network on the integer engine, chroma and opacity by bicubic interpolation.
public struct Upscale: FilterStage {
  public struct Options: StageOptions {
    var model = "sr-x2"
    var scale = 2
    public init() {}
    public static let parameters: [Parameter<Options>] = [
      .text("model", \.model, "a name of `pipe models`, or the path of an ONNX file"),
      .integer("scale", \.scale, 2...4, "how many times larger: 2, or 4 by running the network twice"),
    ]
  }

  public static let name = "upscale"
  public static let summary = "Enlarge pictures by a neural network on luma."
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
    guard network.scale == 2, network.inputChannels == 1 else {
      throw Failure(
        "the model '\(options.model)' makes pictures \(network.scale) times larger and takes \(network.inputChannels) channels",
        advice: "upscale wants one for 2 times, on luma", exitCode: .usage)
    }
    return network
  }

  // Rows taken over from the frame before have the same bits as those worked out anew.
  public var context: FrameContext { .frames(0) }

  public func open(_ input: StreamFormat, _ job: Job) throws -> any Filter {
    UpscaleFilter(input, network: try network(), times: options.scale == 4 ? 2 : 1, threads: job.threads)
  }
}

/// One stream's upscaler: it owns the network's buffers and threads.
final class UpscaleFilter: Filter {
  let output: StreamFormat
  private let runners: [NetworkRunner]

  init(_ input: StreamFormat, network: Network, times: Int, threads: Int) {
    var format = input
    format.width <<= times
    format.height <<= times
    output = format
    runners = (0..<times).map { _ in NetworkRunner(network, threads: threads) }
  }

  func process(_ frame: Frame, emit: (Frame) throws -> Void) throws {
    var frame = frame
    for runner in runners { frame.picture = UpscaleFilter.double(frame.picture, runner) }
    try emit(frame)
  }

  static func double(_ picture: Picture, _ runner: NetworkRunner) -> Picture {
    let format = picture.format
    let chroma = PlaneDoubler(chroma: format.chroma, location: picture.colour.chromaLocation)
    let opacity = PlaneDoubler(shift: (0, 0), offset: (0, 0))
    return picture.withPlanes { inputs in
      Picture(
        width: 2 * picture.width, height: 2 * picture.height, format: format, colour: picture.colour,
        sampleAspectRatio: picture.sampleAspectRatio
      ) { outputs in
        for (index, plane) in inputs.enumerated() {
          if index == 0 {
            runner.run(luma: plane, depth: format.depth, into: outputs[0], outputDepth: format.depth)
          } else {
            (index == format.alphaPlane ? opacity : chroma).run(plane, into: outputs[index], depth: format.depth)
          }
        }
      }
    }
  }
}

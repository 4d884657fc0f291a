import Foundation
import Frames
import Inference
import Pipeline

/// Takes noise out of luma and chroma, each plane by itself, by a network that is told how much there is; or out of red,
/// green and blue together.
public struct Denoise: FilterStage {
  public struct Options: StageOptions {
    var model = "denoise-fast"
    var strength = Automatic.auto
    public init() {}
    public static let parameters: [Parameter<Options>] = [
      .text("model", \.model, "a name of `pipe models`, or the path of an ONNX file, on luma or on RGB"),
      .numberOrAuto(
        "strength", \.strength, 0...75,
        "the noise's standard deviation on red, green and blue in levels of 8 bits; auto: measured in every plane, "
          + "steady over a shot"),
    ]
  }

  public static let name = "denoise"
  public static let summary = "Take noise out of pictures by a neural network, from luma and chroma."
  public static let main: String? = "strength"
  public static let role = StageRole.filter([.frames, .pages])

  private let options: Options

  public init(_ options: Options) throws { self.options = options }

  public func check() throws { _ = try network() }

  public func fingerprint() throws -> [String: String] { ["model": try Models.identity(options.model)] }

  /// What is measured is kept steady over a shot; what is told needs no other frame.
  public var context: FrameContext { if case .value = options.strength { .frames(0) } else { .everything } }

  private func network() throws -> Network {
    let network = try Models.load(options.model, for: "denoise")
    guard network.scale == 1 else {
      throw Failure(
        "the model '\(options.model)' makes pictures \(network.scale) times larger",
        advice: "denoise wants one that keeps the size, such as denoise-fast", exitCode: .usage)
    }
    guard network.inputChannels == network.outputChannels else {
      throw Failure(
        "the model '\(options.model)' takes \(network.inputChannels) channels and makes \(network.outputChannels)",
        advice: "denoise wants one on luma or on RGB", exitCode: .usage)
    }
    if case .value = options.strength, network.defaultNoiseLevel == nil {
      throw Failure(
        "the model '\(options.model)' takes no noise level", advice: "leave 'strength' out for this one",
        exitCode: .usage)
    }
    if case .auto = options.strength, network.defaultNoiseLevel != nil, network.inputChannels == 3 {
      throw Failure(
        "the noise that the model '\(options.model)' is to take out of RGB is not measured",
        advice: "write its standard deviation, such as 'strength: 15'", exitCode: .usage)
    }
    return network
  }

  public func open(_ input: StreamFormat, _ job: Job) throws -> any Filter {
    let network = try network()
    if network.inputChannels == 3 {
      return RGBDenoiseFilter(input, network: network, strength: options.strength, threads: job.threads)
    }
    return DenoiseFilter(input, network: network, strength: options.strength, threads: job.threads)
  }
}

/// One stream's denoiser: it owns the network's buffers and threads, and what it has learned of the noise.
final class DenoiseFilter: Filter {
  let output: StreamFormat
  private let strength: Automatic
  private let luma: NetworkRunner
  /// Of another width than luma's, so that each keeps its buffers.
  private let chroma: NetworkRunner
  private var trackers: [NoiseTracker] = []

  /// Levels below this are left as they are: that little is rounding and texture.
  static let least = 0.5

  init(_ input: StreamFormat, network: Network, strength: Automatic, threads: Int) {
    output = input
    self.strength = strength
    luma = NetworkRunner(network, threads: threads)
    chroma =
      input.pixelFormat.chroma == .none || input.pixelFormat.chroma.shift.x == 0
      ? luma : NetworkRunner(network, threads: threads)
  }

  func process(_ frame: Frame, emit: (Frame) throws -> Void) throws {
    // Pages have nothing to do with each other.
    if frame.page != nil { trackers = [] }
    try emit(frame.with(denoised(frame.picture)))
  }

  private func denoised(_ picture: Picture) -> Picture {
    let format = picture.format
    return picture.withPlanes { planes in
      let levels = levels(of: planes, picture)
      guard levels.contains(where: { $0 >= DenoiseFilter.least }) else { return picture }
      return Picture(
        width: picture.width, height: picture.height, format: format, colour: picture.colour,
        sampleAspectRatio: picture.sampleAspectRatio
      ) { outputs in
        for (index, plane) in planes.enumerated() {
          if levels[index] >= DenoiseFilter.least {
            let runner = index == 0 ? luma : chroma
            runner.noiseLevel = levels[index]
            runner.run(luma: plane, depth: format.depth, into: outputs[index], outputDepth: format.depth)
          } else {
            for y in 0..<plane.height {
              memcpy(
                outputs[index].base + y * outputs[index].stride, plane.base + y * plane.stride,
                plane.width * format.bytesPerSample)
            }
          }
        }
      }
    }
  }

  /// The noise level of each plane, in levels of eight bits; 0 for opacity, which has none.
  private func levels(of planes: [Plane], _ picture: Picture) -> [Double] {
    let format = picture.format
    if luma.network.defaultNoiseLevel == nil {
      // Networks that find out for themselves.
      return planes.indices.map { $0 == format.alphaPlane ? 0 : 255 }
    }
    if case .value(let sigma) = strength {
      let shares = NoiseShares(picture.colour, hasChroma: format.chroma != .none)
      return planes.indices.map {
        $0 == format.alphaPlane ? 0 : sigma * ($0 == 0 ? shares.luma : shares.chroma[$0 - 1])
      }
    }
    if trackers.count != planes.count { trackers = planes.map { _ in NoiseTracker() } }
    var levels: [Double] = []
    for (index, plane) in planes.enumerated() {
      if index == format.alphaPlane {
        levels.append(0)
      } else if let estimate = NoiseEstimate(plane, depth: format.depth) {
        levels.append(min(trackers[index].update(estimate), 75))
      } else {
        levels.append(levels.first ?? 0)
      }
    }
    return levels
  }
}

/// The same by a network on red, green and blue.
final class RGBDenoiseFilter: Filter {
  let output: StreamFormat
  private let pass: RGBPass

  init(_ input: StreamFormat, network: Network, strength: Automatic, threads: Int) {
    output = input
    pass = RGBPass(network, threads: threads)
    if case .value(let sigma) = strength { pass.runner.noiseLevel = sigma }
  }

  func process(_ frame: Frame, emit: (Frame) throws -> Void) throws {
    try emit(frame.with(try pass.run(frame.picture)))
  }
}

/// What independent noise of 1 on red, green and blue makes on luma and chroma.
struct NoiseShares {
  let luma: Double
  /// Cb, Cr.
  let chroma: [Double]

  init(_ colour: Colour, hasChroma: Bool) {
    let full = colour.range == .full
    guard hasChroma else {
      luma = full ? 1 : 219.0 / 255
      chroma = []
      return
    }
    let (kr, kb): (Double, Double) =
      switch colour.matrix {
      case 1: (0.2126, 0.0722)
      case 9, 10: (0.2627, 0.0593)
      default: (0.299, 0.114)
      }
    let kg = 1 - kr - kb
    let (ySpan, cSpan) = full ? (1.0, 1.0) : (219.0 / 255, 224.0 / 255)
    luma = ySpan * (kr * kr + kg * kg + kb * kb).squareRoot()
    chroma = [
      cSpan * (kr * kr + kg * kg + (1 - kb) * (1 - kb)).squareRoot() / (2 * (1 - kb)),
      cSpan * (kb * kb + kg * kg + (1 - kr) * (1 - kr)).squareRoot() / (2 * (1 - kr)),
    ]
  }
}

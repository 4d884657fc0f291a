import Frames
import Inference
import Media
import Pipeline

/// Takes noise out of luma and chroma, each plane by itself, by a network that is told how much there is; out of the
/// three opponent planes, where chroma is as large as luma; or out of red, green and blue together.
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
  private let luma: NetworkRunner
  /// Of another width than luma's, so that each keeps its buffers.
  private let chroma: NetworkRunner
  private let strength: NoiseStrength

  /// Levels below this are left as they are: that little is rounding and texture.
  static let least = 0.5

  init(_ input: StreamFormat, network: Network, strength: Automatic, threads: Int) {
    output = input
    self.strength = NoiseStrength(strength, isWanted: network.defaultNoiseLevel != nil)
    luma = NetworkRunner(network, threads: threads)
    chroma =
      input.pixelFormat.chroma == .none || input.pixelFormat.chroma.shift.x == 0
      ? luma : NetworkRunner(network, threads: threads)
  }

  func process(_ frame: Frame, emit: (Frame) throws -> Void) throws {
    // Pages have nothing to do with each other.
    if frame.page != nil { strength.forget() }
    let picture = frame.picture
    try emit(frame.with(picture.format.chroma == .yuv444 ? opponentDenoised(picture) : planewiseDenoised(picture)))
  }

  /// Each plane by itself.
  private func planewiseDenoised(_ picture: Picture) -> Picture {
    let format = picture.format
    let shares = NoiseShares(picture.colour, hasChroma: format.chroma != .none)
    return picture.withPlanes { planes in
      let levels = planes.enumerated().map { index, plane in
        index == format.alphaPlane
          ? 0 : strength.level(of: plane, index, depth: format.depth, share: shares.planes[index])
      }
      guard levels.contains(where: { $0 >= DenoiseFilter.least }) else { return picture }
      return Picture(like: picture) { outputs in
        for (index, plane) in planes.enumerated() {
          if levels[index] >= DenoiseFilter.least {
            let runner = index == 0 ? luma : chroma
            runner.noiseLevel = levels[index]
            runner.run(luma: plane, depth: format.depth, into: outputs[index], outputDepth: format.depth)
          } else {
            outputs[index].copyRows(from: plane, format)
          }
        }
      }
    }
  }

  /// Where chroma is as large as luma, the opponent planes in their place.
  private func opponentDenoised(_ picture: Picture) -> Picture {
    let colours = OpponentColours(picture)
    let (depth, size) = (OpponentColours.depth, (picture.width, picture.height))
    let cleaned = OpponentColours.noiseShares.enumerated().map { index, share -> Picture? in
      let noisy = colours.plane(index, of: picture)
      return noisy.withPlanes { planes in
        let level = strength.level(of: planes[0], index, depth: depth, share: share, sharesBlocks: true)
        guard level >= DenoiseFilter.least else { return nil }
        luma.noiseLevel = level
        return Picture(width: size.0, height: size.1, format: noisy.format) {
          luma.run(luma: planes[0], depth: depth, into: $0[0], outputDepth: depth)
        }
      }
    }
    return cleaned.contains { $0 != nil } ? colours.picture(picture, with: cleaned) : picture
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

import Foundation
import Frames
import Kernels

/// How fast one network runs here, on a picture of seeded noise: what `pipe bench model` prints.
public struct NetworkBenchmark: Sendable {
  public struct Layer: Sendable {
    public var name: String
    /// Of one frame, all threads together.
    public var milliseconds: Double
    public var gmacPerSecond: Double
  }

  /// Median time of a frame.
  public var milliseconds: Double
  public var framesPerSecond: Double { 1000 / milliseconds }
  /// Convolutions only, as the network states them: zeros count.
  public var gmacPerSecond: Double
  /// Of what this processor's multipliers reach from registers, measured just now with as many threads.
  public var peakShare: Double
  public var level: String
  public var threads: Int
  /// Bytes that the layers of a frame read and write: each tensor written once, and read once by each of its readers.
  public var bytes: Int
  /// Bytes that the engine holds beside the pictures.
  public var memory: Int
  public var layers: [Layer]

  /// - Parameters:
  ///   - width, height: of the input picture, eight bits.
  ///   - runs: frames that are timed, after two that are not; at least 1.
  public init(_ network: Network, width: Int, height: Int, threads: Int, runs: Int) {
    let runner = NetworkRunner(network, threads: threads)
    let scale = network.scale
    let (inputs, outputs) = (network.inputChannels, network.outputChannels)
    let input = UnsafeMutableRawPointer.allocate(byteCount: inputs * width * height, alignment: 64)
    let output = UnsafeMutableRawPointer.allocate(byteCount: outputs * width * height * scale * scale, alignment: 64)
    defer {
      input.deallocate()
      output.deallocate()
    }
    var state: UInt32 = 1
    for index in 0..<inputs * width * height {
      state = state &* 1_664_525 &+ 1_013_904_223
      input.storeBytes(of: UInt8(state >> 24), toByteOffset: index, as: UInt8.self)
    }
    func frame() -> Double {
      let start = DispatchTime.now().uptimeNanoseconds
      runner.run(
        (0..<inputs).map { Plane(base: input + $0 * width * height, stride: width, width: width, height: height) },
        depth: 8,
        into: (0..<outputs).map {
          MutablePlane(
            base: output + $0 * width * height * scale * scale, stride: width * scale, width: width * scale,
            height: height * scale)
        }, outputDepth: 8)
      return Double(DispatchTime.now().uptimeNanoseconds - start) / 1e6
    }
    _ = frame()
    _ = frame()
    let times = (0..<max(runs, 1)).map { _ in frame() }.sorted()
    milliseconds = times[times.count / 2]
    let macs = Double(network.macsPerPixel * width * height)
    gmacPerSecond = macs / milliseconds / 1e6
    peakShare = gmacPerSecond / NetworkRunner.measuredPeak(threads: runner.threads)
    level = NetworkRunner.level
    self.threads = runner.threads
    memory = runner.memory
    bytes = NetworkBenchmark.bytes(runner.plan, pixels: width * height)
    let profile = runner.profile { _ = frame() }
    let fold = network.integers.fold
    layers = zip(network.integers.operations, profile).map { operation, milliseconds in
      switch operation {
      case .mix(let mix): Layer(name: mix.name, milliseconds: milliseconds, gmacPerSecond: 0)
      case .picture: Layer(name: "picture", milliseconds: milliseconds, gmacPerSecond: 0)
      case .convolution(let layer):
        Layer(
          name:
            "\(layer.name) \(layer.kernelHeight)x\(layer.kernelWidth) \(layer.inputChannels)->\(layer.outputChannels)",
          milliseconds: milliseconds,
          gmacPerSecond: Double(layer.macs * width * height / (fold * fold)) / max(milliseconds, 1e-6) / 1e6)
      }
    }
  }

  private static func bytes(_ plan: Plan, pixels: Int) -> Int {
    var perPixel = plan.network.ending.planes * plan.network.ending.upscale * plan.network.ending.upscale
    perPixel += (plan.network.ending.addsPicture ? 2 : 1) * plan.network.tensors[0].channels
    for operation in plan.network.operations {
      if let output = operation.output { perPixel += plan.steps[output] }
      for input in operation.inputs { perPixel += plan.steps[input] }
    }
    return perPixel * pixels / (plan.network.fold * plan.network.fold)
  }
}

extension NetworkRunner {
  /// Milliseconds that each operation took, all threads together, while `body` ran one frame.
  func profile(_ body: () -> Void) -> [Double] {
    for band in bands { band.profile = .init(repeating: 0, count: plan.network.operations.count) }
    body()
    defer { for band in bands { band.profile = nil } }
    return plan.network.operations.indices.map { index in
      bands.reduce(0) { $0 + Double($1.profile?[index] ?? 0) } / 1e6
    }
  }

  /// GMAC/s of this level's multiply instructions, from registers, on `threads` threads at once: the best of several
  /// short measurements.
  public static func measuredPeak(threads: Int) -> Double {
    let pool = WorkerPool(threads: threads)
    let results = PeakResults(threads: pool.threads)
    let table = KernelTable.current
    var best = 0.0
    for _ in 0..<8 {
      pool.run { thread in
        let memory = Arena()
        let pixels = memory.make(UInt8.self, count: 256)
        for index in 0..<256 { pixels[index] = UInt8(truncatingIfNeeded: index) }
        let weights = memory.make(Int8.self, count: 64)
        let sink = memory.make(Int32.self, count: 1024)
        let start = DispatchTime.now().uptimeNanoseconds
        let macs = table.multiplyAtPeak(pixels, weights, sink, 500_000)
        results.rates[thread] = Double(macs) / Double(DispatchTime.now().uptimeNanoseconds - start)
      }
      best = max(best, (0..<pool.threads).reduce(0) { $0 + results.rates[$1] })
    }
    return best
  }

  /// Unchecked: each thread writes its own element.
  private final class PeakResults: @unchecked Sendable {
    let rates: UnsafeMutablePointer<Double>
    init(threads: Int) {
      rates = .allocate(capacity: threads)
      rates.initialize(repeating: 0, count: threads)
    }
    deinit { rates.deallocate() }
  }
}

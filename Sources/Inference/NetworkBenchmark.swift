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
  /// Of those, what was really multiplied: without blocks of zeros, and without what Winograd's way spares.
  public var multipliedGmacPerSecond: Double
  /// What was multiplied, of what this processor's multipliers reach from registers on as many threads: the median over
  /// frames, each beside a measurement of that right after it, for what else the machine does slows both.
  public var peakShare: Double
  public var level: String
  public var threads: Int
  /// Bytes that the layers of a frame read and write: each tensor written once, and read once by each of its readers.
  public var bytes: Int
  /// Bytes that the engine holds beside the pictures.
  public var memory: Int
  public var layers: [Layer]
  /// Median time of a frame of which some rows are the same as the previous one's, which are looked for and copied;
  /// nil where not asked for. The other frames are then timed by turns with these.
  public var millisecondsWithUnchanged: Double?
  /// How many times as fast all threads are as one, in the median of frames timed by turns; nil where not asked for.
  public var speedup: Double?

  /// - Parameters:
  ///   - scaling: whether one thread is timed, too.
  ///   - unchanged: the share of rows that repeat the previous frame's, 0 to 1; nil: none are looked for.
  ///   - width, height: of the input picture, eight bits.
  ///   - runs: frames that are timed, after two that are not; at least 1.
  public init(
    _ network: Network, width: Int, height: Int, threads: Int, runs: Int, unchanged: Double? = nil,
    scaling: Bool = false
  ) {
    let runner = NetworkRunner(network, threads: threads)
    let scale = network.scale
    let (inputs, outputs) = (network.inputChannels, network.outputChannels)
    let input = UnsafeMutableRawPointer.allocate(byteCount: inputs * width * height, alignment: 64)
    let output = UnsafeMutableRawPointer.allocate(byteCount: outputs * width * height * scale * scale, alignment: 64)
    defer {
      input.deallocate()
      output.deallocate()
    }
    var random = SeededBytes()
    for index in 0..<inputs * width * height {
      input.storeBytes(of: random.next(), toByteOffset: index, as: UInt8.self)
    }
    let earlier = UnsafeMutableRawPointer.allocate(
      byteCount: unchanged == nil ? 1 : inputs * width * height, alignment: 64)
    defer { earlier.deallocate() }
    if let unchanged {
      for index in 0..<inputs * width * height {
        let differs = Double(index / width % height) >= unchanged * Double(height)
        earlier.storeBytes(
          of: input.load(fromByteOffset: index, as: UInt8.self) ^ (differs ? 1 : 0), toByteOffset: index, as: UInt8.self
        )
      }
    }
    func planes(_ base: UnsafeMutableRawPointer, _ count: Int, _ scale: Int) -> [MutablePlane] {
      let (width, height) = (width * scale, height * scale)
      return (0..<count).map {
        MutablePlane(base: base + $0 * width * height, stride: width, width: width, height: height)
      }
    }
    let earlierOutput = UnsafeMutableRawPointer.allocate(
      byteCount: unchanged == nil ? 1 : outputs * width * height * scale * scale, alignment: 64)
    defer { earlierOutput.deallocate() }
    if unchanged != nil { memset(earlierOutput, 0, outputs * width * height * scale * scale) }
    func frame(_ runner: NetworkRunner, reuses: Bool = false) -> Double {
      let start = DispatchTime.now().uptimeNanoseconds
      runner.run(
        planes(input, inputs, 1).map(\.readable), depth: 8, into: planes(output, outputs, scale), outputDepth: 8,
        unchangedFrom: reuses
          ? (planes(earlier, inputs, 1).map(\.readable), planes(earlierOutput, outputs, scale).map(\.readable)) : nil)
      return Double(DispatchTime.now().uptimeNanoseconds - start) / 1e6
    }
    let single = scaling ? NetworkRunner(network, threads: 1) : nil
    let peak = PeakMeter(threads: runner.threads, table: .current)
    for runner in [runner, single ?? runner] { _ = frame(runner) }
    var (times, peaks, others, speedups): ([Double], [Double], [Double], [Double]) = ([], [], [], [])
    for _ in 0..<max(runs, 1) {
      let time = frame(runner)
      times.append(time)
      // Milliseconds times GMAC/s: what the multipliers could have made of this frame's time.
      peaks.append(time * peak.measure())
      if unchanged != nil { others.append(frame(runner, reuses: true)) }
      if let single { speedups.append(frame(single) / time) }
    }
    func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
    milliseconds = median(times)
    millisecondsWithUnchanged = others.isEmpty ? nil : median(others)
    speedup = speedups.isEmpty ? nil : median(speedups)
    let macs = Double(network.macsPerPixel * width * height)
    let multiplied = NetworkBenchmark.multipliedShare(runner.plan)
    gmacPerSecond = macs / milliseconds / 1e6
    multipliedGmacPerSecond = gmacPerSecond * multiplied
    peakShare = macs * multiplied / median(peaks) / 1e6
    level = NetworkRunner.level
    self.threads = runner.threads
    memory = runner.memory
    bytes = NetworkBenchmark.bytes(runner.plan, pixels: width * height)
    let profile = runner.profile { _ = frame(runner) }
    let fold = network.integers.fold
    layers = zip(network.integers.operations, profile).map { operation, milliseconds in
      switch operation {
      case .mix(let mix): Layer(name: mix.name, milliseconds: milliseconds, gmacPerSecond: 0)
      case .enlargement(let layer): Layer(name: layer.name, milliseconds: milliseconds, gmacPerSecond: 0)
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

  /// The part of all products that is made.
  private static func multipliedShare(_ plan: Plan) -> Double {
    var (stated, made) = (0, 0)
    for (operation, packed) in zip(plan.network.operations, plan.packed) {
      guard case .convolution(let layer) = operation, let packed else { continue }
      stated += layer.macs
      made += packed.multiplied
    }
    return stated > 0 ? Double(made) / Double(stated) : 1
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
}

import Foundation
import Frames
import Kernels

/// How fast one thread convolves at every level that this processor has: what `pipe bench kernels` prints.
public struct KernelBenchmark: Sendable {
  public struct Result: Sendable {
    public var level: String
    /// `3x3 16->16`
    public var shape: String
    public var gmacPerSecond: Double
    /// Of what the level's multiply instructions reach from registers: what is multiplied, where Winograd's squares take a
    /// quarter of the products.
    public var peakShare: Double
  }

  public let results: [Result]

  /// - Parameter runs: of each network, the best of which counts; at least 1.
  public init(runs: Int) {
    results = KernelTable.available.flatMap { (table: KernelTable) -> [Result] in
      let meter = PeakMeter(threads: 1, table: table)
      let peak = (0..<8).reduce(0) { best, _ in max(best, meter.measure()) }
      return [16, 32, 48].flatMap { Self.measure(channels: $0, table, peak: peak, runs: runs) }
    }
  }

  private static func measure(channels: Int, _ table: KernelTable, peak: Double, runs: Int) -> [Result] {
    let network = network(channels: channels)
    let plan = Plan(network, table: table)
    return zip(network.operations, measure(plan, runs: runs)).enumerated().compactMap { index, measured in
      guard case (.convolution(let layer), let seconds) = measured, let packed = plan.packed[index] else { return nil }
      let rate = Double(layer.macs * width * height) / seconds / 1e9
      let multiplied = Double(packed.multiplied) / Double(layer.macs)
      return Result(
        level: table.level.description, shape: "3x3 \(layer.inputChannels)->\(layer.outputChannels)",
        gmacPerSecond: rate, peakShare: rate * multiplied / peak)
    }
  }

  private static let (width, height) = (960, 96)

  /// One channel to some, to as many, to four that are pixels of a picture twice as large.
  private static func network(channels: Int) -> IntegerNetwork {
    var random = SeededBytes()
    func layer(_ inputs: Int, _ outputs: Int, from input: Int, to output: Int?) -> IntegerNetwork.Operation {
      .convolution(
        IntegerNetwork.Convolution(
          name: "", input: input, output: output, outputChannels: outputs, inputChannels: inputs, kernelHeight: 3,
          kernelWidth: 3, padTop: 1, padLeft: 1,
          weights: (0..<outputs * inputs * 9).map { _ in Int8(bitPattern: random.next()) / 4 },
          bias: .init(repeating: 0, count: outputs),
          scales: .init(repeating: FusedScale.scale(near: 1e-3, largestSum: 1 << 22), count: outputs), low: 0,
          high: 255,
          macs: outputs * inputs * 9))
    }
    return IntegerNetwork(
      tensors: [1, channels, channels].map { .init(channels: $0, quantisation: .samples) },
      operations: [
        .picture(output: 0, codes: Array(0...255)), layer(1, channels, from: 0, to: 1),
        layer(channels, channels, from: 1, to: 2), layer(channels, 4, from: 2, to: nil),
      ], ending: .init(upscale: 2, addsPicture: true, scales: .init(repeating: 1e-3, count: 4)))
  }

  /// Seconds that each operation took for a picture of noise in the best run.
  private static func measure(_ plan: Plan, runs: Int) -> [Double] {
    let network = plan.network
    let arena = Arena()
    var random = SeededBytes()
    let input = arena.copy((0..<width * height).map { _ in random.next() })
    let output = arena.make(UInt8.self, count: 4 * width * height)
    let job = Band.Job(
      inputs: [Plane(base: UnsafeRawPointer(input), stride: width, width: width, height: height)], inputDepth: 8,
      outputs: [
        MutablePlane(
          base: UnsafeMutableRawPointer(output), stride: 2 * width, width: 2 * width, height: 2 * height)
      ], outputDepth: 8, arithmetic: EndingArithmetic(network.ending, inputDepth: 8, outputDepth: 8))
    let band = Band(plan, Strips(plan, width: width))
    var best = [Double](repeating: .infinity, count: network.operations.count)
    for _ in 0..<max(runs, 1) {
      band.profile = .init(repeating: 0, count: network.operations.count)
      band.run(job, RowShares.Run(rows: 0..<height))
      best = zip(best, band.profile ?? []).map { min($0, Double($1) / 1e9) }
    }
    return best
  }
}

/// Bytes that are the same in every run.
struct SeededBytes {
  private var state: UInt32 = 1

  mutating func next() -> UInt8 {
    state = state &* 1_664_525 &+ 1_013_904_223
    return UInt8(state >> 24)
  }
}

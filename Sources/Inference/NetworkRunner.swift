import Foundation
import Frames
import Kernels

/// Runs one network over the frames of a stream, with threads and memory of its own that are kept between frames.
///
/// The output has the same bits whatever the number of threads and the processor. One stage owns it: it is not
/// `Sendable`.
public final class NetworkRunner {
  public let network: Network
  public var threads: Int { pool.threads }
  let plan: Plan
  private let pool: WorkerPool
  private(set) var bands: [Band] = []
  private var loans: Loans?
  private var width = 0
  private let stripWidth: Int?

  /// The standard deviation of the noise that a denoiser is to take out, in levels of eight bits; other networks ignore
  /// it. At first it is the network's `defaultNoiseLevel`.
  public var noiseLevel: Double {
    didSet {
      noiseLevel = noiseLevel.isFinite ? min(max(noiseLevel, 0), 255) : oldValue
      guard noiseLevel != oldValue else { return }
      plan.setNoiseLevel(noiseLevel / 255)
      noiseHasChanged = true
    }
  }
  /// Earlier results are of another noise level.
  private var noiseHasChanged = false

  /// - Parameter threads: how many rows of a frame are worked on at once; at least 1.
  public convenience init(_ network: Network, threads: Int) {
    self.init(network, threads: threads, table: .current)
  }

  /// - Parameter stripWidth: columns of the folded picture that are worked on at once; nil: as many as suit the cache.
  init(_ network: Network, threads: Int, table: KernelTable, stripWidth: Int? = nil) {
    self.network = network
    self.stripWidth = stripWidth
    noiseLevel = network.defaultNoiseLevel ?? 0
    plan = Plan(network.integers, table: table)
    pool = WorkerPool(threads: min(max(threads, 1), 256))
  }

  /// The vector level in use: `baseline`, `avx2`, `avx-vnni` or `vnni`.
  public static var level: String { KernelLevel.current.description }

  /// Bytes that the runner holds beside the pictures: packed weights, and the rows alive in every thread.
  public var memory: Int { plan.arena.bytes + bands.reduce(loans?.bytes ?? 0) { $0 + $1.bytes } }

  /// Runs a network on luma over one plane; see the other `run`.
  public func run(
    luma: Plane, depth: Int, into output: MutablePlane, outputDepth: Int,
    unchangedFrom previous: (luma: Plane, output: Plane)? = nil
  ) {
    run(
      [luma], depth: depth, into: [output], outputDepth: outputDepth,
      unchangedFrom: previous.map { (inputs: [$0.luma], outputs: [$0.output]) })
  }

  /// Runs the network over a picture's planes: luma, or red, green and blue.
  ///
  /// - Parameters:
  ///   - inputs: `network.inputChannels` planes of one size, samples of `depth` bits, 8 to 16, more than eight in two
  ///     bytes each; `sample / (2^depth - 1)` is what the network was trained on for eight bits, and deeper samples are
  ///     eight bits' with a fraction.
  ///   - outputs: `network.outputChannels` planes, `scale` times as wide and high, filled with samples of `outputDepth`
  ///     bits.
  ///   - previous: an earlier frame of the same depths and what this network made of it. Rows that depend on nothing
  ///     but samples that are the same there are copied, which gives the same bits. Sizes that differ are ignored.
  public func run(
    _ inputs: [Plane], depth: Int, into outputs: [MutablePlane], outputDepth: Int,
    unchangedFrom previous: (inputs: [Plane], outputs: [Plane])? = nil
  ) {
    precondition((8...16).contains(depth) && (8...16).contains(outputDepth), "samples have 8 to 16 bits")
    precondition(
      inputs.count == network.inputChannels && outputs.count == network.outputChannels, "planes are the network's")
    let (width, height) = (inputs[0].width, inputs[0].height)
    precondition(inputs.allSatisfy { $0.width == width && $0.height == height }, "all planes have one size")
    precondition(
      outputs.allSatisfy { $0.width == width * network.scale && $0.height == height * network.scale },
      "the output is \(network.scale) times the input's size")
    guard width > 0, height > 0 else { return }
    let fold = network.integers.fold
    if width != self.width || bands.isEmpty {
      let strips = Strips(plan, width: (width + fold - 1) / fold, stripWidth: stripWidth, threads: pool.threads)
      bands = (0..<pool.threads).map { _ in Band(plan, strips) }
      loans = strips.count > 1 || !plan.lends ? nil : Loans(plan, rowBytes: bands[0].rowBytes)
      self.width = width
    }
    var changed = [0..<(height + fold - 1) / fold]
    if let previous, !noiseHasChanged, previous.inputs.count == inputs.count,
      previous.outputs.count == outputs.count,
      previous.inputs.allSatisfy({ $0.width == width && $0.height == height }),
      previous.outputs.allSatisfy({ $0.width == outputs[0].width && $0.height == outputs[0].height })
    {
      changed = changedRows(inputs, previous.inputs, bytes: width * (depth > 8 ? 2 : 1))
      for (output, earlier) in zip(outputs, previous.outputs) {
        copy(earlier, to: output, except: changed, bytes: output.width * (outputDepth > 8 ? 2 : 1))
      }
    }
    let job = Band.Job(
      inputs: inputs, inputDepth: depth, outputs: outputs, outputDepth: outputDepth,
      arithmetic: EndingArithmetic(plan.network.ending, inputDepth: depth, outputDepth: outputDepth))
    noiseHasChanged = false
    guard !changed.isEmpty else { return }
    let overlap = bands[0].strips.count == 1 ? plan.pictureReach.above + plan.pictureReach.below : nil
    let shares = RowShares(changed, among: bands.count, overlap: overlap, loans: loans)
    let work = Work(bands: bands, job: job, shares: shares)
    pool.run { work.run($0) }
    loans?.takeBack()
  }

  /// Rows of the output, in rows of the folded picture, that may differ because a row they depend on does.
  private func changedRows(_ inputs: [Plane], _ previous: [Plane], bytes: Int) -> [Range<Int>] {
    var ranges: [Range<Int>] = []
    let fold = network.integers.fold
    let height = (inputs[0].height + fold - 1) / fold
    func differs(_ row: Int) -> Bool {
      zip(inputs, previous).contains { memcmp($0.base + row * $0.stride, $1.base + row * $1.stride, bytes) != 0 }
    }
    for y in 0..<height where (y * fold..<min(y * fold + fold, inputs[0].height)).contains(where: differs) {
      // A row reaches down to those that look up to it, and the other way round.
      let reached = max(0, y - plan.pictureReach.below)..<min(height, y + plan.pictureReach.above + 1)
      if let last = ranges.last, reached.lowerBound <= last.upperBound {
        ranges[ranges.count - 1] = last.lowerBound..<max(last.upperBound, reached.upperBound)
      } else {
        ranges.append(reached)
      }
    }
    return ranges
  }

  private func copy(_ previous: Plane, to output: MutablePlane, except changed: [Range<Int>], bytes: Int) {
    var next = 0
    let upscale = network.integers.ending.upscale
    let end = (output.height + upscale - 1) / upscale
    for range in changed + [end..<end] {
      for y in min(next * upscale, output.height)..<min(range.lowerBound * upscale, output.height) {
        memcpy(output.base + y * output.stride, previous.base + y * previous.stride, bytes)
      }
      next = range.upperBound
    }
  }

  /// Unchecked: thread `n` touches band `n` alone and writes rows of its own; the planes outlive the call that
  /// waits for all threads.
  private struct Work: @unchecked Sendable {
    let bands: [Band]
    let job: Band.Job
    let shares: RowShares

    func run(_ thread: Int) {
      guard thread < shares.threads else { return }
      while let run = shares.next(for: thread) {
        bands[thread].run(job, run) { shares.proceed(thread, to: $0) }
      }
    }
  }
}

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
  private var width = 0

  /// - Parameter threads: how many rows of a frame are worked on at once; at least 1.
  public convenience init(_ network: Network, threads: Int) {
    self.init(network, threads: threads, table: .current)
  }

  init(_ network: Network, threads: Int, table: KernelTable) {
    self.network = network
    plan = Plan(network.integers, table: table)
    pool = WorkerPool(threads: min(max(threads, 1), 256))
  }

  /// The vector level in use: `baseline`, `avx2`, `avx-vnni` or `vnni`.
  public static var level: String { KernelLevel.current.description }

  /// Bytes that the runner holds beside the pictures: packed weights, and the rows alive in every thread.
  public var memory: Int { plan.arena.bytes + bands.reduce(0) { $0 + $1.bytes } }

  /// Runs the network over one plane.
  ///
  /// - Parameters:
  ///   - luma: samples of `depth` bits, 8 to 16, more than eight in two bytes each; `luma / (2^depth - 1)` is what
  ///     the network was trained on for eight bits, and deeper samples are eight bits' with a fraction.
  ///   - output: `scale` times as wide and high, filled with samples of `outputDepth` bits.
  public func run(luma: Plane, depth: Int, into output: MutablePlane, outputDepth: Int) {
    precondition((8...16).contains(depth) && (8...16).contains(outputDepth), "samples have 8 to 16 bits")
    precondition(
      output.width == luma.width * network.scale && output.height == luma.height * network.scale,
      "the output is \(network.scale) times the input's size")
    guard luma.width > 0, luma.height > 0 else { return }
    if luma.width != width || bands.isEmpty {
      bands = (0..<pool.threads).map { _ in Band(plan, width: luma.width) }
      width = luma.width
    }
    let arithmetic = EndingArithmetic(plan.network.ending, inputDepth: depth, outputDepth: outputDepth)
    let rows = luma.height
    let count = min(bands.count, rows)
    let work = Work(
      bands: bands,
      jobs: (0..<count).map { index in
        Band.Job(
          input: luma, inputDepth: depth, output: output, outputDepth: outputDepth, arithmetic: arithmetic,
          range: rows * index / count..<rows * (index + 1) / count)
      })
    pool.run { work.run($0) }
  }

  /// Unchecked: thread `n` touches band `n` alone and writes rows of its own; the planes outlive the call that
  /// waits for all threads.
  private struct Work: @unchecked Sendable {
    let bands: [Band]
    let jobs: [Band.Job]

    func run(_ thread: Int) { if thread < jobs.count { bands[thread].run(jobs[thread]) } }
  }
}

import Frames
import Testing

@testable import Inference
@testable import Kernels

/// Rows taken from the previous frame are those a full run would make.
@Suite struct UnchangedTests {
  @Test(arguments: [[], [0], [39], [20], [3, 4, 5], [0, 12, 39], Array(0..<40)], [1, 3])
  func reuseGivesTheSameBits(_ rows: [Int], threads: Int) {
    var random = Seeded(state: 11)
    let shape = NetworkShape(channels: [16, 16], kernels: [(3, 3), (5, 3), (3, 3)])
    let runner = NetworkRunner(Network(integers: shape.make(&random)), threads: threads)
    let first = TestPlane(width: 31, height: 40, depth: 8)
    first.samples = (0..<31 * 40).map { _ in UInt16.random(in: 0...255, using: &random) }
    let second = TestPlane(width: 31, height: 40, depth: 8, padding: 3)
    var samples = first.samples
    for row in rows { samples[row * 31 + row % 31] ^= 255 }
    second.samples = samples
    let before = TestPlane(width: 62, height: 80, depth: 8)
    let full = TestPlane(width: 62, height: 80, depth: 8)
    let reused = TestPlane(width: 62, height: 80, depth: 8, padding: 2)
    runner.run(luma: first.plane, depth: 8, into: before.mutable, outputDepth: 8)
    runner.run(luma: second.plane, depth: 8, into: full.mutable, outputDepth: 8)
    runner.run(
      luma: second.plane, depth: 8, into: reused.mutable, outputDepth: 8,
      unchangedFrom: (luma: first.plane, output: before.plane))
    #expect(reused.samples == full.samples)
    #expect(reused.guardIsIntact)
    #expect((full.samples == before.samples) == rows.isEmpty)
  }

  @Test(arguments: [[0..<10], [0..<1, 5..<9, 20..<21], [3..<4], []], [1, 2, 3, 8])
  func sharesCoverEveryRowOnce(_ ranges: [Range<Int>], count: Int) {
    let shares = NetworkRunner.shares(of: ranges, among: count)
    let total = ranges.reduce(0) { $0 + $1.count }
    #expect(shares.count == min(count, total))
    #expect(shares.flatMap { $0.flatMap(Array.init) } == ranges.flatMap(Array.init))
    let sizes = shares.map { $0.reduce(0) { $0 + $1.count } }
    #expect((sizes.max() ?? 0) - (sizes.min() ?? 0) <= 1)
  }
}

import Frames
import Randomness
import Testing

@testable import Inference
@testable import Kernels

/// Rows taken from the previous frame are those a full run would make.
@Suite struct UnchangedTests {
  @Test(arguments: [[], [0], [38], [20], [3, 4, 5], [0, 12, 38], Array(0..<39)], [1, 3])
  func reuseGivesTheSameBits(_ rows: [Int], threads: Int) {
    var random = Seeded(state: 11)
    reuse(NetworkShape(channels: [16, 16], kernels: [(3, 3), (5, 3), (3, 3)]), rows, threads, &random)
    reuse(NetworkShape(channels: [16, 16], upscale: 4, fold: 2), rows, threads, &random)
    reuse(NetworkShape(channels: [16], enlarging: .halfPixel), rows, threads, &random)
    reuse(NetworkShape(channels: [16, 16], mixing: .sum), rows, threads, stripWidth: 8, &random)
  }

  private func reuse(
    _ shape: NetworkShape, _ rows: [Int], _ threads: Int, stripWidth: Int? = nil, _ random: inout Seeded
  ) {
    let runner = NetworkRunner(
      Network(integers: shape.make(&random)), threads: threads, table: .current, stripWidth: stripWidth)
    let first = TestPlane(width: 31, height: 39, depth: 8)
    first.samples = (0..<31 * 39).map { _ in UInt16.random(in: 0...255, using: &random) }
    let second = TestPlane(width: 31, height: 39, depth: 8, padding: 3)
    var samples = first.samples
    for row in rows { samples[row * 31 + row % 31] ^= 255 }
    second.samples = samples
    let before = TestPlane(width: 62, height: 78, depth: 8)
    let full = TestPlane(width: 62, height: 78, depth: 8)
    let reused = TestPlane(width: 62, height: 78, depth: 8, padding: 2)
    runner.run(luma: first.plane, depth: 8, into: before.mutable, outputDepth: 8)
    runner.run(luma: second.plane, depth: 8, into: full.mutable, outputDepth: 8)
    runner.run(
      luma: second.plane, depth: 8, into: reused.mutable, outputDepth: 8,
      unchangedFrom: (luma: first.plane, output: before.plane))
    #expect(reused.samples == full.samples)
    #expect(reused.guardIsIntact)
    #expect((full.samples == before.samples) == rows.isEmpty)
  }

  @Test func anotherNoiseLevelIsAnotherResult() {
    var random = Seeded(state: 12)
    let shape = NetworkShape(channels: [16], fold: 2, takesNoise: true)
    let runner = NetworkRunner(Network(integers: shape.make(&random)), threads: 1)
    let input = TestPlane(width: 9, height: 9, depth: 8)
    input.samples = (0..<81).map { _ in UInt16.random(in: 0...255, using: &random) }
    let (before, after) = (TestPlane(width: 9, height: 9, depth: 8), TestPlane(width: 9, height: 9, depth: 8))
    runner.run(luma: input.plane, depth: 8, into: before.mutable, outputDepth: 8)
    runner.noiseLevel = 75
    runner.run(
      luma: input.plane, depth: 8, into: after.mutable, outputDepth: 8,
      unchangedFrom: (luma: input.plane, output: before.plane))
    #expect(after.samples != before.samples)
    runner.noiseLevel = .nan
    #expect(runner.noiseLevel == 75)
  }
}

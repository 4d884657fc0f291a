import Foundation
import Frames
import Randomness
import Testing

@testable import Inference
@testable import Kernels

/// Emulated processors are slow, and do strips in `ExactnessTests`.
@Suite(.enabled(if: ProcessInfo.processInfo.environment["PIPE_EXPECTED_LEVEL"] == nil))
struct StripsTests {
  private static func plan(_ shape: NetworkShape) -> Plan {
    var random = Seeded(state: 5)
    return Plan(shape.make(&random), table: .current)
  }

  @Test(arguments: [1, 63, 64, 200, 961, 1920, 7680], [1 << 14, 1 << 18, 1 << 21])
  func coverEveryColumnOnce(width: Int, cache: Int) {
    let plan = StripsTests.plan(NetworkShape(channels: [32, 32, 32], mixing: .sum))
    for strips in [Strips(plan, width: width, cache: cache), Strips(plan, width: width, stripWidth: 17)] {
      for lead in [0] + plan.leads {
        let columns = (0..<strips.count).flatMap {
          let columns = strips.columns($0, lead: lead)
          return Array(columns.lowerBound..<columns.upperBound)
        }
        #expect(columns == Array(0..<width))
      }
    }
  }

  @Test func areOneWhereTheCacheHoldsWholeRows() {
    let plan = StripsTests.plan(NetworkShape(channels: [32, 32, 32]))
    #expect(Strips(plan, width: 2000, cache: 1 << 30).count == 1)
    #expect(Strips(plan, width: 2000, cache: 1 << 16).count > 1)
    #expect(Strips(plan, width: 20, cache: 1 << 12).count == 1)
  }

  @Test func rowsThatSeveralThreadsCutMaySpill() {
    let shape = NetworkShape(channels: [32, 32, 32])
    let plan = StripsTests.plan(shape)
    let mixing = StripsTests.plan(NetworkShape(channels: [32, 32, 32], mixing: .sum))
    let cache = (2000 * plan.bytesPerColumn + plan.arena.bytes) / 2
    #expect(Strips(plan, width: 2000, threads: 2, cache: cache).count == 1)
    #expect(Strips(plan, width: 2000, threads: 1, cache: cache).count > 1)
    #expect(Strips(mixing, width: 2000, threads: 2, cache: cache).count > 1, "its rows are not lent")
    let wide = (1...8).map { Strips(plan, width: 3000, threads: $0, cache: cache).count }
    #expect(wide.allSatisfy { $0 == wide[0] }, "what spills too far is cut as for one thread")
  }

  @Test func ofTheCacheGiveTheBitsOfOne() {
    var random = Seeded(state: 6)
    let network = Network(integers: NetworkShape(channels: [64, 64], zeroPoints: true).make(&random))
    let (width, height) = (20_001, 2)
    let input = TestPlane(width: width, height: height, depth: 8)
    input.samples = (0..<width * height).map { _ in UInt16.random(in: 0...255, using: &random) }
    let outputs = [nil, width].map { stripWidth in
      let output = TestPlane(width: 2 * width, height: 2 * height, depth: 8)
      let runner = NetworkRunner(network, threads: 1, table: .current, stripWidth: stripWidth)
      runner.run(luma: input.plane, depth: 8, into: output.mutable, outputDepth: 8)
      #expect((runner.bands[0].strips.count > 1) == (stripWidth == nil))
      #expect(output.guardIsIntact)
      return output.samples
    }
    #expect(outputs[0] == outputs[1])
  }
}

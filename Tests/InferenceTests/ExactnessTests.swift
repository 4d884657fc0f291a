import Foundation
import Frames
import Randomness
import Testing

@testable import Inference
@testable import Kernels

/// Every level, any number of threads, any size and any strips give the reference's bits.
@Suite struct ExactnessTests {
  static let shapes: [NetworkShape] = [
    NetworkShape(channels: [16]),
    NetworkShape(channels: [16, 16, 16]),
    NetworkShape(channels: [32, 32]),
    NetworkShape(channels: [32, 32], zeroBlocks: 50),
    NetworkShape(channels: [16, 16], weights: -64...64, zeroBlocks: 90),
    NetworkShape(channels: [16, 16], weights: 127...127),
    NetworkShape(channels: [32, 16], weights: -128 ... -128, addsPicture: false),
    NetworkShape(channels: [20, 7], kernels: [(5, 5), (1, 1), (3, 3)], zeroPoints: true),
    NetworkShape(channels: [48, 64], kernels: [(3, 3), (1, 3), (3, 1)], slopes: true),
    NetworkShape(channels: [16, 16], zeroPoints: true, slopes: true, residual: .init(scale: 0.02, zeroPoint: 130)),
    NetworkShape(channels: [16], result: .init(scale: 0.02, zeroPoint: 114)),
    NetworkShape(
      channels: [16], residual: .init(scale: 0.01, zeroPoint: 130), result: .init(scale: 0.02, zeroPoint: 114)),
    NetworkShape(channels: [], kernels: [(5, 5)]),
    NetworkShape(channels: [16, 16], upscale: 1),
    NetworkShape(channels: [12], upscale: 3),
    NetworkShape(channels: [32], upscale: 4),
    NetworkShape(channels: [32, 32], fold: 2, takesNoise: true),
    NetworkShape(channels: [16], fold: 2, addsPicture: false),
    NetworkShape(channels: [16], upscale: 4, fold: 2),
    NetworkShape(channels: [16], upscale: 3, fold: 3, zeroPoints: true),
    NetworkShape(channels: [16, 16, 16], kernels: [(3, 3), (5, 5), (3, 1), (3, 3)], zeroPoints: true, mixing: .sum),
    NetworkShape(channels: [16, 20], upscale: 1, mixing: .join),
    NetworkShape(channels: [16, 16], slopes: true, mixing: .sum),
    NetworkShape(channels: [16], planes: 3),
    NetworkShape(channels: [16, 24], upscale: 1, planes: 3, zeroPoints: true),
    NetworkShape(channels: [32], planes: 3, fold: 2, residual: .init(scale: 0.02, zeroPoint: 130)),
    NetworkShape(channels: [16], upscale: 4, planes: 3, interpolation: .asymmetric, fold: 2),
    NetworkShape(channels: [16, 16], interpolation: .halfPixel),
    NetworkShape(channels: [16], interpolation: .asymmetric, result: .init(scale: 0.02, zeroPoint: 114)),
    NetworkShape(channels: [16, 12], zeroPoints: true, enlarging: .halfPixel),
    NetworkShape(channels: [16], upscale: 4, fold: 2, slopes: true, enlarging: .asymmetric),
    NetworkShape(channels: [], planes: 3, enlarging: .halfPixel),
    NetworkShape(channels: [16, 16], fold: 2, mixing: .sum, enlarging: .halfPixel),
  ]
  static let sizes = [(1, 1), (2, 3), (5, 1), (1, 9), (23, 4), (24, 7), (25, 5), (61, 11)]
  /// How a picture is cut: rows among threads, columns into strips. Emulated processors are slow.
  static func cuts(_ filling: Filling) -> [(threads: Int, stripWidth: Int?)] {
    guard ProcessInfo.processInfo.environment["PIPE_EXPECTED_LEVEL"] != nil else {
      return [(1, nil), (2, nil), (3, 8), (8, 16), (1, 8), (1, 40)]
    }
    return filling == .random || filling == .checks ? [(2, 8)] : [(2, nil)]
  }
  static let depths = [(8, 8), (8, 10), (10, 10), (12, 8), (16, 16), (9, 16)]

  @Test(arguments: shapes) func matchesReference(_ shape: NetworkShape) throws {
    var random = Seeded(state: 7)
    let network = shape.make(&random)
    for (index, size) in ExactnessTests.sizes.enumerated() {
      let (depth, outputDepth) = ExactnessTests.depths[index % ExactnessTests.depths.count]
      for filling in Filling.allCases {
        let input = TestPlane(width: size.0, height: size.1, depth: depth, count: shape.planes)
        input.samples = filling.samples(shape.planes * size.0 * size.1, depth: depth, &random)
        let expected = Reference(network: network).run(
          input.samples, width: size.0, height: size.1, depth: depth, outputDepth: outputDepth, noiseLevel: 0.1)
        for table in KernelTable.available {
          for (threads, stripWidth) in ExactnessTests.cuts(filling) {
            let runner = NetworkRunner(
              Network(integers: network), threads: threads, table: table, stripWidth: stripWidth)
            runner.noiseLevel = 25.5
            let scale = runner.network.scale
            let output = TestPlane(
              width: size.0 * scale, height: size.1 * scale, depth: outputDepth, count: shape.planes,
              padding: threads)
            runner.run(input.planes, depth: depth, into: output.mutables, outputDepth: outputDepth)
            let found = output.samples
            let wrong = zip(found, expected).enumerated().first { $1.0 != $1.1 }
            #expect(
              found == expected && output.guardIsIntact,
              """
              \(table.level), \(threads) threads, strips of \(stripWidth ?? 0), \(size), \(depth) to \(outputDepth) bits, \(filling), \
              first at \(String(describing: wrong))
              """)
          }
        }
      }
    }
  }

  enum Filling: CaseIterable {
    case random, low, high, checks

    func samples(_ count: Int, depth: Int, _ random: inout Seeded) -> [UInt16] {
      let maximum = UInt16(1 << depth - 1)
      return (0..<count).map { index in
        switch self {
        case .random: UInt16.random(in: 0...maximum, using: &random)
        case .low: 0
        case .high: maximum
        case .checks: index % 2 == 0 ? 0 : maximum
        }
      }
    }
  }
}

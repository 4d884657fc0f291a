import Frames
import Testing

@testable import Stages

@Suite struct PlaneDoublerTests {
  private func doubled(
    _ width: Int, _ height: Int, to size: (Int, Int), depth: Int, _ doubler: PlaneDoubler, _ value: (Int, Int) -> Int
  ) -> [[Int]] {
    let format = PixelFormat(.none, depth: depth)
    let input = Picture(width: width, height: height, format: format) { planes in
      for y in 0..<height {
        for x in 0..<width {
          if depth > 8 {
            planes[0].row(y, as: UInt16.self)[x] = UInt16(value(x, y))
          } else {
            planes[0].row(y, as: UInt8.self)[x] = UInt8(value(x, y))
          }
        }
      }
    }
    let output = Picture(width: size.0, height: size.1, format: format) { planes in
      input.withPlanes { doubler.run($0[0], into: planes[0], depth: depth) }
    }
    return output.withPlanes { planes in
      (0..<size.1).map { y in
        (0..<size.0).map { x in
          depth > 8 ? Int(planes[0].row(y, as: UInt16.self)[x]) : Int(planes[0].row(y, as: UInt8.self)[x])
        }
      }
    }
  }

  @Test(arguments: [(8, 255), (10, 1023), (16, 65535)])
  func constantsStay(depth: Int, value: Int) {
    for size in [(1, 1), (2, 3), (7, 5)] {
      let result = doubled(
        size.0, size.1, to: (2 * size.0, 2 * size.1), depth: depth, PlaneDoubler(chroma: .yuv420, location: 1)
      ) { _, _ in value }
      #expect(result.allSatisfy { $0.allSatisfy { $0 == value } })
    }
  }

  /// A ramp comes out a ramp, at the places where the samples are sited.
  @Test(arguments: [
    (PixelFormat.Chroma.yuv420, 1, 0.125, 0.25), (.yuv420, 2, 0.25, 0.25), (.yuv420, 3, 0.125, 0.125),
    (.yuv422, 1, 0.125, 0.25), (.yuv444, 0, 0.25, 0.25),
  ])
  func samplesLieWhereTheyAreSited(chroma: PixelFormat.Chroma, location: Int, behindX: Double, behindY: Double) {
    let doubler = PlaneDoubler(chroma: chroma, location: location)
    let across = doubled(40, 4, to: (80, 8), depth: 16, doubler) { x, _ in 1000 * x }
    let down = doubled(4, 40, to: (8, 80), depth: 16, doubler) { _, y in 1000 * y }
    for j in 8..<72 {
      #expect(across[3][j] == Int((1000 * (Double(j) / 2 - behindX)).rounded()))
      #expect(down[j][3] == Int((1000 * (Double(j) / 2 - behindY)).rounded()))
    }
  }

  @Test func anOddPlaneMayBeCutShort() {
    let doubler = PlaneDoubler(chroma: .yuv420, location: 1)
    let value: (Int, Int) -> Int = { (7 * $0 + 13 * $1) % 256 }
    let whole = doubled(41, 31, to: (82, 62), depth: 8, doubler, value)
    let cut = doubled(41, 31, to: (81, 61), depth: 8, doubler, value)
    #expect(cut == whole.dropLast().map { Array($0.dropLast()) })
  }

  @Test func extremesAreClamped() {
    let result = doubled(16, 16, to: (32, 32), depth: 8, PlaneDoubler(chroma: .yuv444, location: 0)) { x, _ in
      x % 4 < 2 ? 0 : 255
    }
    #expect(result.joined().contains(0) && result.joined().contains(255))
  }
}

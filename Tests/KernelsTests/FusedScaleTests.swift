import Foundation
import Kernels
import Randomness
import Testing

/// One rounding gives the codes of two.
@Suite struct FusedScaleTests {
  @Test func sumsHaveTheirCodes() {
    var random = Seeded(state: 11)
    for number in 0..<40 {
      let stated = Float.random(in: number % 2 == 0 ? 1e-3...4e-3 : 4e-3...0.9, using: &random)
      let largest = min(Int(32766 / stated), 1 << Int.random(in: 12...21, using: &random))
      let scale = FusedScale.scale(near: stated, largestSum: largest)
      #expect(abs(scale - stated) <= 32 * stated.ulp)
      guard let fused = FusedScale(scale, largestSum: largest) else {
        Issue.record("no scale near \(stated) for sums up to \(largest)")
        continue
      }
      // All sums up to 2^14, and of greater ones some, and those where codes change.
      let dense = min(largest, 1 << 14)
      let edges = (0..<255).flatMap { code in
        let edge = Int((Double(code) + 0.5) / Double(scale))
        return (edge - 2)...(edge + 3)
      }
      let sparse = stride(from: -largest, through: largest, by: 997)
      let sums = Array(-dense...dense) + edges.filter { $0 <= largest } + sparse + [-largest, largest]
      let wrong = sums.first { sum in
        let code = min(max((Float(sum) * scale).rounded(.toNearestOrEven), 0), 255)
        let bits = (Int32(0x4B00_0000) + fused.shift) + Int32(sum)
        let found = fused.offset.addingProduct(Float(bitPattern: UInt32(bits)), scale).bitPattern
        return min(max(Int16(truncatingIfNeeded: found), 0), 255) != Int16(code)
      }
      #expect(wrong == nil, "\(stated), \(largest)")
    }
  }

  @Test func impossibleScalesAreRefused() {
    for scale in [Float(-1), .nan, .infinity, 1e-9, 2] { #expect(FusedScale(scale, largestSum: 1000) == nil) }
    #expect(FusedScale(1e-3, largestSum: 1 << 23) == nil)
    #expect(FusedScale(0.5, largestSum: 1 << 17) == nil, "beyond 16 bits before it saturates")
    #expect(FusedScale(0, largestSum: 1 << 30) == .zero)
    #expect(FusedScale.scale(near: 1e-9, largestSum: 1000) == 1e-9)
  }
}

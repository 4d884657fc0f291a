import CTesseract
import Foundation
import Testing

@testable import Documents

@Suite struct PixelBlocksTests {
  @Test func lendsWhatWasGivenBack() throws {
    let blocks = PixelBlocks(limit: 8 << 20)
    let first = try #require(blocks.take(2_000_000))
    memset(first, 1, 2_000_000)
    blocks.giveBack(first)
    // A little smaller is as good; much smaller or larger is not.
    let other = try #require(blocks.take(1_100_000))
    #expect(other != first)
    let same = try #require(blocks.take(1_900_000))
    #expect(same == first)
    #expect(malloc_usable_size(same) >= 1_900_000)
    let larger = try #require(blocks.take(2_000_000))
    #expect(larger != first)
    for block in [other, same, larger] { blocks.giveBack(block) }
  }

  @Test func keepsNoMoreThanItsLimit() throws {
    let blocks = PixelBlocks(limit: 5_000_000)
    let taken = try (0..<4).map { _ in try #require(blocks.take(1_500_000)) }
    for block in taken { blocks.giveBack(block) }
    // The longest unused went back to malloc; the last three are lent again.
    let again = try (0..<3).map { _ in try #require(blocks.take(1_500_000)) }
    #expect(Set(again) == Set(taken.dropFirst()))
    for block in again { blocks.giveBack(block) }
    // One that is larger than all that may be kept is not kept.
    blocks.giveBack(blocks.take(10_000_000))
    blocks.giveBack(nil)
    #expect(Set(try (0..<3).map { _ in try #require(blocks.take(1_500_000)) }) == Set(taken.dropFirst()))
  }

  @Test func imagesAreMadeAndDroppedByManyThreads() async throws {
    _ = PageMemory.settled
    await withTaskGroup(of: Bool.self) { group in
      for number in 1...8 {
        group.addTask {
          (0..<50).allSatisfy { round in
            let side = Int32(1000 + 40 * number + round)
            var image = pixCreate(side, side, 8)
            defer { pixDestroy(&image) }
            guard image != nil else { return false }
            // New images are black, whatever their memory held before.
            var value: UInt32 = 1
            guard pixGetPixel(image, side - 1, side - 1, &value) == 0, value == 0 else { return false }
            return pixSetAllArbitrary(image, UInt32(number)) == 0 && pixGetPixel(image, side / 2, 3, &value) == 0
              && value == UInt32(number)
          }
        }
      }
      for await right in group { #expect(right) }
    }
  }
}

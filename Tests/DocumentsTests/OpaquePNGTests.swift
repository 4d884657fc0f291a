import CTesseract
import Foundation
import Frames
import Testing

@testable import Documents

@Suite struct OpaquePNGTests {
  /// A picture with a channel for opacity, as a PNG; libpng chooses among all filters by what rows look like.
  private func png(opacity: (Int, Int) -> UInt8) throws -> [UInt8] {
    let pix = try Pix(owning: pixCreate(61, 40, 32))
    pix.with { pointer in
      pixSetSpp(pointer, 4)
      for y in 0..<40 {
        for x in 0..<61 {
          // Flat, sloping and rough rows.
          let value = [x * 4, y * 6, (x * 31 + y * 57) * (y / 10 % 2), 90].map { UInt32($0 & 255) }
          pixSetPixel(
            pointer, Int32(x), Int32(y),
            value[0] << 24 | value[1] << 16 | value[y < 20 ? 2 : 3] << 8 | UInt32(opacity(x, y)))
        }
      }
    }
    return try pix.encoded(.png)
  }

  private func samples(_ png: [UInt8]) throws -> [UInt8]? {
    try #require(PNGHeader(Data(png))).opaqueSamples(in: Data(png))
  }

  @Test func `opaque samples lose their opacity and nothing else`() throws {
    let original = try png { _, _ in 255 }
    let kept = try #require(try samples(original))
    func number(_ value: Int) -> [UInt8] { [24, 16, 8, 0].map { UInt8(value >> $0 & 255) } }
    func chunk(_ name: String, _ body: [UInt8]) -> [UInt8] {
      let bytes = Array(name.utf8) + body
      return number(body.count) + bytes + number(Int(checksum(bytes)))
    }
    let header = chunk("IHDR", number(61) + number(40) + [8, 2, 0, 0, 0])
    let shortened = original[..<8] + header + chunk("IDAT", kept) + chunk("IEND", [])
    func shown(_ bytes: [UInt8]) throws -> Picture {
      try Pix(owning: bytes.withUnsafeBufferPointer { pixReadMem($0.baseAddress, $0.count) }).picture()
    }
    let (before, after) = (try shown(original), try shown(Array(shortened)))
    #expect(before.format.chroma != .none)
    #expect(before == after)
  }

  @Test(arguments: [(0, 0), (30, 0), (0, 20), (60, 39)]) func `a pixel that is not opaque is seen`(x: Int, y: Int)
    throws
  {
    #expect(try samples(png { $0 == x && $1 == y ? 254 : 255 }) == nil)
  }

  @Test func `samples that end too soon are none`() throws {
    let whole = try png { _, _ in 255 }
    var header = try #require(PNGHeader(Data(whole)))
    let first = try #require(header.samples.first)
    header.samples = [first.lowerBound..<first.lowerBound + first.count / 2]
    #expect(header.opaqueSamples(in: Data(whole)) == nil)
  }

  private func checksum(_ bytes: [UInt8]) -> UInt32 {
    ~bytes.reduce(UInt32.max) { sum, byte in
      (0..<8).reduce(sum ^ UInt32(byte)) { value, _ in value & 1 == 1 ? value >> 1 ^ 0xedb8_8320 : value >> 1 }
    }
  }
}

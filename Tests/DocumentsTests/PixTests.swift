import CTesseract
import Foundation
import Frames
import Testing

@testable import Documents

@Suite struct PixTests {
  @Test func `grey pages go through Leptonica unchanged`() throws {
    let picture = Picture(width: 37, height: 5, format: PixelFormat(.none)) { planes in
      for y in 0..<5 { for x in 0..<37 { planes[0].row(y, as: UInt8.self)[x] = UInt8((x * 7 + y * 31) & 255) } }
    }
    #expect(try Pix(picture).picture() == picture)
  }

  @Test func `a page without colour becomes grey, one with colour keeps it`() throws {
    func page(_ chroma: UInt8) -> Picture {
      Picture(width: 9, height: 3, format: PixelFormat(.yuv444), colour: Colour(range: .full, matrix: 5)) { planes in
        for (index, plane) in planes.enumerated() {
          for y in 0..<3 { for x in 0..<9 { plane.row(y, as: UInt8.self)[x] = index == 0 ? 200 : chroma } }
        }
      }
    }
    #expect(try Pix(page(128)).picture().format == PixelFormat(.none))
    let coloured = try Pix(page(150)).picture()
    #expect(coloured.format == PixelFormat(.yuv444))
    coloured.withPlanes { planes in
      #expect(abs(Int(planes[0].row(1, as: UInt8.self)[4]) - 200) <= 1)
      #expect(abs(Int(planes[1].row(1, as: UInt8.self)[4]) - 150) <= 1)
    }
  }

  @Test(arguments: [nil, (0, 0), (36, 4)]) func `opacity is laid on white where anything shows through`(
    _ clear: (x: Int, y: Int)?
  ) throws {
    func page(opacity: Bool) throws -> Picture {
      let pix = try Pix(owning: pixCreate(37, 5, 32))
      pix.with { pointer in
        if opacity { pixSetSpp(pointer, 4) }
        for y in 0..<5 {
          for x in 0..<37 {
            let hidden = clear.map { $0 == (x, y) } ?? false
            let pixel = UInt32(x * 6) << 24 | UInt32(y * 40) << 16 | 90 << 8
            // Without opacity the hidden pixel is the paper's.
            let shown = hidden && !opacity ? 0xffff_ff00 : pixel
            pixSetPixel(pointer, Int32(x), Int32(y), opacity && !hidden ? shown | 255 : shown)
          }
        }
      }
      return try pix.picture()
    }
    #expect(try page(opacity: true) == page(opacity: false))
  }

  @Test(arguments: 1...8) func `orientation puts the marked corner where EXIF says`(orientation: Int) throws {
    // A 3 x 2 picture with one dark sample in its first row and column.
    let picture = Picture(width: 3, height: 2, format: PixelFormat(.none)) { planes in
      for y in 0..<2 { for x in 0..<3 { planes[0].row(y, as: UInt8.self)[x] = x == 0 && y == 0 ? 0 : 255 } }
    }
    let shown = try Pix(picture).oriented(orientation).picture()
    let corner = [1: (0, 0), 2: (2, 0), 3: (2, 1), 4: (0, 1), 5: (0, 0), 6: (1, 0), 7: (1, 2), 8: (0, 2)][orientation]!
    #expect(shown.width == (orientation < 5 ? 3 : 2))
    shown.withPlanes { #expect($0[0].row(corner.1, as: UInt8.self)[corner.0] == 0) }
  }
}

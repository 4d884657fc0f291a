import Frames
import Testing

@Suite struct PictureTests {
  @Test func chromaOfOddSizesIsRoundedUp() {
    let format = PixelFormat(.yuv420)
    #expect(format.planeSize(0, width: 161, height: 121) == (161, 121))
    #expect(format.planeSize(1, width: 161, height: 121) == (81, 61))
    #expect(PixelFormat(.yuv410).planeSize(2, width: 5, height: 5) == (2, 2))
  }

  @Test func planesAreAlignedAndKeepWhatWasWritten() {
    let picture = Picture(width: 3, height: 2, format: PixelFormat(.yuv444, depth: 10, alpha: true)) { planes in
      for (index, plane) in planes.enumerated() {
        for y in 0..<plane.height {
          for x in 0..<plane.width { plane.row(y, as: UInt16.self)[x] = UInt16(index * 100 + y * 10 + x) }
        }
      }
    }
    picture.withPlanes { planes in
      #expect(planes.count == 4)
      for (index, plane) in planes.enumerated() {
        #expect(Int(bitPattern: plane.base) % Picture.alignment == 0)
        #expect(plane.stride % Picture.alignment == 0)
        #expect(plane.row(1, as: UInt16.self)[2] == UInt16(index * 100 + 12))
      }
    }
  }

  @Test func equalityLooksAtSamplesAlone() {
    func grey(_ value: UInt8, range: Colour.Range) -> Picture {
      Picture(width: 5, height: 1, format: PixelFormat(.none), colour: Colour(range: range)) {
        for x in 0..<5 { $0[0].row(0, as: UInt8.self)[x] = value }
      }
    }
    #expect(grey(7, range: .full) == grey(7, range: .limited))
    #expect(grey(7, range: .full) != grey(8, range: .full))
  }
}

import Frames

/// Pixels in 32-bit words, red above green above blue: how Leptonica and cairo keep them.
struct RGBWords {
  /// JPEG's colour: full-range BT.601, in which a page's white and greys come back unchanged.
  static let colour = Colour(range: .full, matrix: 5, primaries: 1, transfer: 13)

  let base: UnsafePointer<UInt32>
  let wordsPerRow: Int
  let width: Int
  let height: Int
  /// Where in a word blue begins: 8 in Leptonica, 0 in cairo.
  let lowestBit: UInt32

  /// Grey where no pixel has colour, else 4:4:4, both 8 bit.
  func picture() -> Picture { hasColour ? colourPicture() : greyPicture() }

  private var hasColour: Bool {
    for y in 0..<height {
      var differs: UInt32 = 0
      let row = base + y * wordsPerRow
      for x in 0..<width {
        let pixel = row[x] >> lowestBit
        differs |= pixel ^ (pixel >> 8)
      }
      if differs & 0xffff != 0 { return true }
    }
    return false
  }

  private func greyPicture() -> Picture {
    Picture(width: width, height: height, format: PixelFormat(.none), colour: RGBWords.colour) { planes in
      for y in 0..<height {
        let source = base + y * wordsPerRow
        let target = planes[0].row(y, as: UInt8.self)
        for x in 0..<width { target[x] = UInt8(truncatingIfNeeded: source[x] >> lowestBit) }
      }
    }
  }

  private func colourPicture() -> Picture {
    Picture(width: width, height: height, format: PixelFormat(.yuv444), colour: RGBWords.colour) { planes in
      for y in 0..<height {
        let source = base + y * wordsPerRow
        let luma = planes[0].row(y, as: UInt8.self)
        let blue = planes[1].row(y, as: UInt8.self)
        let red = planes[2].row(y, as: UInt8.self)
        for x in 0..<width {
          let pixel = source[x] >> lowestBit
          let r = Int32(truncatingIfNeeded: pixel >> 16 & 255)
          let g = Int32(truncatingIfNeeded: pixel >> 8 & 255)
          let b = Int32(truncatingIfNeeded: pixel & 255)
          luma[x] = UInt8(truncatingIfNeeded: (19595 &* r &+ 38470 &* g &+ 7471 &* b &+ 32768) >> 16)
          // 128.5 in 1/65536; pure blue and red round to 256 and are held at 255.
          blue[x] = UInt8(
            truncatingIfNeeded: min((-11059 &* r &- 21709 &* g &+ 32768 &* b &+ 8_421_375) >> 16, 255))
          red[x] = UInt8(
            truncatingIfNeeded: min((32768 &* r &- 27439 &* g &- 5329 &* b &+ 8_421_375) >> 16, 255))
        }
      }
    }
  }
}

import CTesseract
import Frames

extension Pix {
  /// A grey picture where the page has no colour, else one of 4:4:4, both 8 bit.
  func picture() throws -> Picture {
    let plain = try simplified()
    return try plain.depth == 32 ? plain.rgbPicture() : plain.grey().greyPicture()
  }

  private func rgbPicture() -> Picture {
    with {
      RGBWords(
        base: pixGetData($0)!, wordsPerRow: Int(pixGetWpl($0)), width: width, height: height, lowestBit: 8
      ).picture()
    }
  }

  private func greyPicture() -> Picture {
    with { pointer in
      let wordsPerRow = Int(pixGetWpl(pointer))
      let data = pixGetData(pointer)!
      return Picture(width: width, height: height, format: PixelFormat(.none), colour: RGBWords.colour) { planes in
        for y in 0..<planes[0].height {
          let source = data + y * wordsPerRow
          // Leptonica keeps the leftmost sample in a word's highest byte. Rows of a picture are padded to 64 bytes.
          let words = UnsafeMutableRawPointer(planes[0].row(y, as: UInt8.self)).assumingMemoryBound(to: UInt32.self)
          for x in 0..<(planes[0].width + 3) / 4 { words[x] = source[x].byteSwapped }
        }
      }
    }
  }

  /// 8-bit grey or 32-bit RGB with the picture's samples; opacity is not looked at.
  ///
  /// - Parameter dpi: written into the image; 0 where unknown.
  convenience init(_ picture: Picture, dpi: (x: Double, y: Double) = (0, 0)) throws {
    let colour = picture.format.chroma != .none
    try self.init(
      owning: pixCreateNoInit(Int32(clamping: picture.width), Int32(clamping: picture.height), colour ? 32 : 8),
      doing: "hold a picture of \(picture.width) x \(picture.height)")
    let range = SampleRange(picture)
    with { pointer in
      pixSetResolution(pointer, Int32(dpi.x.rounded()), Int32(dpi.y.rounded()))
      let wordsPerRow = Int(pixGetWpl(pointer))
      let data = pixGetData(pointer)!
      picture.withPlanes { planes in
        for y in 0..<picture.height {
          let target = data + y * wordsPerRow
          if colour {
            range.writeRGB(planes, y, to: target)
          } else {
            range.writeGrey(planes[0], y, to: UnsafeMutableRawPointer(target).assumingMemoryBound(to: UInt8.self))
            for x in 0..<wordsPerRow { target[x] = target[x].byteSwapped }
          }
        }
      }
    }
  }
}

/// What a picture's samples mean, for showing them as 8-bit RGB.
private struct SampleRange {
  let format: PixelFormat
  let limited: Bool
  /// Red by Cr, green by Cb, green by Cr, blue by Cb, in 1/65536.
  let weights: (Int32, Int32, Int32, Int32)

  init(_ picture: Picture) {
    format = picture.format
    limited = picture.colour.range == .limited
    weights = picture.colour.matrix == 1 ? (103206, -12276, -30679, 121609) : (91881, -22554, -46802, 116130)
  }

  @inline(__always)
  private func sample(_ plane: Plane, _ x: Int, _ y: Int) -> Int32 {
    if format.depth == 8 { return Int32(plane.row(y, as: UInt8.self)[x]) }
    return Int32(plane.row(y, as: UInt16.self)[x] >> UInt16(format.depth - 8))
  }

  @inline(__always)
  private func luma(_ value: Int32) -> Int32 { limited ? ((value - 16) * 76309 + 32768) >> 16 : value }

  func writeGrey(_ plane: Plane, _ y: Int, to row: UnsafeMutablePointer<UInt8>) {
    if format.depth == 8, !limited {
      row.update(from: plane.row(y, as: UInt8.self), count: plane.width)
    } else {
      for x in 0..<plane.width { row[x] = UInt8(clamping: luma(sample(plane, x, y))) }
    }
  }

  func writeRGB(_ planes: [Plane], _ y: Int, to row: UnsafeMutablePointer<UInt32>) {
    let (luma, blue, red) = (planes[0], planes[1], planes[2])
    let shift = format.chroma.shift
    let chromaRow = y >> shift.y
    for x in 0..<luma.width {
      let brightness = self.luma(sample(luma, x, y)) << 16 + 32768
      var b = sample(blue, x >> shift.x, chromaRow) - 128
      var r = sample(red, x >> shift.x, chromaRow) - 128
      if limited { (b, r) = (b * 255 / 224, r * 255 / 224) }
      let pixel = (
        UInt32(UInt8(clamping: (brightness &+ weights.0 &* r) >> 16)),
        UInt32(UInt8(clamping: (brightness &+ weights.1 &* b &+ weights.2 &* r) >> 16)),
        UInt32(UInt8(clamping: (brightness &+ weights.3 &* b) >> 16))
      )
      row[x] = pixel.0 << 24 | pixel.1 << 16 | pixel.2 << 8
    }
  }
}

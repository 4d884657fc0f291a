import Frames
import Testing

@testable import Media

@Suite struct RGBPlanesTests {
  /// Smooth colours that RGB can hold.
  private func picture(_ format: PixelFormat, _ colour: Colour) -> Picture {
    Picture(width: 37, height: 22, format: format, colour: colour, sampleAspectRatio: Rational(4, 3)) { planes in
      for (index, plane) in planes.enumerated() {
        for y in 0..<plane.height {
          for x in 0..<plane.width {
            let (across, down) = (x * 36 / plane.width, y * 21 / plane.height)
            var value = index == 0 ? 90 + across * 2 : 118 + across / 2 + (index == 1 ? down / 2 : -down / 2)
            if index == format.alphaPlane { value = 200 }
            value <<= format.depth - 8
            if format.depth > 8 {
              plane.row(y, as: UInt16.self)[x] = UInt16(value + (index == 0 ? x % 4 : 0))
            } else {
              plane.row(y, as: UInt8.self)[x] = UInt8(value)
            }
          }
        }
      }
    }
  }

  private func samples(_ picture: Picture, _ plane: Int) -> [Int] {
    picture.withPlanes { planes in
      (0..<planes[plane].height).flatMap { y in
        (0..<planes[plane].width).map { x in
          picture.format.depth > 8
            ? Int(planes[plane].row(y, as: UInt16.self)[x]) : Int(planes[plane].row(y, as: UInt8.self)[x])
        }
      }
    }
  }

  static let formats = [
    PixelFormat(.none), PixelFormat(.none, depth: 16, alpha: true), PixelFormat(.yuv420),
    PixelFormat(.yuv420, depth: 10),
    PixelFormat(.yuv422, depth: 12), PixelFormat(.yuv420, alpha: true), PixelFormat(.yuv444),
    PixelFormat(.yuv444, depth: 10), PixelFormat(.yuv444, depth: 16, alpha: true), PixelFormat(.yuv411),
  ]

  /// There and back nothing is lost but where chroma changes its size.
  @Test(arguments: formats, [1, 6, 9]) func comesBack(_ format: PixelFormat, matrix: Int) throws {
    for range in [Colour.Range.limited, .full] {
      for location in [0, 1, 2, 3] {
        let source = picture(format, Colour(range: range, matrix: matrix, chromaLocation: location))
        let converter = RGBConverter()
        let result = try converter.picture(of: converter.planes(of: source), like: source) { target in
          source.withPlanes { target.copyRows(from: $0[$0.count - 1], format) }
        }
        #expect(result.format == format && result.colour == source.colour && result.sampleAspectRatio == Rational(4, 3))
        for plane in 0..<format.planeCount {
          let (before, after) = (samples(source, plane), samples(result, plane))
          let isReduced = format.planeSize(plane, width: 37, height: 22) != (37, 22)
          // Full range of 16 bits is a little finer than what lies between.
          let allowed = isReduced ? 2 << (format.depth - 8) : format.depth == 16 ? 1 : 0
          let most = zip(before, after).map { abs($0 - $1) }.max() ?? -1
          #expect(before.count == after.count && most <= allowed, "plane \(plane), \(range), \(location): \(most)")
        }
      }
    }
  }

  /// By the matrix's own definition.
  @Test(arguments: [(1, 0.2126, 0.0722), (6, 0.299, 0.114), (9, 0.2627, 0.0593)], [Colour.Range.limited, .full])
  func followsTheMatrix(_ matrix: (code: Int, kr: Double, kb: Double), range: Colour.Range) throws {
    let source = picture(PixelFormat(.yuv444), Colour(range: range, matrix: matrix.code))
    let (luma, cb, cr) = (samples(source, 0), samples(source, 1), samples(source, 2))
    let bytes = try RGBConverter().planes(of: source).bytes
    #expect(bytes.count == 3 * luma.count)
    for index in luma.indices {
      let full = range == .full
      let y = (Double(luma[index]) - (full ? 0 : 16)) / (full ? 255 : 219)
      let u = (Double(cb[index]) - 128) / (full ? 255 : 224)
      let v = (Double(cr[index]) - 128) / (full ? 255 : 224)
      let (r, b) = (y + 2 * (1 - matrix.kr) * v, y + 2 * (1 - matrix.kb) * u)
      let g = (y - matrix.kr * r - matrix.kb * b) / (1 - matrix.kr - matrix.kb)
      for (plane, value) in [r, g, b].enumerated() {
        #expect(abs(Double(bytes[plane * luma.count + index]) - value * 255) < 0.51)
      }
    }
  }
}

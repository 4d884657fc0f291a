import Foundation
import Frames
import Testing

@testable import Stages

@Suite struct OpponentColoursTests {
  /// Luma and chroma of `rgb(x, y)` in 0...255.
  private func picture(
    _ format: PixelFormat = PixelFormat(.yuv444, depth: 16), _ colour: Colour = Colour(range: .full),
    _ rgb: (Int, Int) -> SIMD3<Double>
  ) -> Picture {
    let (kr, kg, kb) = colour.lumaWeights
    return Picture(width: 37, height: 11, format: format, colour: colour) { planes in
      for y in 0..<11 {
        for x in 0..<37 {
          let pixel = rgb(x, y)
          let luma = (pixel * [kr, kg, kb]).sum()
          let values = [luma, (pixel.z - luma) / (2 * (1 - kb)), (pixel.x - luma) / (2 * (1 - kr)), Double(x + y)]
          for (index, plane) in planes.enumerated() {
            let full = colour.range == .full
            let span =
              full || index == 3 ? Double(format.maximum) : Double((index == 0 ? 219 : 224) << (format.depth - 8))
            let zero = index == 0 ? (full ? 0 : 16) : index == 3 ? 0 : 128
            let sample = (values[index] / 255 * span + Double(zero << (format.depth - 8))).rounded()
            if format.depth > 8 {
              plane.row(y, as: UInt16.self)[x] = UInt16(min(max(sample, 0), Double(format.maximum)))
            } else {
              plane.row(y, as: UInt8.self)[x] = UInt8(min(max(sample, 0), 255))
            }
          }
        }
      }
    }
  }

  private func colourful(_ x: Int, _ y: Int) -> SIMD3<Double> {
    [Double(x * 6 % 256), Double((x * 11 + y * 20) % 256), Double((y * 23 + 40) % 256)]
  }

  private func pastel(_ x: Int, _ y: Int) -> SIMD3<Double> { 0.4 * colourful(y, x) + 80 }

  private let formats: [(PixelFormat, Colour)] = [
    (PixelFormat(.yuv444), Colour(range: .limited)), (PixelFormat(.yuv444, depth: 10), Colour(range: .full, matrix: 1)),
    (PixelFormat(.yuv444, depth: 12), Colour(range: .limited, matrix: 9)),
    (PixelFormat(.yuv444, depth: 16, alpha: true), Colour(range: .full)),
  ]

  @Test func thePlanesAreTheMeanAndTwoDifferences() {
    for (format, colour) in formats {
      let source = picture(format, colour, colourful)
      // Rounded luma and chroma, times what they weigh in red and blue.
      let tolerance = 2.5 * 256 / Double(1 << (format.depth - 8)) + 1
      for index in 0..<3 {
        OpponentColours(source).plane(index, of: source).withPlanes { planes in
          for y in 0..<11 {
            for x in 0..<37 {
              let (r, g, b) = (colourful(x, y).x, colourful(x, y).y, colourful(x, y).z)
              let expected = [(r + g + b) / 3, (r - b) / 2 + 128, (r - 2 * g + b) / 4 + 128][index] * 256
              let found = Double(planes[0].row(y, as: UInt16.self)[x])
              #expect(abs(found - expected) <= tolerance, "\(format): plane \(index) at \(x), \(y)")
            }
          }
        }
      }
    }
  }

  @Test func planesThatHaveNotChangedGiveTheSamePicture() {
    for (format, colour) in formats {
      let source = picture(format, colour, colourful)
      let colours = OpponentColours(source)
      #expect(colours.picture(source, with: [nil, nil, nil]) == source)
      #expect(colours.picture(source, with: (0..<3).map { colours.plane($0, of: source) }) == source)
    }
  }

  @Test func thePlanesOfAnotherPictureMakeThatPicture() {
    for (format, colour) in formats {
      let (source, wanted) = (picture(format, colour, colourful), picture(format, colour, pastel))
      let colours = OpponentColours(source)
      let made = colours.picture(source, with: (0..<3).map { colours.plane($0, of: wanted) })
      // What is beyond RGB's corners in rounded chroma is cut off in the planes.
      let tolerance = 1 << max(0, format.depth - 14)
      for index in 0..<3 {
        made.withPlanes { made in
          wanted.withPlanes { wanted in
            for y in 0..<11 {
              for x in 0..<37 {
                func sample(_ planes: [Plane]) -> Int {
                  format.depth > 8
                    ? Int(planes[index].row(y, as: UInt16.self)[x]) : Int(planes[index].row(y, as: UInt8.self)[x])
                }
                #expect(abs(sample(made) - sample(wanted)) <= tolerance, "\(format): plane \(index) at \(x), \(y)")
              }
            }
          }
        }
      }
    }
  }

  @Test func whatIsBeyondWhiteStays() {
    let bright = picture(PixelFormat(.yuv444, depth: 10), Colour(range: .limited)) { _, _ in [275, 275, 275] }
    let colours = OpponentColours(bright)
    let planes = (0..<3).map { colours.plane($0, of: bright) }
    planes[0].withPlanes { #expect($0[0].row(0, as: UInt16.self)[0] == 65535, "the plane ends at white") }
    #expect(colours.picture(bright, with: planes) == bright)
  }

  @Test func theMeanHasTheLeastNoise() {
    for (share, known) in zip(OpponentColours.noiseShares, [0.5774, 0.7071, 0.6124]) {
      #expect(abs(share - known) < 0.0001)
    }
  }
}

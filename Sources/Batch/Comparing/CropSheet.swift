import Foundation
import Frames
import Media

/// Cuts the same detail out of pictures of one size and puts the cuts side by side, enlarged.
struct CropSheet {
  private let pictures: [Picture]
  /// Of a cut, in samples of the pictures.
  private let size: (width: Int, height: Int)
  private static let enlargement = 3
  private static let gap = 6

  init(_ pictures: [Picture]) {
    self.pictures = pictures
    let width = pictures.map(\.width).min() ?? 1, height = pictures.map(\.height).min() ?? 1
    size = (min(width, 200), min(height, 200))
  }

  /// Writes PNG, JPEG, TIFF or WebP by the name's extension.
  func write(to path: String) throws {
    guard let format = PictureFormat(path: path), let last = pictures.last else {
      throw Failure("--image wants a name that ends in .png, .jpg, .tif or .webp", exitCode: .usage)
    }
    let place = mostDetailed(last)
    let cuts = try pictures.map { try cut($0, at: place) }
    let width = cuts.reduce(0) { $0 + $1.width } + Self.gap * (cuts.count - 1)
    let height = cuts[0].height
    let sheet = Picture(width: width, height: height, format: cuts[0].format, colour: cuts[0].colour) { planes in
      for (index, plane) in planes.enumerated() {
        for y in 0..<plane.height {
          plane.row(y, as: UInt8.self).update(repeating: index == 0 ? 255 : 128, count: plane.width)
        }
        var left = 0
        for cut in cuts {
          cut.withPlanes { from in
            for y in 0..<from[index].height {
              (plane.row(y, as: UInt8.self) + left).update(
                from: from[index].row(y, as: UInt8.self), count: from[index].width)
            }
          }
          left += cut.width + Self.gap
        }
      }
    }
    try PictureWriter(format).write(sheet, to: path)
  }

  /// A cut as 8 bit 4:4:4, enlarged so that its pixels can be seen.
  private func cut(_ picture: Picture, at place: (x: Int, y: Int)) throws -> Picture {
    let flat = PixelFormat(.yuv444, depth: 8)
    let whole = try Scaler(
      from: PictureLayout(width: picture.width, height: picture.height, format: picture.format),
      to: PictureLayout(width: picture.width, height: picture.height, format: flat)
    ).scale(picture)
    let times = Self.enlargement
    return whole.withPlanes { from in
      Picture(width: size.width * times, height: size.height * times, format: flat, colour: whole.colour) { planes in
        for (index, plane) in planes.enumerated() {
          for y in 0..<plane.height {
            let (row, source) = (plane.row(y, as: UInt8.self), from[index].row(place.y + y / times, as: UInt8.self))
            for x in 0..<plane.width { row[x] = source[place.x + x / times] }
          }
        }
      }
    }
  }

  /// The corner of the cut in which luma changes most from sample to sample.
  private func mostDetailed(_ picture: Picture) -> (x: Int, y: Int) {
    var best = (x: 0, y: 0, detail: -1)
    let stepX = max(size.width / 2, 1), stepY = max(size.height / 2, 1)
    picture.withPlanes { planes in
      func sample(_ x: Int, _ y: Int) -> Int {
        picture.format.bytesPerSample == 1
          ? Int(planes[0].row(y, as: UInt8.self)[x]) : Int(planes[0].row(y, as: UInt16.self)[x])
      }
      for y in stride(from: 0, through: picture.height - size.height, by: stepY) {
        for x in stride(from: 0, through: picture.width - size.width, by: stepX) {
          var detail = 0
          for row in stride(from: y, to: y + size.height, by: 2) {
            for column in stride(from: x + 1, to: x + size.width, by: 2) {
              detail += abs(sample(column, row) - sample(column - 1, row))
            }
          }
          if detail > best.detail { best = (x, y, detail) }
        }
      }
    }
    return (best.x, best.y)
  }
}

import Foundation
import Frames

/// How near a picture comes to another of the same size, on luma.
public struct PictureQuality: Sendable, Hashable {
  /// Mean square error, of samples scaled to 0...1.
  public var error: Double
  /// Structural similarity, 0...1: the mean over windows of 8x8 at every fourth sample.
  public var ssim: Double

  /// Decibels; infinite for equal pictures.
  public var psnr: Double { error > 0 ? -10 * log10(error) : .infinity }

  /// Throws a `Failure` where the pictures differ in size.
  public init(of picture: Picture, against reference: Picture) throws {
    guard picture.width == reference.width, picture.height == reference.height else {
      throw Failure(
        "\(picture.width)x\(picture.height) cannot be compared with \(reference.width)x\(reference.height)",
        exitCode: .usage)
    }
    let left = LumaPlane(picture), right = LumaPlane(reference)
    error = Self.meanSquare(left, right)
    ssim = Self.similarity(left, right)
  }

  private static func meanSquare(_ a: LumaPlane, _ b: LumaPlane) -> Double {
    var sum = 0.0
    for index in a.samples.indices {
      let difference = a.samples[index] - b.samples[index]
      sum += Double(difference * difference)
    }
    return sum / Double(max(a.samples.count, 1))
  }

  private static func similarity(_ a: LumaPlane, _ b: LumaPlane) -> Double {
    let columns = a.width / 4, rows = a.height / 4
    // Too small for a window: equal or not is all that can be said.
    guard columns >= 2, rows >= 2 else { return a.samples == b.samples ? 1 : 0 }
    let blocks = (0..<rows).map { row in (0..<columns).map { BlockSums(a, b, column: $0, row: row) } }
    var sum = 0.0
    for row in 1..<rows {
      for column in 1..<columns {
        sum += (blocks[row - 1][column - 1] + blocks[row - 1][column] + blocks[row][column - 1] + blocks[row][column])
          .similarity(count: 64)
      }
    }
    return sum / Double((rows - 1) * (columns - 1))
  }
}

/// Luma as numbers from 0 to 1, whatever its depth.
private struct LumaPlane {
  let width: Int
  let height: Int
  var samples: [Float]

  init(_ picture: Picture) {
    (width, height) = (picture.width, picture.height)
    samples = []
    samples.reserveCapacity(width * height)
    // Depths differ by a shift, as video defines them, so white is the same number in each.
    let scale = 1 / Float(255 << (picture.format.depth - 8))
    picture.withPlanes { planes in
      for y in 0..<height {
        if picture.format.bytesPerSample == 1 {
          let row = planes[0].row(y, as: UInt8.self)
          for x in 0..<width { samples.append(Float(row[x]) * scale) }
        } else {
          let row = planes[0].row(y, as: UInt16.self)
          for x in 0..<width { samples.append(Float(row[x]) * scale) }
        }
      }
    }
  }
}

/// The sums that similarity is made of, over a block of 4x4, or several.
private struct BlockSums {
  var a: Float = 0
  var b: Float = 0
  var aa: Float = 0
  var bb: Float = 0
  var ab: Float = 0

  init(_ left: LumaPlane, _ right: LumaPlane, column: Int, row: Int) {
    for y in row * 4..<row * 4 + 4 {
      let start = y * left.width + column * 4
      for index in start..<start + 4 {
        let (p, q) = (left.samples[index], right.samples[index])
        a += p
        b += q
        aa += p * p
        bb += q * q
        ab += p * q
      }
    }
  }

  static func + (left: BlockSums, right: BlockSums) -> BlockSums {
    var sum = left
    sum.a += right.a
    sum.b += right.b
    sum.aa += right.aa
    sum.bb += right.bb
    sum.ab += right.ab
    return sum
  }

  func similarity(count: Double) -> Double {
    let (ma, mb) = (Double(a) / count, Double(b) / count)
    let variance = max(Double(aa) / count - ma * ma, 0) + max(Double(bb) / count - mb * mb, 0)
    let covariance = Double(ab) / count - ma * mb
    let (c1, c2) = (0.01 * 0.01, 0.03 * 0.03)
    return (2 * ma * mb + c1) * (2 * covariance + c2) / ((ma * ma + mb * mb + c1) * (variance + c2))
  }
}

import Frames

/// The mean of red, green and blue and two differences of colour, for luma and chroma of one size.
///
/// They stand at right angles on each other, so noise that is independent on red, green and blue is independent on them,
/// too, which it is not on luma and chroma; and the mean has less of it, for the same contrast, than luma of any matrix
/// or any other sum of the three: 0.58 of that on each of them, where BT.601's luma has 0.67. What each plane is cleaned
/// of by itself is put back as luma and chroma. The planes are those of Dabov, Foi, Katkovnik and Egiazarian (2007).
///
/// What is taken away is what goes back: samples beyond black and white, and colours that RGB cannot hold, stay.
struct OpponentColours {
  /// Bits a sample of the planes: eight, with a fraction.
  static let depth = 16
  /// What independent noise of 1 on red, green and blue makes on each.
  static let noiseShares = weights.map { ($0.x * $0.x + $0.y * $0.y + $0.z * $0.z).squareRoot() }

  /// Of red, green and blue: the mean, red against blue, both against green.
  private static let weights: [SIMD3<Double>] = [[1 / 3, 1 / 3, 1 / 3], [1 / 2, 0, -1 / 2], [1 / 4, -1 / 2, 1 / 4]]
  private static let one = Double(1 << 32)

  private struct Row {
    let y, u, v, offset: Int64
    init(_ y: Double, _ u: Double, _ v: Double, offset: Double = 0) {
      func fixed(_ value: Double) -> Int64 { Int64((value * OpponentColours.one).rounded()) }
      (self.y, self.u, self.v) = (fixed(y), fixed(u), fixed(v))
      self.offset = fixed(offset + 0.5)
    }

    @inline(__always)
    func times(_ y: Int64, _ u: Int64, _ v: Int64) -> Int64 {
      (self.y &* y &+ self.u &* u &+ self.v &* v &+ offset) >> 32
    }
  }

  /// From samples to opponent planes, and from what these lose to what the samples lose.
  private let forth: [Row]
  private let back: [Row]
  private let format: PixelFormat

  /// - Parameter picture: of 4:4:4. Pictures of its format and colours are taken apart and put together.
  init(_ picture: Picture) {
    format = picture.format
    let (kr, kg, kb) = picture.colour.lumaWeights
    let full = picture.colour.range == .full
    let step = Double(1 << (format.depth - 8))
    let (black, lumaSpan) = full ? (0, Double(format.maximum)) : (16 * step, 219 * step)
    let (neutral, chromaSpan) = (128 * step, full ? Double(format.maximum) : 224 * step)
    let white = Double(255 << (OpponentColours.depth - 8))
    // What luma, Cb and Cr are worth in red, green and blue.
    let luma = SIMD3<Double>(repeating: white / lumaSpan)
    let (u, v) = (2 * (1 - kb) * white / chromaSpan, 2 * (1 - kr) * white / chromaSpan)
    let cb = SIMD3(0, -kb / kg * u, u), cr = SIMD3(v, -kr / kg * v, 0)
    forth = OpponentColours.weights.enumerated().map { index, weights in
      let (y, u, v) = ((weights * luma).sum(), (weights * cb).sum(), (weights * cr).sum())
      let middle = index == 0 ? 0 : Double(1 << (OpponentColours.depth - 1))
      return Row(y, u, v, offset: middle - y * black - (u + v) * neutral)
    }
    // Red, green and blue of the three: mean + 2/3 both + red, mean - 4/3 both, mean + 2/3 both - red.
    let opponents: [SIMD3<Double>] = [[1, 1, 1], [1, 0, -1], [2 / 3, -4 / 3, 2 / 3]]
    let sums: [(weights: SIMD3<Double>, scale: Double)] = [
      ([kr, kg, kb], lumaSpan / white),
      (SIMD3(-kr, -kg, 1 - kb) / (2 * (1 - kb)), chromaSpan / white),
      (SIMD3(1 - kr, -kg, -kb) / (2 * (1 - kr)), chromaSpan / white),
    ]
    back = sums.map { sum in
      let rows = opponents.map { (sum.weights * $0).sum() * sum.scale }
      return Row(rows[0], rows[1], rows[2])
    }
  }

  /// One opponent plane, as a picture of grey.
  func plane(_ index: Int, of picture: Picture) -> Picture {
    Picture(
      width: picture.width, height: picture.height, format: PixelFormat(.none, depth: OpponentColours.depth)
    ) { targets in
      picture.withPlanes { planes in
        for y in 0..<picture.height {
          if format.depth > 8 {
            split(planes, y, forth[index], into: targets[0], as: UInt16.self)
          } else {
            split(planes, y, forth[index], into: targets[0], as: UInt8.self)
          }
        }
      }
    }
  }

  /// `picture` without what its opponent planes have lost in `cleaned`; nil stands for one that is what it was.
  func picture(_ picture: Picture, with cleaned: [Picture?]) -> Picture {
    Picture(like: picture) { targets in
      picture.withPlanes { planes in
        if let alpha = format.alphaPlane { targets[alpha].copyRows(from: planes[alpha], format) }
        for y in 0..<picture.height {
          if format.depth > 8 {
            join(planes, y, cleaned, into: targets, as: UInt16.self)
          } else {
            join(planes, y, cleaned, into: targets, as: UInt8.self)
          }
        }
      }
    }
  }

  private func split<Sample: FixedWidthInteger & UnsignedInteger>(
    _ planes: [Plane], _ y: Int, _ row: Row, into target: MutablePlane, as _: Sample.Type
  ) {
    let luma = planes[0].row(y, as: Sample.self)
    let (cb, cr) = (planes[1].row(y, as: Sample.self), planes[2].row(y, as: Sample.self))
    let out = target.row(y, as: UInt16.self)
    for x in 0..<target.width { out[x] = OpponentColours.sample(row, Int64(luma[x]), Int64(cb[x]), Int64(cr[x])) }
  }

  private func join<Sample: FixedWidthInteger & UnsignedInteger>(
    _ planes: [Plane], _ y: Int, _ cleaned: [Picture?], into targets: [MutablePlane], as _: Sample.Type
  ) {
    let sources = planes[..<3].map { $0.row(y, as: Sample.self) }
    let outs = targets[..<3].map { $0.row(y, as: Sample.self) }
    let (width, maximum) = (targets[0].width, Int64(format.maximum))
    withUnsafeTemporaryAllocation(of: Int64.self, capacity: 3 * width) { changes in
      changes.initialize(repeating: 0)
      for (index, plane) in cleaned.enumerated() {
        plane?.withPlanes { clean in
          let row = clean[0].row(y, as: UInt16.self)
          for x in 0..<width {
            let noisy = OpponentColours.sample(
              forth[index], Int64(sources[0][x]), Int64(sources[1][x]), Int64(sources[2][x]))
            changes[index * width + x] = Int64(row[x]) - Int64(noisy)
          }
        }
      }
      for (index, row) in back.enumerated() {
        for x in 0..<width {
          let change = row.times(changes[x], changes[width + x], changes[2 * width + x])
          outs[index][x] = Sample(truncatingIfNeeded: max(0, min(Int64(sources[index][x]) &+ change, maximum)))
        }
      }
    }
  }

  @inline(__always)
  private static func sample(_ row: Row, _ y: Int64, _ u: Int64, _ v: Int64) -> UInt16 {
    UInt16(truncatingIfNeeded: max(0, min(row.times(y, u, v), 65535)))
  }
}

import Frames

/// The way between RGB and luma and chroma, in integers, for one matrix, range and depth.
///
/// 8-bit RGB comes back unchanged from 4:4:4 of 10 bits or more.
struct RGBMatrix: Sendable {
  private let shift: Int64 = 32
  private let offset: Int64
  /// Chroma without colour.
  let neutral: Int64
  private let maximum: Int64
  private let largest: Int64
  private let toY: (Int64, Int64, Int64)
  private let toB: (Int64, Int64, Int64)
  private let toR: (Int64, Int64, Int64)
  private let luma: Int64
  private let redOfV: Int64
  private let greenOfU: Int64
  private let greenOfV: Int64
  private let blueOfU: Int64

  /// - Parameters:
  ///   - depth: bits of luma and chroma. - rgbDepth: bits of red, green and blue, 8 or 16.
  ///   - shiftedFrom: the depth that luma and chroma had before they were shifted up to `depth`, so that full range
  ///     ends below the largest number. - rgbShiftedFrom: the same of red, green and blue.
  init(_ colour: Colour, depth: Int, rgbDepth: Int, shiftedFrom: Int? = nil, rgbShiftedFrom: Int? = nil) {
    let (kr, kg, kb) = colour.lumaWeights
    let full = colour.range == .full
    let one = Double(1 << depth)
    let peak = Double(1 << rgbDepth - 1 << (rgbDepth - (rgbShiftedFrom ?? rgbDepth)))
    let top = one - Double(1 << (depth - (shiftedFrom ?? depth)))
    let lumaSpan = full ? top : 219 * one / 256
    let chromaSpan = full ? top : 224 * one / 256
    offset = full ? 0 : Int64(one / 16)
    neutral = Int64(one / 2)
    maximum = Int64(one) - 1
    largest = Int64(peak)
    // RGB has up to 16 bits, YUV up to 16, both with 32 of fraction: products stay below 2^52.
    let scale = 4294967296.0
    func fixed(_ value: Double) -> Int64 { Int64((value * scale).rounded()) }
    let (y, c) = (lumaSpan / peak, chromaSpan / peak)
    toY = (fixed(kr * y), fixed(kg * y), fixed(kb * y))
    toB = (fixed(-kr / (2 - 2 * kb) * c), fixed(-kg / (2 - 2 * kb) * c), fixed(c / 2))
    toR = (fixed(c / 2), fixed(-kg / (2 - 2 * kr) * c), fixed(-kb / (2 - 2 * kr) * c))
    luma = fixed(peak / lumaSpan)
    let back = peak / chromaSpan
    redOfV = fixed((2 - 2 * kr) * back)
    blueOfU = fixed((2 - 2 * kb) * back)
    greenOfU = fixed(-(2 - 2 * kb) * kb / kg * back)
    greenOfV = fixed(-(2 - 2 * kr) * kr / kg * back)
  }

  @inline(__always)
  func yuv(_ r: Int64, _ g: Int64, _ b: Int64) -> (UInt16, UInt16, UInt16) {
    let half = Int64(1) << (shift - 1)
    let y = (toY.0 * r + toY.1 * g + toY.2 * b + half) >> shift + offset
    let u = (toB.0 * r + toB.1 * g + toB.2 * b + half) >> shift + neutral
    let v = (toR.0 * r + toR.1 * g + toR.2 * b + half) >> shift + neutral
    return (clip(y, maximum), clip(u, maximum), clip(v, maximum))
  }

  @inline(__always)
  func rgb(_ y: Int64, _ u: Int64, _ v: Int64) -> (UInt16, UInt16, UInt16) {
    let half = Int64(1) << (shift - 1)
    let (l, p, q) = (luma * (y - offset) + half, u - neutral, v - neutral)
    let r = (l + redOfV * q) >> shift
    let g = (l + greenOfU * p + greenOfV * q) >> shift
    let b = (l + blueOfU * p) >> shift
    return (clip(r, largest), clip(g, largest), clip(b, largest))
  }

  @inline(__always)
  private func clip(_ value: Int64, _ maximum: Int64) -> UInt16 {
    UInt16(truncatingIfNeeded: max(0, min(value, maximum)))
  }
}

/// Red, green, blue (and opacity) side by side, as codecs of still pictures want them.
struct PackedRGB {
  let base: UnsafeMutableRawPointer
  let stride: Int
  let width: Int
  let height: Int
  /// 3 or 4.
  let channels: Int
  /// 8 or 16.
  let depth: Int

  /// Fills the planes of a 4:4:4 picture.
  func unpack(into planes: [MutablePlane], format: PixelFormat, _ colour: Colour) {
    let matrix = RGBMatrix(colour, depth: format.depth, rgbDepth: depth)
    for y in 0..<height {
      let row = base + y * stride
      if depth == 8 {
        unpackRow(row.assumingMemoryBound(to: UInt8.self), y, planes, matrix, format)
      } else {
        unpackRow(row.assumingMemoryBound(to: UInt16.self), y, planes, matrix, format)
      }
    }
  }

  @inline(__always)
  private func unpackRow<Sample: FixedWidthInteger>(
    _ row: UnsafePointer<Sample>, _ y: Int, _ planes: [MutablePlane], _ matrix: RGBMatrix, _ format: PixelFormat
  ) {
    let luma = planes[0].row(y, as: UInt16.self)
    let (cb, cr) = (planes[1].row(y, as: UInt16.self), planes[2].row(y, as: UInt16.self))
    let alpha = channels == 4 ? format.alphaPlane.map { planes[$0].row(y, as: UInt16.self) } : nil
    for x in 0..<width {
      let pixel = row + x * channels
      (luma[x], cb[x], cr[x]) = matrix.yuv(Int64(pixel[0]), Int64(pixel[1]), Int64(pixel[2]))
      if let alpha { alpha[x] = PackedRGB.rescale(Int(pixel[3]), depth, format.depth) }
    }
  }

  /// Fills this from the planes of a 4:4:4 picture of more than 8 bits, which had `original` bits before.
  func pack(_ planes: [Plane], format: PixelFormat, _ colour: Colour, shiftedFrom original: Int) {
    let matrix = RGBMatrix(colour, depth: format.depth, rgbDepth: depth, shiftedFrom: original)
    for y in 0..<height {
      let row = base + y * stride
      if depth == 8 {
        packRow(row.assumingMemoryBound(to: UInt8.self), y, planes, matrix, format, original)
      } else {
        packRow(row.assumingMemoryBound(to: UInt16.self), y, planes, matrix, format, original)
      }
    }
  }

  @inline(__always)
  private func packRow<Sample: FixedWidthInteger>(
    _ row: UnsafeMutablePointer<Sample>, _ y: Int, _ planes: [Plane], _ matrix: RGBMatrix, _ format: PixelFormat,
    _ original: Int
  ) {
    let luma = planes[0].row(y, as: UInt16.self)
    let (cb, cr) = (planes[1].row(y, as: UInt16.self), planes[2].row(y, as: UInt16.self))
    let alpha = channels == 4 ? format.alphaPlane.map { planes[$0].row(y, as: UInt16.self) } : nil
    for x in 0..<width {
      let pixel = row + x * channels
      let (r, g, b) = matrix.rgb(Int64(luma[x]), Int64(cb[x]), Int64(cr[x]))
      pixel[0] = Sample(truncatingIfNeeded: r)
      pixel[1] = Sample(truncatingIfNeeded: g)
      pixel[2] = Sample(truncatingIfNeeded: b)
      if let alpha {
        let opacity = Int(alpha[x]) >> (format.depth - original)
        pixel[3] = Sample(truncatingIfNeeded: PackedRGB.rescale(opacity, original, depth))
      }
    }
  }

  /// A full-range sample of `from` bits in `to` bits, rounded.
  @inline(__always)
  static func rescale(_ value: Int, _ from: Int, _ to: Int) -> UInt16 {
    let (a, b) = ((1 << from) - 1, (1 << to) - 1)
    return UInt16(truncatingIfNeeded: min((value * b + a / 2) / a, b))
  }
}

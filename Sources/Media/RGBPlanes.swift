import Frames

/// Planes of red, green and blue, 16 bits a sample: eight bits with a fraction, as networks take them. 0 is black,
/// 255 · 2⁸ white.
public struct RGBPlanes: Sendable {
  public static let depth = 16
  /// Red, green and blue where luma and chroma would be.
  private let storage: Picture

  /// Allocates the planes and lets `fill` write every sample of them.
  public init(width: Int, height: Int, fill: ([MutablePlane]) throws -> Void) rethrows {
    storage = try Picture(
      width: width, height: height, format: PixelFormat(.yuv444, depth: RGBPlanes.depth), fill: fill)
  }

  public var width: Int { storage.width }
  public var height: Int { storage.height }

  /// Lends red, green and blue for the length of `body`.
  public func withPlanes<Result>(_ body: ([Plane]) throws -> Result) rethrows -> Result {
    try storage.withPlanes(body)
  }

  /// Samples of eight bits: [plane][y][x].
  public var bytes: [UInt8] {
    withPlanes { planes in
      planes.flatMap { plane in
        (0..<plane.height).flatMap { y in
          let row = plane.row(y, as: UInt16.self)
          return (0..<plane.width).map { UInt8(truncatingIfNeeded: min((Int(row[$0]) + 128) >> 8, 255)) }
        }
      }
    }
  }
}

/// Makes RGB of pictures and the other way round, by each picture's own matrix and range: for what works on RGB alone.
///
/// Chroma that is smaller than luma is interpolated where it is sited. Colours that RGB cannot hold are cut off; luma of
/// all others comes back unchanged. Used by one thread at a time.
public final class RGBConverter {
  private var widener: Scaler?
  private var narrower: Scaler?

  public init() {}

  /// A picture's red, green and blue, without its opacity. Grey is all three alike.
  public func planes(of picture: Picture) throws -> RGBPlanes {
    var (full, original) = (picture.withoutAlpha, picture.format.depth)
    if RGBConverter.isReduced(picture.format) {
      full = try scale(full, to: PixelFormat(.yuv444, depth: 16), &widener)
    } else {
      original = full.format.depth
    }
    let matrix = RGBMatrix(
      picture.colour, depth: full.format.depth, rgbDepth: RGBPlanes.depth, shiftedFrom: original, rgbShiftedFrom: 8)
    return full.withPlanes { from in
      RGBPlanes(width: picture.width, height: picture.height) { to in
        for y in 0..<picture.height {
          if full.format.depth > 8 {
            RGBConverter.unpack(from, y, to, matrix, as: UInt16.self)
          } else {
            RGBConverter.unpack(from, y, to, matrix, as: UInt8.self)
          }
        }
      }
    }
  }

  /// A picture of the format and the colours of `source`, and of the size of `rgb`.
  ///
  /// - Parameter opacity: fills the opacity where the format has it.
  public func picture(
    of rgb: RGBPlanes, like source: Picture, opacity: (MutablePlane) throws -> Void
  ) throws -> Picture {
    let (format, colour, aspect) = (source.format, source.colour, source.sampleAspectRatio)
    let (width, height) = (rgb.width, rgb.height)
    guard RGBConverter.isReduced(format) else {
      return try Picture(width: width, height: height, format: format, colour: colour, sampleAspectRatio: aspect) {
        RGBConverter.pack(rgb, into: $0, format, colour)
        if let plane = format.alphaPlane { try opacity($0[plane]) }
      }
    }
    let whole = PixelFormat(.yuv444, depth: format.depth)
    let full = Picture(width: width, height: height, format: whole, colour: colour) {
      RGBConverter.pack(rgb, into: $0, whole, colour)
    }
    let reduced = try scale(full, to: format.withoutAlpha, &narrower)
    return try reduced.withPlanes { planes in
      guard let alpha = format.alphaPlane else {
        return Picture(
          lending: planes, owner: reduced, width: width, height: height, format: format, colour: colour,
          sampleAspectRatio: aspect)
      }
      return try Picture(width: width, height: height, format: format, colour: colour, sampleAspectRatio: aspect) {
        for (plane, target) in zip(planes, $0) { target.copyRows(from: plane, format) }
        try opacity($0[alpha])
      }
    }
  }

  /// Whether chroma has a size of its own.
  private static func isReduced(_ format: PixelFormat) -> Bool { format.chroma != .none && format.chroma != .yuv444 }

  private func scale(_ picture: Picture, to format: PixelFormat, _ cached: inout Scaler?) throws -> Picture {
    let from = PictureLayout(width: picture.width, height: picture.height, format: picture.format)
    let to = PictureLayout(width: picture.width, height: picture.height, format: format)
    if let cached, cached.input == from, cached.output == to { return try cached.scale(picture) }
    let scaler = try Scaler(from: from, to: to)
    cached = scaler
    return try scaler.scale(picture)
  }

  @inline(__always)
  private static func unpack<Sample: FixedWidthInteger & UnsignedInteger>(
    _ from: [Plane], _ y: Int, _ to: [MutablePlane], _ matrix: RGBMatrix, as _: Sample.Type
  ) {
    let luma = from[0].row(y, as: Sample.self)
    let red = to[0].row(y, as: UInt16.self)
    let (green, blue) = (to[1].row(y, as: UInt16.self), to[2].row(y, as: UInt16.self))
    if from.count == 1 {
      for x in 0..<from[0].width {
        (red[x], green[x], blue[x]) = matrix.rgb(Int64(luma[x]), matrix.neutral, matrix.neutral)
      }
    } else {
      let (cb, cr) = (from[1].row(y, as: Sample.self), from[2].row(y, as: Sample.self))
      for x in 0..<from[0].width {
        (red[x], green[x], blue[x]) = matrix.rgb(Int64(luma[x]), Int64(cb[x]), Int64(cr[x]))
      }
    }
  }

  private static func pack(_ rgb: RGBPlanes, into planes: [MutablePlane], _ format: PixelFormat, _ colour: Colour) {
    let matrix = RGBMatrix(colour, depth: format.depth, rgbDepth: RGBPlanes.depth, rgbShiftedFrom: 8)
    rgb.withPlanes { from in
      for y in 0..<rgb.height {
        if format.depth > 8 {
          packRow(from, y, planes, hasChroma: format.chroma != .none, matrix, as: UInt16.self)
        } else {
          packRow(from, y, planes, hasChroma: format.chroma != .none, matrix, as: UInt8.self)
        }
      }
    }
  }

  @inline(__always)
  private static func packRow<Sample: FixedWidthInteger & UnsignedInteger>(
    _ from: [Plane], _ y: Int, _ to: [MutablePlane], hasChroma: Bool, _ matrix: RGBMatrix, as _: Sample.Type
  ) {
    let red = from[0].row(y, as: UInt16.self)
    let (green, blue) = (from[1].row(y, as: UInt16.self), from[2].row(y, as: UInt16.self))
    let luma = to[0].row(y, as: Sample.self)
    // Grey has luma alone: what would be chroma is written over by it.
    let (cb, cr) = hasChroma ? (to[1].row(y, as: Sample.self), to[2].row(y, as: Sample.self)) : (luma, luma)
    for x in 0..<from[0].width {
      let (l, u, v) = matrix.yuv(Int64(red[x]), Int64(green[x]), Int64(blue[x]))
      cb[x] = Sample(truncatingIfNeeded: u)
      cr[x] = Sample(truncatingIfNeeded: v)
      luma[x] = Sample(truncatingIfNeeded: l)
    }
  }
}

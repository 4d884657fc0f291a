import CFFmpeg
import Frames

/// How new samples are made of old ones.
public enum ScalingFilter: String, Sendable, Hashable, Codable, CaseIterable {
  case nearest, bilinear, bicubic, lanczos, area

  var flag: Int32 {
    switch self {
    case .nearest: SWS_POINT
    case .bilinear: SWS_BILINEAR
    case .bicubic: SWS_BICUBIC
    case .lanczos: SWS_LANCZOS
    case .area: SWS_AREA
    }
  }
}

/// Size and layout of the pictures that a `Scaler` takes or makes.
public struct PictureLayout: Sendable, Hashable {
  public var width: Int
  public var height: Int
  public var format: PixelFormat

  public init(width: Int, height: Int, format: PixelFormat) {
    (self.width, self.height, self.format) = (width, height, format)
  }
}

/// Changes the size, chroma format, depth or range of pictures by libswscale, exactly: the same bits on any CPU.
///
/// Chroma keeps its place: left of the luma pair where 4:2:0 does not say otherwise, centred in full range (JPEG).
/// Used by one thread at a time.
public final class Scaler {
  public let input: PictureLayout
  public let output: PictureLayout
  private let filter: ScalingFilter
  /// The range of what comes out; nil keeps the input's.
  private let range: Colour.Range?
  private var cached: (colour: Colour, context: ScalerHandle)?
  /// Grey with alpha, which libswscale has not in planes, is scaled as two grey pictures.
  private let alphaPart: Scaler?

  public init(
    from input: PictureLayout, to output: PictureLayout, filter: ScalingFilter = .bicubic, range: Colour.Range? = nil
  ) throws {
    FFmpeg.prepare()
    (self.input, self.output, self.filter, self.range) = (input, output, filter, range)
    let grey = input.format.chroma == .none && output.format.chroma == .none
    if grey, input.format.alpha, output.format.alpha {
      alphaPart = try Scaler(from: input.withoutAlpha, to: output.withoutAlpha, filter: filter)
      return
    }
    alphaPart = nil
    let (from, to) = (grey ? input.withoutAlpha : input, grey ? output.withoutAlpha : output)
    guard from.format.av != nil, to.format.av != nil, !grey || !output.format.alpha else {
      throw Failure("cannot convert \(input.format) to \(output.format)")
    }
  }

  /// A picture of the output's size and format. `picture` has the input's.
  public func scale(_ picture: Picture) throws -> Picture {
    guard picture.width == input.width, picture.height == input.height, picture.format == input.format else {
      throw Failure("the picture changed to \(picture.width)x\(picture.height) \(picture.format) in mid-stream")
    }
    if let alphaPart { return try scaleGreyWithAlpha(picture, alphaPart) }
    let format = input.format.chroma == .none ? input.format.withoutAlpha : input.format
    guard let from = format.av, let to = output.format.av else { throw Failure("cannot convert \(format)") }
    let context = try handle(from, to, picture.colour)
    return try Picture(
      width: output.width, height: output.height, format: output.format, colour: newColour(picture.colour),
      sampleAspectRatio: aspect(picture.sampleAspectRatio)
    ) { planes in
      try picture.withPlanes {
        try context.scale(Array($0.prefix(format.planeCount)), into: planes, rows: input.height)
      }
    }
  }

  private func scaleGreyWithAlpha(_ picture: Picture, _ part: Scaler) throws -> Picture {
    let halves = try picture.withPlanes { planes in
      try planes.map { plane in
        try part.scale(
          Picture(
            lending: [plane], owner: picture, width: picture.width, height: picture.height,
            format: picture.format.withoutAlpha, colour: picture.colour, sampleAspectRatio: picture.sampleAspectRatio))
      }
    }
    return Picture(
      width: output.width, height: output.height, format: output.format, colour: newColour(picture.colour),
      sampleAspectRatio: aspect(picture.sampleAspectRatio)
    ) { planes in
      for (target, half) in zip(planes, halves) { half.withPlanes { target.copyRows(from: $0[0], output.format) } }
    }
  }

  private func handle(_ from: AVPixelFormat, _ to: AVPixelFormat, _ colour: Colour) throws -> ScalerHandle {
    if let cached, cached.colour == colour { return cached.context }
    let end = newColour(colour)
    let context = try ScalerHandle(
      from: .init(input, from, colour), to: .init(output, to, end), flags: filter.flag)
    cached = (colour, context)
    return context
  }

  private func newColour(_ colour: Colour) -> Colour {
    var result = colour
    if let range { result.range = range }
    if output.format.chroma != .yuv420 {
      result.chromaLocation = input.format.chroma == .yuv420 ? 0 : colour.chromaLocation
    }
    return result
  }

  /// The shape of a pixel after scaling: that of the whole picture stays, whatever its size.
  public func aspect(_ aspect: Rational) -> Rational {
    guard aspect.isValid else { return aspect }
    var (num, den): (Int32, Int32) = (0, 1)
    let across = Int64(input.width).multipliedReportingOverflow(by: Int64(output.height))
    let down = Int64(output.width).multipliedReportingOverflow(by: Int64(input.height))
    av_reduce(&num, &den, across.partialValue, down.partialValue, 1 << 20)
    return Rational(av_mul_q(aspect.av, AVRational(num: num, den: den)))
  }
}

/// One end of a conversion as libswscale is told it.
struct ScalerEnd {
  var width: Int
  var height: Int
  var format: AVPixelFormat
  var full: Bool
  var matrix: Int
  /// Where chroma lies, in 1/256 of a luma sample.
  var chroma: (x: Int64, y: Int64)

  init(_ layout: PictureLayout, _ format: AVPixelFormat, _ colour: Colour) {
    self.init(width: layout.width, height: layout.height, format: format, colour: colour)
  }

  init(width: Int, height: Int, format: AVPixelFormat, colour: Colour) {
    (self.width, self.height, self.format) = (width, height, format)
    full = colour.range == .full || PixelFormat.isFullRangeTwin(format)
    matrix = colour.matrix
    let description = format.description
    let (across, down) = (Int64(description?.log2_chroma_w ?? 0), Int64(description?.log2_chroma_h ?? 0))
    // Centred is half of the samples that one chroma sample stands for.
    let (middle, centre): (Int64, Int64) = ((128 << down) - 128, (128 << across) - 128)
    let bottom: Int64 = 256 * ((1 << down) - 1)
    switch colour.chromaLocation {
    case 1: chroma = (0, middle)
    case 2: chroma = (centre, middle)
    case 3: chroma = (0, 0)
    case 4: chroma = (centre, 0)
    case 5: chroma = (0, bottom)
    case 6: chroma = (centre, bottom)
    default: chroma = (full ? centre : 0, middle)
    }
  }
}

final class ScalerHandle {
  private let context: OpaquePointer

  init(from: ScalerEnd, to: ScalerEnd, flags: Int32) throws {
    FFmpeg.prepare()
    guard let context = sws_alloc_context() else { throw Failure.outOfMemory }
    self.context = context
    let raw = UnsafeMutableRawPointer(context)
    // Chroma is interpolated at full precision, and the same on every CPU.
    let all = flags | SWS_ACCURATE_RND | SWS_BITEXACT | SWS_FULL_CHR_H_INT | SWS_FULL_CHR_H_INP
    for (name, value) in [
      ("srcw", Int64(from.width)), ("srch", Int64(from.height)), ("src_format", Int64(from.format.rawValue)),
      ("dstw", Int64(to.width)), ("dsth", Int64(to.height)), ("dst_format", Int64(to.format.rawValue)),
      ("src_range", from.full ? 1 : 0), ("dst_range", to.full ? 1 : 0),
      ("src_h_chr_pos", from.chroma.x), ("src_v_chr_pos", from.chroma.y),
      ("dst_h_chr_pos", to.chroma.x), ("dst_v_chr_pos", to.chroma.y), ("sws_flags", Int64(all)),
    ] {
      av_opt_set_int(raw, name, value, 0)
    }
    let code = sws_init_context(context, nil, nil)
    guard code >= 0 else {
      throw FFmpeg.failure("cannot convert \(from.format.name) to \(to.format.name)", code, place: "")
    }
    sws_setColorspaceDetails(
      context, sws_getCoefficients(ScalerHandle.coefficients(from.matrix)), from.full ? 1 : 0,
      sws_getCoefficients(ScalerHandle.coefficients(to.matrix)), to.full ? 1 : 0, 0, 1 << 16, 1 << 16)
  }

  deinit { sws_freeContext(context) }

  private static func coefficients(_ matrix: Int) -> Int32 {
    switch matrix {
    case 1: SWS_CS_ITU709
    case 4: SWS_CS_FCC
    case 7: SWS_CS_SMPTE240M
    case 9, 10: SWS_CS_BT2020
    default: SWS_CS_ITU601
    }
  }

  func scale(_ source: [Plane], into target: [MutablePlane], rows: Int) throws {
    var from = [UnsafePointer<UInt8>?](repeating: nil, count: 4)
    var fromStride = [Int32](repeating: 0, count: 4)
    for (index, plane) in source.prefix(4).enumerated() {
      from[index] = plane.base.assumingMemoryBound(to: UInt8.self)
      fromStride[index] = Int32(clamping: plane.stride)
    }
    var to = [UnsafeMutablePointer<UInt8>?](repeating: nil, count: 4)
    var toStride = [Int32](repeating: 0, count: 4)
    for (index, plane) in target.prefix(4).enumerated() {
      to[index] = plane.base.assumingMemoryBound(to: UInt8.self)
      toStride[index] = Int32(clamping: plane.stride)
    }
    let made = sws_scale(context, &from, &fromStride, 0, Int32(rows), &to, &toStride)
    guard made > 0 else { throw FFmpeg.failure("cannot convert the picture", made, place: "") }
  }

  /// Converts a frame of FFmpeg's, palettes included.
  func scale(_ frame: FrameHandle, into target: [MutablePlane]) throws {
    let pointer = frame.pointer
    let planes = (0..<4).prefix { cffmpeg_plane(pointer, Int32($0)) != nil }.compactMap { index in
      cffmpeg_plane(pointer, Int32(index)).map {
        Plane(base: UnsafeRawPointer($0), stride: Int(cffmpeg_stride(pointer, Int32(index))), width: 0, height: 0)
      }
    }
    try scale(planes, into: target, rows: Int(pointer.pointee.height))
  }
}

extension PixelFormat {
  var withoutAlpha: PixelFormat { PixelFormat(chroma, depth: depth) }
}

extension PictureLayout {
  var withoutAlpha: PictureLayout { PictureLayout(width: width, height: height, format: format.withoutAlpha) }
}

extension MutablePlane {
  public func copyRows(from source: Plane, _ format: PixelFormat) {
    for y in 0..<min(height, source.height) {
      (base + y * stride).copyMemory(
        from: source.base + y * source.stride, byteCount: min(width, source.width) * format.bytesPerSample)
    }
  }
}

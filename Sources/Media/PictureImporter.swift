import CFFmpeg
import Frames

/// Makes `Picture`s of decoded frames: lends their planes where the layout is ours, converts where it is not.
final class PictureImporter {
  private let isStill: Bool
  /// Whether the codec has no transparency, whatever its pixel format: CMYK comes with a plane of it.
  private let isOpaque: Bool
  /// Whether light beyond white was cut off.
  private(set) var clipped = false
  private var cached: (key: Key, handle: ScalerHandle)?
  private struct Key: Hashable {
    var width: Int32, height: Int32, format: Int32
    var colour: Colour
  }

  init(isStill: Bool, isOpaque: Bool = false) { (self.isStill, self.isOpaque) = (isStill, isOpaque) }

  /// The bits a sample that the codec gave, before RGB became luma and chroma of more.
  static func codedDepth(_ frame: FrameHandle) -> Int {
    AVPixelFormat(frame.pointer.pointee.format).depth
  }

  func picture(_ frame: FrameHandle) throws -> Picture {
    let source = frame.pointer.pointee
    let format = AVPixelFormat(source.format)
    var layout = try PixelFormat(holding: format)
    if isOpaque { layout.alpha = false }
    if format.isFloat { clipped = clipped || hasLightBeyondWhite(frame, format) }
    let colour = self.colour(frame, layout)
    let aspect = source.sample_aspect_ratio
    let shape = aspect.num > 0 && aspect.den > 0 ? Rational(aspect) : Rational(0, 1)
    let (width, height) = (Int(source.width), Int(source.height))
    guard width > 0, height > 0 else { throw Failure("a frame has no pixels") }

    if let own = PixelFormat(format), own == layout || (isOpaque && own.withoutAlpha == layout),
      let planes = lendable(frame, layout, width, height)
    {
      return Picture(
        lending: planes, owner: frame, width: width, height: height, format: layout, colour: colour,
        sampleAspectRatio: shape)
    }
    if format.isRGB {
      let packed = try packedRGB(frame, alpha: layout.alpha, deep: format.depth > 8, colour)
      return Picture(
        width: width, height: height, format: layout, colour: colour, sampleAspectRatio: shape
      ) { planes in
        packed.withPlanes { rows in
          PackedRGB(
            base: UnsafeMutableRawPointer(mutating: rows[0].base), stride: rows[0].stride, width: width, height: height,
            channels: layout.alpha ? 4 : 3, depth: format.depth > 8 ? 16 : 8
          ).unpack(into: planes, format: layout, colour)
        }
      }
    }
    if layout.chroma == .none && layout.alpha { return try greyWithAlpha(frame, layout, colour, shape) }
    guard let target = layout.av else { throw Failure("its pixel format \(format.name) is not supported") }
    let handle = try scaler(frame, format, target, colour)
    return try Picture(
      width: width, height: height, format: layout, colour: colour, sampleAspectRatio: shape
    ) { try handle.scale(frame, into: $0) }
  }

  private func hasLightBeyondWhite(_ frame: FrameHandle, _ format: AVPixelFormat) -> Bool {
    let (width, height) = (Int(frame.pointer.pointee.width), Int(frame.pointer.pointee.height))
    for index in 0..<(format.isRGB ? 3 : 1) {
      guard let base = cffmpeg_plane(frame.pointer, Int32(index)) else { return false }
      let stride = Int(cffmpeg_stride(frame.pointer, Int32(index)))
      for y in 0..<height {
        let row = UnsafeRawPointer(base) + y * stride
        for x in 0..<width {
          let value = Float(bitPattern: UInt32(littleEndian: row.loadUnaligned(fromByteOffset: 4 * x, as: UInt32.self)))
          if !(value <= 1.001) { return true }
        }
      }
    }
    return false
  }

  private func lendable(_ frame: FrameHandle, _ layout: PixelFormat, _ width: Int, _ height: Int) -> [Plane]? {
    var planes: [Plane] = []
    for index in 0..<layout.planeCount {
      let stride = Int(cffmpeg_stride(frame.pointer, Int32(index)))
      let size = layout.planeSize(index, width: width, height: height)
      // Upside down, not there, or cropped to where filters in assembly cannot read.
      guard let base = cffmpeg_plane(frame.pointer, Int32(index)), stride >= size.width * layout.bytesPerSample,
        UInt(bitPattern: base) % 32 == 0
      else { return nil }
      planes.append(Plane(base: UnsafeRawPointer(base), stride: stride, width: size.width, height: size.height))
    }
    return planes
  }

  /// The frame's RGB in one of four plain layouts, as a one-plane picture of bytes or 16-bit words.
  private func packedRGB(_ frame: FrameHandle, alpha: Bool, deep: Bool, _ colour: Colour) throws -> Picture {
    let format = AVPixelFormat(frame.pointer.pointee.format)
    let target =
      switch (deep, alpha) {
      case (false, false): AV_PIX_FMT_RGB24
      case (false, true): AV_PIX_FMT_RGBA
      case (true, false): AV_PIX_FMT_RGB48LE
      case (true, true): AV_PIX_FMT_RGBA64LE
      }
    let (width, height) = (Int(frame.pointer.pointee.width), Int(frame.pointer.pointee.height))
    let row = PixelFormat(.none, depth: deep ? 16 : 8)
    if format == target, let base = cffmpeg_plane(frame.pointer, 0), cffmpeg_stride(frame.pointer, 0) > 0 {
      let plane = Plane(
        base: UnsafeRawPointer(base), stride: Int(cffmpeg_stride(frame.pointer, 0)), width: width * (alpha ? 4 : 3),
        height: height)
      return Picture(lending: [plane], owner: frame, width: plane.width, height: height, format: row)
    }
    let handle = try scaler(frame, format, target, colour)
    return try Picture(width: width * (alpha ? 4 : 3), height: height, format: row) {
      try handle.scale(frame, into: $0)
    }
  }

  private func greyWithAlpha(
    _ frame: FrameHandle, _ layout: PixelFormat, _ colour: Colour, _ shape: Rational
  ) throws -> Picture {
    let format = AVPixelFormat(frame.pointer.pointee.format)
    guard [AV_PIX_FMT_YA8, AV_PIX_FMT_YA16LE, AV_PIX_FMT_YA16BE].contains(format),
      let base = cffmpeg_plane(frame.pointer, 0)
    else { throw Failure("its pixel format \(format.name) is not supported") }
    let stride = Int(cffmpeg_stride(frame.pointer, 0))
    let (width, height) = (Int(frame.pointer.pointee.width), Int(frame.pointer.pointee.height))
    return Picture(
      width: width, height: height, format: layout, colour: colour, sampleAspectRatio: shape
    ) { planes in
      for y in 0..<height {
        let row = UnsafeRawPointer(base) + y * stride
        for (channel, plane) in planes.enumerated() {
          if format == AV_PIX_FMT_YA8 {
            let target = plane.row(y, as: UInt8.self)
            for x in 0..<width { target[x] = row.load(fromByteOffset: 2 * x + channel, as: UInt8.self) }
          } else {
            let target = plane.row(y, as: UInt16.self)
            for x in 0..<width {
              let value = row.loadUnaligned(fromByteOffset: 4 * x + 2 * channel, as: UInt16.self)
              target[x] = format == AV_PIX_FMT_YA16BE ? UInt16(bigEndian: value) : UInt16(littleEndian: value)
            }
          }
        }
      }
    }
  }

  private func scaler(
    _ frame: FrameHandle, _ from: AVPixelFormat, _ to: AVPixelFormat, _ colour: Colour
  ) throws -> ScalerHandle {
    let source = frame.pointer.pointee
    let key = Key(width: source.width, height: source.height, format: source.format, colour: colour)
    if let cached, cached.key == key { return cached.handle }
    let (width, height) = (Int(source.width), Int(source.height))
    let handle = try ScalerHandle(
      from: ScalerEnd(width: width, height: height, format: from, colour: colour),
      to: ScalerEnd(width: width, height: height, format: to, colour: colour), flags: SWS_POINT)
    cached = (key, handle)
    return handle
  }

  /// What the frame says of its colours, and what its kind implies.
  private func colour(_ frame: FrameHandle, _ layout: PixelFormat) -> Colour {
    let source = frame.pointer.pointee
    let format = AVPixelFormat(source.format)
    var colour = Colour(
      matrix: Int(source.colorspace.rawValue), primaries: Int(source.color_primaries.rawValue),
      transfer: Int(source.color_trc.rawValue), chromaLocation: Int(source.chroma_location.rawValue))
    switch source.color_range {
    case AVCOL_RANGE_JPEG: colour.range = .full
    case AVCOL_RANGE_MPEG: colour.range = .limited
    default:
      colour.range = PixelFormat.isFullRangeTwin(format) || (isStill && layout.chroma == .none) ? .full : .unspecified
    }
    if format.isRGB {
      // A film of RGB that says it uses all values goes on doing so.
      if isStill || colour.range != .full { colour.range = .limited }
      colour.matrix = 6
      colour.chromaLocation = 0
    }
    return colour
  }
}

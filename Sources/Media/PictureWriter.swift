import CFFmpeg
import Foundation
import Frames

/// Formats of still pictures that are written.
public enum PictureFormat: String, Sendable, Hashable, Codable, CaseIterable {
  case png, jpeg, tiff, webp, exr

  /// By the extension of an output's final name; nil where it names none of them.
  public init?(path: String) {
    switch path.split(separator: ".").last?.lowercased() {
    case "png": self = .png
    case "jpg", "jpeg", "jpe": self = .jpeg
    case "tif", "tiff": self = .tiff
    case "webp": self = .webp
    case "exr": self = .exr
    default: return nil
    }
  }

  /// FFmpeg's name of the encoder that is used.
  public var encoderName: String {
    switch self {
    case .png: "png"
    case .jpeg: "mjpeg"
    case .tiff: "tiff"
    case .webp: "libwebp"
    case .exr: "exr"
    }
  }

  public var holdsAlpha: Bool { self != .jpeg }
  public var holdsSixteenBits: Bool { self == .png || self == .tiff || self == .exr }
}

/// Writes single pictures.
public struct PictureWriter: Sendable {
  public var format: PictureFormat
  /// 1 to 100, for JPEG and WebP; 100 in WebP is lossless.
  public var quality: Int
  /// Bits a sample, 8 or 16; nil keeps what the picture has.
  public var depth: Int?

  public init(_ format: PictureFormat, quality: Int = 92, depth: Int? = nil) {
    (self.format, self.quality, self.depth) = (format, quality, depth)
  }

  /// The compressed bytes of `picture`, and what of `sideData` (an ICC profile, tags) the format cannot hold, in words.
  public func encode(_ picture: Picture, sideData: [FrameSideData] = []) throws -> (bytes: [UInt8], lost: [String]) {
    FFmpeg.prepare()
    guard let encoder = avcodec_find_encoder_by_name(format.encoderName) else {
      throw Failure(
        "this build of FFmpeg has no encoder \(format.encoderName)", advice: "install libavcodec-extra",
        exitCode: .missing)
    }
    let deep = format == .exr || format.holdsSixteenBits && (depth ?? (picture.format.depth > 8 ? 16 : 8)) > 8
    let frame = try prepared(picture, deep: deep)
    let profile = sideData.first(where: \.isICCProfile)
    if let profile, format == .png || format == .jpeg { SideData.add([profile], to: frame) }

    let codec = try CodecHandle(encoder)
    let context = codec.pointer
    context.pointee.width = frame.pointer.pointee.width
    context.pointee.height = frame.pointer.pointee.height
    context.pointee.pix_fmt = AVPixelFormat(frame.pointer.pointee.format)
    context.pointee.time_base = AVRational(num: 1, den: 25)
    context.pointee.thread_count = 1
    context.pointee.flags |= AV_CODEC_FLAG_BITEXACT
    context.pointee.color_range = frame.pointer.pointee.color_range
    if picture.sampleAspectRatio.isValid { context.pointee.sample_aspect_ratio = picture.sampleAspectRatio.av }
    let options = OptionsHandle()
    switch format {
    case .png: options["pred"] = "mixed"
    case .tiff: options["compression_algo"] = "deflate"
    case .exr: (options["format"], options["compression"]) = ("half", "zip16")
    case .webp:
      if quality >= 100 { options["lossless"] = "1" }
      options["quality"] = String(quality)
    case .jpeg:
      // FFmpeg counts from 1 (best) to 31; the usual scale of 100 is mapped so that the tables come out alike.
      let scale = PictureWriter.jpegScale(quality)
      context.pointee.flags |= AV_CODEC_FLAG_QSCALE
      context.pointee.global_quality = Int32(scale) * FF_QP2LAMBDA
      frame.pointer.pointee.quality = Int32(scale) * FF_QP2LAMBDA
      (context.pointee.qmin, context.pointee.qmax) = (1, 31)
      options["huffman"] = "optimal"
    }
    FFmpegLog.shared.clear()
    var code = avcodec_open2(context, encoder, &options.pointer)
    guard code >= 0 else { throw FFmpeg.failure("the \(format.rawValue) encoder refuses the picture", code, place: "") }
    let packet = try PacketHandle()
    code = avcodec_send_frame(context, frame.pointer)
    if code >= 0 { code = avcodec_send_frame(context, nil) }
    if code >= 0 { code = avcodec_receive_packet(context, packet.pointer) }
    guard code >= 0, let data = packet.pointer.pointee.data else {
      throw FFmpeg.failure("the \(format.rawValue) encoder failed", code, place: "")
    }
    let bytes = Array(UnsafeBufferPointer(start: data, count: Int(packet.pointer.pointee.size)))
    let (file, lost) = PictureTags(sideData, width: picture.width, height: picture.height).embedded(
      in: bytes, format, profile: profile?.bytes)
    return (file, lost)
  }

  /// Writes the picture to `path` (any name) and sees it onto the disk; what of `sideData` is lost, in words.
  @discardableResult
  public func write(_ picture: Picture, sideData: [FrameSideData] = [], to path: String) throws -> [String] {
    let (bytes, lost) = try encode(picture, sideData: sideData)
    guard FileManager.default.createFile(atPath: path, contents: nil),
      let file = FileHandle(forWritingAtPath: path)
    else { throw Failure("cannot create the output: \(String(cString: strerror(errno)))", place: path) }
    do {
      try file.write(contentsOf: bytes)
      try file.synchronize()
      try file.close()
      return lost
    } catch {
      throw Failure(
        "cannot write the output: \(error.localizedDescription)", place: path, exitCode: .exhausted, mayPass: true)
    }
  }

  /// A frame in a pixel format that the encoder takes.
  private func prepared(_ picture: Picture, deep: Bool) throws -> FrameHandle {
    if format == .jpeg || (format == .webp && quality < 100 && !picture.format.alpha && picture.format.chroma != .none)
    {
      return try prepareYUV(picture)
    }
    let alpha = picture.format.alpha
    if format == .exr { return try prepareLight(picture) }
    if picture.format.chroma == .none && format != .webp { return try prepareGrey(picture, deep: deep) }
    let target =
      switch (deep, alpha, format) {
      case (_, _, .webp): AV_PIX_FMT_BGRA
      case (false, false, _): AV_PIX_FMT_RGB24
      case (false, true, _): AV_PIX_FMT_RGBA
      case (true, false, .png): AV_PIX_FMT_RGB48BE
      case (true, true, .png): AV_PIX_FMT_RGBA64BE
      case (true, false, _): AV_PIX_FMT_RGB48LE
      case (true, true, _): AV_PIX_FMT_RGBA64LE
      }
    let frame = try FrameHandle(picture.width, picture.height, target)
    let full = try widened(picture)
    let channels = target == AV_PIX_FMT_BGRA || alpha ? 4 : 3
    guard let base = cffmpeg_plane(frame.pointer, 0) else { throw Failure.outOfMemory }
    let packed = PackedRGB(
      base: UnsafeMutableRawPointer(base), stride: Int(cffmpeg_stride(frame.pointer, 0)), width: picture.width,
      height: picture.height, channels: channels, depth: deep ? 16 : 8)
    // Grey is widened by multiplication, all else by libswscale, which shifts.
    let original = picture.format.chroma == .none ? 16 : picture.format.depth
    full.withPlanes { packed.pack($0, format: full.format, full.colour, shiftedFrom: original) }
    if target == AV_PIX_FMT_BGRA { packed.swapToBGRA(opaque: !alpha) }
    if target == AV_PIX_FMT_RGB48BE || target == AV_PIX_FMT_RGBA64BE { packed.swapBytes() }
    frame.pointer.pointee.color_range = AVCOL_RANGE_JPEG
    return frame
  }

  /// 4:4:4 of 16 bits, which the exact way to RGB starts from.
  func widened(_ picture: Picture) throws -> Picture {
    if picture.format.chroma == .none {
      // Grey is luma without colour.
      return try Picture.colourless(picture)
    }
    let wanted = PixelFormat(.yuv444, depth: 16, alpha: picture.format.alpha)
    guard picture.format != wanted else { return picture }
    let scaler = try Scaler(
      from: PictureLayout(width: picture.width, height: picture.height, format: picture.format),
      to: PictureLayout(width: picture.width, height: picture.height, format: wanted), filter: .bicubic)
    return try scaler.scale(picture)
  }

  private func prepareGrey(_ picture: Picture, deep: Bool) throws -> FrameHandle {
    let alpha = picture.format.alpha
    let target =
      switch (deep, alpha, format) {
      case (false, false, _): AV_PIX_FMT_GRAY8
      case (false, true, _): AV_PIX_FMT_YA8
      case (true, false, .png): AV_PIX_FMT_GRAY16BE
      case (true, true, .png): AV_PIX_FMT_YA16BE
      case (true, false, _): AV_PIX_FMT_GRAY16LE
      case (true, true, _): AV_PIX_FMT_YA16LE
      }
    let frame = try FrameHandle(picture.width, picture.height, target)
    guard let base = cffmpeg_plane(frame.pointer, 0) else { throw Failure.outOfMemory }
    let (stride, source) = (Int(cffmpeg_stride(frame.pointer, 0)), picture.format)
    let limited = picture.colour.range == .limited
    let bits = deep ? 16 : 8
    picture.withPlanes { planes in
      for y in 0..<picture.height {
        let row = UnsafeMutableRawPointer(base) + y * stride
        for (channel, plane) in planes.enumerated() {
          for x in 0..<picture.width {
            var value = source.depth > 8 ? Int(plane.row(y, as: UInt16.self)[x]) : Int(plane.row(y, as: UInt8.self)[x])
            if limited, channel == 0 {
              let (black, span) = (16 << (source.depth - 8), 219 << (source.depth - 8))
              value = max(0, min((value - black) * source.maximum / span, source.maximum))
            }
            let sample = PackedRGB.rescale(value, source.depth, bits)
            let offset = (x * planes.count + channel) * bits / 8
            if deep {
              row.storeBytes(
                of: format == .png ? sample.bigEndian : sample.littleEndian, toByteOffset: offset, as: UInt16.self)
            } else {
              row.storeBytes(of: UInt8(truncatingIfNeeded: sample), toByteOffset: offset, as: UInt8.self)
            }
          }
        }
      }
    }
    frame.pointer.pointee.color_range = AVCOL_RANGE_JPEG
    return frame
  }

  /// JPEG and lossy WebP hold luma and chroma: no way through RGB.
  private func prepareYUV(_ picture: Picture) throws -> FrameHandle {
    var source = picture
    if source.format.chroma == .none { source = try Picture.colourless(source.withoutAlpha) }
    let chroma: PixelFormat.Chroma =
      format == .webp || [.yuv420, .yuv410].contains(source.format.chroma)
      ? .yuv420
      : [.yuv422, .yuv411].contains(source.format.chroma) ? .yuv422 : .yuv444
    let target = PixelFormat(chroma)
    let range: Colour.Range = format == .jpeg ? .full : .limited
    let current = source.colour.range == .full ? Colour.Range.full : .limited
    if source.format != target || current != range {
      source = try Scaler(
        from: PictureLayout(width: source.width, height: source.height, format: source.format),
        to: PictureLayout(width: source.width, height: source.height, format: target), filter: .bicubic, range: range
      ).scale(source)
    }
    let av =
      switch (format, chroma) {
      case (.jpeg, .yuv420): AV_PIX_FMT_YUVJ420P
      case (.jpeg, .yuv422): AV_PIX_FMT_YUVJ422P
      case (.jpeg, _): AV_PIX_FMT_YUVJ444P
      default: AV_PIX_FMT_YUV420P
      }
    let frame = try FrameHandle(lending: source, as: av)
    frame.pointer.pointee.color_range = format == .jpeg ? AVCOL_RANGE_JPEG : AVCOL_RANGE_MPEG
    return frame
  }

  /// libjpeg's quality (1 to 100) as FFmpeg's quantiser (2 to 31): both scale the same tables.
  static func jpegScale(_ quality: Int) -> Int {
    let percent = quality < 50 ? 5000 / max(quality, 1) : 200 - 2 * min(quality, 100)
    return max(1, min(31, (percent * 8 + 50) / 100))
  }
}

extension FrameHandle {
  /// A frame with planes of its own.
  convenience init(_ width: Int, _ height: Int, _ format: AVPixelFormat) throws {
    try self.init()
    pointer.pointee.width = Int32(clamping: width)
    pointer.pointee.height = Int32(clamping: height)
    pointer.pointee.format = format.rawValue
    guard av_frame_get_buffer(pointer, 0) >= 0 else { throw Failure.outOfMemory }
  }
}

extension PackedRGB {
  func swapBytes() {
    for y in 0..<height {
      let row = (base + y * stride).assumingMemoryBound(to: UInt16.self)
      for x in 0..<width * channels { row[x] = row[x].byteSwapped }
    }
  }

  func swapToBGRA(opaque: Bool) {
    for y in 0..<height {
      let row = (base + y * stride).assumingMemoryBound(to: UInt8.self)
      for x in 0..<width {
        (row[4 * x], row[4 * x + 2]) = (row[4 * x + 2], row[4 * x])
        if opaque { row[4 * x + 3] = 255 }
      }
    }
  }
}

extension Picture {
  var withoutAlpha: Picture {
    guard format.alpha else { return self }
    return withPlanes { planes in
      Picture(
        lending: Array(planes.dropLast()), owner: self, width: width, height: height, format: format.withoutAlpha,
        colour: colour, sampleAspectRatio: sampleAspectRatio)
    }
  }

  /// A grey picture as 4:4:4 of 16 bits without colour.
  static func colourless(_ grey: Picture) throws -> Picture {
    let depth = grey.format.depth
    return Picture(
      width: grey.width, height: grey.height, format: PixelFormat(.yuv444, depth: 16, alpha: grey.format.alpha),
      colour: grey.colour, sampleAspectRatio: grey.sampleAspectRatio
    ) { targets in
      grey.withPlanes { sources in
        for y in 0..<grey.height {
          for (source, target) in [(0, 0)] + (grey.format.alpha ? [(1, 3)] : []) {
            let row = targets[target].row(y, as: UInt16.self)
            for x in 0..<grey.width {
              let value =
                depth > 8
                ? Int(sources[source].row(y, as: UInt16.self)[x]) : Int(sources[source].row(y, as: UInt8.self)[x])
              row[x] =
                target == 0 && grey.colour.range == .limited
                ? UInt16(truncatingIfNeeded: value << (16 - depth)) : PackedRGB.rescale(value, depth, 16)
            }
          }
          for target in 1...2 {
            let row = targets[target].row(y, as: UInt16.self)
            for x in 0..<grey.width { row[x] = 1 << 15 }
          }
        }
      }
    }
  }
}

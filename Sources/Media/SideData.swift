import CFFmpeg
import Frames

/// FFmpeg's data beside frames and streams, in Swift's terms.
enum SideData {
  /// Kinds that belong to one frame and can be written again.
  private static let carriedTypes: [AVFrameSideDataType] = [
    AV_FRAME_DATA_A53_CC, AV_FRAME_DATA_ICC_PROFILE, AV_FRAME_DATA_DYNAMIC_HDR_PLUS,
  ]

  static func carried(of frame: FrameHandle) -> [FrameSideData] {
    guard frame.pointer.pointee.nb_side_data > 0 else { return [] }
    return carriedTypes.compactMap { type in
      guard let data = av_frame_get_side_data(frame.pointer, type)?.pointee, data.size <= 1 << 24 else { return nil }
      return FrameSideData(
        type: Int(type.rawValue), bytes: Array(UnsafeBufferPointer(start: data.data, count: Int(data.size))))
    }
  }

  static func add(_ data: [FrameSideData], to frame: FrameHandle) {
    for item in data {
      guard let raw = UInt32(exactly: item.type),
        let target = av_frame_new_side_data(frame.pointer, AVFrameSideDataType(raw), item.bytes.count)
      else { continue }
      item.bytes.withUnsafeBufferPointer { bytes in
        if let base = bytes.baseAddress { target.pointee.data.update(from: base, count: bytes.count) }
      }
    }
  }

  static func has(_ frame: FrameHandle, _ type: AVFrameSideDataType) -> Bool {
    av_frame_get_side_data(frame.pointer, type) != nil
  }

  static func bytes(_ stream: UnsafePointer<AVStream>, _ type: AVPacketSideDataType) -> UnsafeBufferPointer<UInt8>? {
    var size = 0
    return av_stream_get_side_data(stream, type, &size).map { UnsafeBufferPointer(start: $0, count: size) }
  }

  static func displayMatrix(_ stream: UnsafePointer<AVStream>) -> [Int32]? {
    guard let bytes = bytes(stream, AV_PKT_DATA_DISPLAYMATRIX), bytes.count >= 36 else { return nil }
    return (0..<9).map { UnsafeRawBufferPointer(bytes).loadUnaligned(fromByteOffset: 4 * $0, as: Int32.self) }
  }

  static func masteringDisplay(_ stream: UnsafePointer<AVStream>, _ frame: FrameHandle?) -> MasteringDisplay? {
    let own = frame.flatMap { av_frame_get_side_data($0.pointer, AV_FRAME_DATA_MASTERING_DISPLAY_METADATA)?.pointee }
    let raw = own.map { UnsafeBufferPointer(start: $0.data, count: Int($0.size)) }
    guard let data = raw ?? bytes(stream, AV_PKT_DATA_MASTERING_DISPLAY_METADATA),
      data.count >= MemoryLayout<AVMasteringDisplayMetadata>.size
    else { return nil }
    let value = UnsafeRawBufferPointer(data).loadUnaligned(as: AVMasteringDisplayMetadata.self)
    guard value.has_primaries != 0, value.has_luminance != 0 else { return nil }
    let p = value.display_primaries
    let primaries = [p.0.0, p.0.1, p.1.0, p.1.1, p.2.0, p.2.1].map { Rational($0) }
    let white = [value.white_point.0, value.white_point.1].map { Rational($0) }
    guard (primaries + white).allSatisfy({ $0.denominator > 0 }), value.max_luminance.den > 0,
      value.min_luminance.den > 0
    else { return nil }
    return MasteringDisplay(
      primaries: primaries, whitePoint: white, minimumLuminance: Rational(value.min_luminance),
      maximumLuminance: Rational(value.max_luminance))
  }

  static func contentLight(_ stream: UnsafePointer<AVStream>, _ frame: FrameHandle?) -> ContentLight? {
    let own = frame.flatMap { av_frame_get_side_data($0.pointer, AV_FRAME_DATA_CONTENT_LIGHT_LEVEL)?.pointee }
    let raw = own.map { UnsafeBufferPointer(start: $0.data, count: Int($0.size)) }
    guard let data = raw ?? bytes(stream, AV_PKT_DATA_CONTENT_LIGHT_LEVEL),
      data.count >= MemoryLayout<AVContentLightMetadata>.size
    else { return nil }
    let value = UnsafeRawBufferPointer(data).loadUnaligned(as: AVContentLightMetadata.self)
    return ContentLight(maximumContentLight: Int(value.MaxCLL), maximumFrameAverage: Int(value.MaxFALL))
  }

  // MARK: writing to a stream of an output

  static func set(
    _ bytes: UnsafeRawBufferPointer, _ type: AVPacketSideDataType, _ stream: UnsafeMutablePointer<AVStream>
  ) {
    guard let target = av_stream_new_side_data(stream, type, bytes.count), let base = bytes.baseAddress else { return }
    target.update(from: base.assumingMemoryBound(to: UInt8.self), count: bytes.count)
  }

  static func write(_ format: StreamFormat, displayMatrix: [Int32]?, to stream: UnsafeMutablePointer<AVStream>) {
    if let displayMatrix { displayMatrix.withUnsafeBytes { set($0, AV_PKT_DATA_DISPLAYMATRIX, stream) } }
    if let display = masteringDisplay(format) {
      withUnsafeBytes(of: display) { set($0, AV_PKT_DATA_MASTERING_DISPLAY_METADATA, stream) }
    }
    if let light = contentLight(format) {
      withUnsafeBytes(of: light) { set($0, AV_PKT_DATA_CONTENT_LIGHT_LEVEL, stream) }
    }
  }

  /// Light levels beside a frame, for encoders that look for them there.
  static func write(_ format: StreamFormat, to frame: FrameHandle) {
    var data: [FrameSideData] = []
    if let display = masteringDisplay(format) {
      let bytes = withUnsafeBytes(of: display) { Array($0) }
      data.append(FrameSideData(type: Int(AV_FRAME_DATA_MASTERING_DISPLAY_METADATA.rawValue), bytes: bytes))
    }
    if let light = contentLight(format) {
      let bytes = withUnsafeBytes(of: light) { Array($0) }
      data.append(FrameSideData(type: Int(AV_FRAME_DATA_CONTENT_LIGHT_LEVEL.rawValue), bytes: bytes))
    }
    add(data, to: frame)
  }

  private static func masteringDisplay(_ format: StreamFormat) -> AVMasteringDisplayMetadata? {
    guard let display = format.masteringDisplay, display.primaries.count == 6, display.whitePoint.count == 2 else {
      return nil
    }
    var value = AVMasteringDisplayMetadata()
    let p = display.primaries.map(\.av)
    value.display_primaries = ((p[0], p[1]), (p[2], p[3]), (p[4], p[5]))
    value.white_point = (display.whitePoint[0].av, display.whitePoint[1].av)
    (value.min_luminance, value.max_luminance) = (display.minimumLuminance.av, display.maximumLuminance.av)
    (value.has_primaries, value.has_luminance) = (1, 1)
    return value
  }

  private static func contentLight(_ format: StreamFormat) -> AVContentLightMetadata? {
    format.contentLight.map {
      AVContentLightMetadata(
        MaxCLL: UInt32(clamping: $0.maximumContentLight), MaxFALL: UInt32(clamping: $0.maximumFrameAverage))
    }
  }
}

extension FrameSideData {
  public var isICCProfile: Bool { type == Int(AV_FRAME_DATA_ICC_PROFILE.rawValue) }

  static func profile(_ bytes: [UInt8]) -> FrameSideData {
    FrameSideData(type: Int(AV_FRAME_DATA_ICC_PROFILE.rawValue), bytes: bytes)
  }
}

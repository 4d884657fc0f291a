import CFFmpeg
import Frames

/// What a picture stream is encoded on.
public enum EncoderDevice: String, Sendable, Hashable, Codable, CaseIterable {
  /// The first in hardware that really opens, else software.
  case auto
  case software
  /// NVIDIA's NVENC, Intel's Quick Sync Video, and the Video Acceleration API of Linux.
  case nvenc, qsv, vaapi

  static let hardware: [EncoderDevice] = [.nvenc, .qsv, .vaapi]
  public var isHardware: Bool { EncoderDevice.hardware.contains(self) }

  var advice: String {
    switch self {
    case .nvenc:
      "install NVIDIA's driver with libnvidia-encode1 and run on a GPU that encodes, or use encoder: software"
    case .qsv: "install intel-media-va-driver and libmfx1 and run on an Intel GPU, or use encoder: software"
    case .vaapi:
      "install a VA-API driver (mesa-va-drivers, intel-media-va-driver) for /dev/dri, or use encoder: software"
    case .auto, .software: "install libavcodec-extra"
    }
  }
}

extension EncoderSettings {
  /// The settings with the device that is really used: for `auto` the first in hardware that opens for pictures of
  /// `format` and encodes one, else software. Throws a `Failure` of exit code 3 where a named device does not open.
  public func resolved(for format: StreamFormat? = nil) throws -> EncoderSettings {
    guard device != .software else { return self }
    let devices = device == .auto ? EncoderDevice.hardware : [device]
    var refusal: Failure?
    for candidate in devices {
      var settings = self
      settings.device = candidate
      do {
        try settings.tryOut(format ?? probe)
        return settings
      } catch let failure as Failure { refusal = failure }
    }
    if device != .auto, let refusal { throw refusal }
    var settings = self
    settings.device = .software
    return settings
  }

  /// What is said once where hardware was hoped for and none opened.
  public var fallbackRemark: String? {
    guard device == .auto, let used = try? resolved(), used.device == .software else { return nil }
    return "no encoder in hardware opens for \(codec.rawValue) here: \(used.encoderName) is used"
  }

  /// A small picture stream that every encoder can hold.
  var probe: StreamFormat {
    StreamFormat(
      width: 256, height: 256, pixelFormat: PixelFormat(codec == .prores ? .yuv422 : .yuv420, depth: depth ?? 8),
      timeBase: Rational(1, 25), frameRate: Rational(25, 1))
  }

  /// Encodes one grey picture: drivers are found wanting only then.
  private func tryOut(_ format: StreamFormat) throws {
    do {
      let encoder = try VideoEncoder(self, format, header: true)
      let layout = encoder.format.pixelFormat
      let grey = Picture(width: format.width, height: format.height, format: layout, colour: format.colour) { planes in
        for plane in planes {
          for y in 0..<plane.height {
            if layout.depth > 8 {
              plane.row(y, as: UInt16.self).update(repeating: UInt16(1 << (layout.depth - 1)), count: plane.width)
            } else {
              plane.row(y, as: UInt8.self).update(repeating: 128, count: plane.width)
            }
          }
        }
      }
      var packets = 0
      try encoder.encode(Frame(picture: grey, timestamp: Timestamp(0, timeBase: format.timeBase))) { _ in packets += 1 }
      try encoder.encode(nil) { _ in packets += 1 }
      guard packets == 1 else { throw Failure("\(encoderName) gave \(packets) pictures for one") }
    } catch var failure as Failure {
      guard failure.exitCode != .usage else { throw failure }
      failure.message = "encoder: \(device.rawValue) does not open here: \(failure.message)"
      failure.advice = device.advice
      failure.exitCode = .missing
      failure.mayPass = false
      throw failure
    }
  }

  /// Options of an encoder in hardware. Its quality scale is its own, near to x264's.
  func hardwareOptions() -> OptionsHandle {
    let options = OptionsHandle()
    let quality = Int((crf ?? (codec == .h264 ? 22 : 25)).rounded())
    let speed = preset.flatMap { EncoderSettings.speeds.firstIndex(of: $0) }
    switch device {
    case .nvenc:
      options["preset"] = speed.map { "p\(max(min($0, 7), 1))" } ?? preset ?? "p5"
      options["rc"] = "vbr"
      options["cq"] = crf.map { String($0) } ?? String(quality)
      options["b"] = "0"
    case .qsv:
      options["preset"] = speed.map { EncoderSettings.speeds[max(min($0, 8), 2)] } ?? preset ?? "medium"
      options["global_quality"] = String(quality)
    case .vaapi:
      // Its drivers have no common notion of speed.
      options["rc_mode"] = "CQP"
      options["qp"] = String(quality)
    case .auto, .software: break
    }
    options["tune"] = tune
    // What was not shown to come back in a foretold order is not asked for.
    options["bf"] = "0"
    for (key, value) in params { options[key] = value }
    return options
  }

  /// The names that x264 and x265 use, the fastest first.
  private static let speeds = [
    "ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow", "placebo",
  ]
}

/// Brings pictures to where an encoder in hardware takes them: luma beside woven chroma, and for VA-API in the memory
/// of the device.
final class Upload {
  /// What the encoder is opened with.
  let format: AVPixelFormat
  let frames: UnsafeMutablePointer<AVBufferRef>?
  private let woven: AVPixelFormat
  private var cached: (colour: Colour, handle: ScalerHandle)?

  /// Layouts that hardware takes, with their woven twins.
  static let layouts: [(layout: PixelFormat, av: AVPixelFormat)] = [
    (PixelFormat(.yuv420), AV_PIX_FMT_NV12), (PixelFormat(.yuv420, depth: 10), AV_PIX_FMT_P010LE),
  ]

  init(_ device: EncoderDevice, _ woven: AVPixelFormat, width: Int, height: Int) throws {
    self.woven = woven
    guard device == .vaapi else {
      (format, frames) = (woven, nil)
      return
    }
    format = AV_PIX_FMT_VAAPI
    var context: UnsafeMutablePointer<AVBufferRef>?
    let code = av_hwdevice_ctx_create(&context, AV_HWDEVICE_TYPE_VAAPI, nil, nil, 0)
    guard code >= 0 else { throw FFmpeg.failure("no VA-API device opens", code, place: "") }
    defer { av_buffer_unref(&context) }
    var pool = av_hwframe_ctx_alloc(context)
    guard let data = pool?.pointee.data else { throw Failure.outOfMemory }
    data.withMemoryRebound(to: AVHWFramesContext.self, capacity: 1) {
      $0.pointee.format = AV_PIX_FMT_VAAPI
      $0.pointee.sw_format = woven
      $0.pointee.width = Int32(clamping: width)
      $0.pointee.height = Int32(clamping: height)
      $0.pointee.initial_pool_size = 20
    }
    let made = av_hwframe_ctx_init(pool)
    guard made >= 0 else {
      av_buffer_unref(&pool)
      throw FFmpeg.failure("the VA-API device takes no pictures of \(woven.name)", made, place: "")
    }
    frames = pool
  }

  deinit {
    var frames = frames
    av_buffer_unref(&frames)
  }

  /// The picture's samples as they are, in the layout and the place that the encoder wants.
  func frame(_ picture: Picture) throws -> FrameHandle {
    guard let planar = picture.format.av else { throw Failure("cannot encode \(picture.format)") }
    if cached?.colour != picture.colour {
      let layout = PictureLayout(width: picture.width, height: picture.height, format: picture.format)
      cached = (
        picture.colour,
        try ScalerHandle(
          from: ScalerEnd(layout, planar, picture.colour), to: ScalerEnd(layout, woven, picture.colour),
          flags: SWS_POINT)
      )
    }
    let near = try FrameHandle(picture.width, picture.height, woven)
    let height = picture.height
    let targets = (0..<2).compactMap { index in
      cffmpeg_plane(near.pointer, Int32(index)).map {
        MutablePlane(
          base: UnsafeMutableRawPointer($0), stride: Int(cffmpeg_stride(near.pointer, Int32(index))),
          width: picture.width, height: index == 0 ? height : (height + 1) / 2)
      }
    }
    try picture.withPlanes { try cached?.handle.scale(Array($0), into: targets, rows: height) }
    guard let frames else { return near }
    let far = try FrameHandle()
    var code = av_hwframe_get_buffer(frames, far.pointer, 0)
    if code >= 0 { code = av_hwframe_transfer_data(far.pointer, near.pointer, 0) }
    guard code >= 0 else { throw FFmpeg.failure("the picture does not reach the device", code, place: "") }
    return far
  }
}

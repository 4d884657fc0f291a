import CFFmpeg
import Foundation
import Frames

/// The encoder of one stream of pictures. Used by one thread at a time.
final class VideoEncoder {
  let settings: EncoderSettings
  /// What is really encoded: pixel format and size may differ from what was asked for, `notes` says where.
  let format: StreamFormat
  private(set) var notes: [MediaNote] = []
  private let codec: CodecHandle
  private let timeBase: AVRational
  private let input: AVPixelFormat
  /// The way into hardware; nil for software.
  private let upload: Upload?
  /// SVT-AV1 takes its time base for the frame rate: it is fed frame numbers.
  private let countsFrames: Bool
  /// By how many pictures decoding runs ahead of showing.
  let reorder: Int
  /// Nominal length of a frame in the stream's time base, at least 1.
  let period: Int64
  private var scaler: Scaler?

  private struct Sent {
    var time: Int64
    var duration: Int64?
    var captions: [UInt8]?
  }
  /// By the time that the encoder knows; emptied as packets come out.
  private var sent: [Int64: Sent] = [:]
  private var times: [Int64] = []
  private var framesSent: Int64 = 0
  private var packetsOut = 0
  private var lastTime: Int64?
  private var lastDecodeTime: Int64?

  /// - Parameter header: the container keeps parameter sets in its header, not in the stream.
  init(_ settings: EncoderSettings, _ format: StreamFormat, header: Bool) throws {
    FFmpeg.prepare()
    self.settings = settings
    if settings.encoderName == "libsvtav1", format.width < 64 || format.height < 64 {
      throw Failure(
        "libsvtav1 encodes pictures of 64x64 and more, not \(format.width)x\(format.height)",
        advice: "use another codec, or resize them")
    }
    guard let encoder = avcodec_find_encoder_by_name(settings.encoderName) else {
      throw Failure(
        "this build of FFmpeg has no encoder \(settings.encoderName)", advice: "install libavcodec-extra",
        exitCode: .missing)
    }
    let (chosen, av) = try VideoEncoder.choose(settings, format, encoder)
    var actual = format
    actual.pixelFormat = chosen
    if chosen.chroma != format.pixelFormat.chroma { actual.colour.chromaLocation = 0 }
    self.format = actual
    input = av
    upload =
      try settings.device.isHardware ? Upload(settings.device, av, width: actual.width, height: actual.height) : nil
    timeBase = format.timeBase.av
    let rate = (format.frameRate ?? Rational(25, 1)).av
    period = max(rescale(1, AVRational(num: rate.den, den: rate.num), timeBase), 1)
    let software = !settings.device.isHardware
    countsFrames = software && settings.codec == .av1
    codec = try CodecHandle(encoder)
    let context = codec.pointer
    context.pointee.width = Int32(clamping: actual.width)
    context.pointee.height = Int32(clamping: actual.height)
    context.pointee.pix_fmt = upload?.format ?? av
    if let frames = upload?.frames { context.pointee.hw_frames_ctx = av_buffer_ref(frames) }
    context.pointee.time_base = countsFrames ? AVRational(num: rate.den, den: rate.num) : timeBase
    context.pointee.framerate = rate
    if actual.sampleAspectRatio.isValid { context.pointee.sample_aspect_ratio = actual.sampleAspectRatio.av }
    actual.colour.apply(to: context)
    context.pointee.thread_count = software && settings.codec == .h264 ? 0 : Int32(clamping: settings.threads)
    if header { context.pointee.flags |= AV_CODEC_FLAG_GLOBAL_HEADER }
    if settings.codec == .ffv1 { context.pointee.flags |= AV_CODEC_FLAG_BITEXACT }
    context.pointee.field_order = format.fields.av
    if software, format.fields.isInterlaced, settings.codec == .h264 || settings.codec == .prores {
      context.pointee.flags |= AV_CODEC_FLAG_INTERLACED_DCT
    }

    let options = settings.options(for: actual)
    FFmpegLog.shared.clear()
    let code = avcodec_open2(context, encoder, &options.pointer)
    if let complaint = FFmpegLog.shared.first(containing: ["Unknown option", "Invalid value", "Error parsing option"]) {
      throw Failure("\(settings.encoderName) does not accept a parameter: \(complaint)", exitCode: .usage)
    }
    guard code >= 0 else {
      throw FFmpeg.failure(
        "\(settings.encoderName) refuses \(actual.width)x\(actual.height) \(chosen) with these settings", code,
        place: "")
    }
    if let unknown = options.keys.first {
      throw Failure("\(settings.encoderName) has no parameter '\(unknown)'", exitCode: .usage)
    }
    reorder =
      switch settings.codec {
      case _ where !software: 0
      case .hevc: 2
      case .h264: Int(max(context.pointee.has_b_frames, 0))
      default: 0
      }
    noteChanges(from: format)
  }

  var codecID: AVCodecID { codec.pointer.pointee.codec_id }

  /// Parameter sets and the like, which the container keeps outside of the pictures.
  var header: Data {
    let size = Int(codec.pointer.pointee.extradata_size)
    guard let bytes = codec.pointer.pointee.extradata, size > 0 else { return Data() }
    return Data(bytes: bytes, count: size)
  }

  /// Writes what the muxer needs to know to `stream`.
  func describe(_ stream: UnsafeMutablePointer<AVStream>) throws {
    let code = avcodec_parameters_from_context(stream.pointee.codecpar, codec.pointer)
    guard code >= 0 else { throw Failure.outOfMemory }
    stream.pointee.time_base = timeBase
    stream.pointee.sample_aspect_ratio = codec.pointer.pointee.sample_aspect_ratio
    // Where frames come as they like, a container that stated a period would be wrong.
    if let rate = format.frameRate { stream.pointee.avg_frame_rate = rate.av }
    stream.pointee.codecpar.pointee.codec_tag = 0
    // x265 and SVT-AV1 know of no fields in frames: the container tells players of them.
    stream.pointee.codecpar.pointee.field_order = format.fields.av
    if PixelFormat.isFullRangeTwin(input) { stream.pointee.codecpar.pointee.color_range = AVCOL_RANGE_JPEG }
  }

  /// Encodes a frame, or what is held back where it is nil, and hands over each packet in decoding order.
  /// - Parameter next: with the end, the time of a frame that will follow in another encoder.
  func encode(_ frame: Frame?, next: Int64? = nil, emit: (PacketHandle) throws -> Void) throws {
    var code: Int32
    if let frame {
      let handle = try wrap(frame)
      code = avcodec_send_frame(codec.pointer, handle.pointer)
    } else {
      // Joined stretches come without a frame; SVT-AV1 would wait for one for ever.
      guard framesSent > 0 else { return }
      if let next { endLast(at: next) }
      code = avcodec_send_frame(codec.pointer, nil)
      if code == cffmpeg_error_eof() { code = 0 }
    }
    guard code >= 0 else { throw FFmpeg.failure("\(settings.encoderName) failed", code, place: "") }
    while true {
      let packet = try PacketHandle()
      let code = avcodec_receive_packet(codec.pointer, packet.pointer)
      if code == cffmpeg_error(EAGAIN) || code == cffmpeg_error_eof() { return }
      guard code >= 0 else { throw FFmpeg.failure("\(settings.encoderName) failed", code, place: "") }
      try complete(packet)
      try emit(packet)
    }
  }

  // MARK: frames in

  private func wrap(_ frame: Frame) throws -> FrameHandle {
    let picture = try converted(frame.picture)
    let handle = try upload?.frame(picture) ?? FrameHandle(lending: picture, as: input)
    // Later stages may have been less careful than the reader: a time is never given twice.
    var time = Int64(frame.timestamp.value)
    if Rational(timeBase) != frame.timestamp.timeBase {
      time = rescale(time, frame.timestamp.timeBase.av, timeBase)
    }
    if let lastTime, time <= lastTime { time = lastTime + 1 }
    endLast(at: time)
    lastTime = time
    let key = countsFrames ? framesSent : time
    framesSent += 1
    let captions = frame.sideData.first { $0.type == Int(AV_FRAME_DATA_A53_CC.rawValue) }?.bytes
    sent[key] = Sent(time: time, duration: frame.duration.map(Int64.init), captions: captions)
    times.append(time)
    handle.pointer.pointee.pts = key
    handle.pointer.pointee.pict_type = AV_PICTURE_TYPE_NONE
    format.colour.apply(to: handle.pointer)
    handle.pointer.pointee.sample_aspect_ratio = codec.pointer.pointee.sample_aspect_ratio
    if frame.fields.isInterlaced {
      handle.pointer.pointee.interlaced_frame = 1
      handle.pointer.pointee.top_field_first = frame.fields == .topFirst ? 1 : 0
    }
    if upload != nil { SideData.write(format, to: handle) }
    return handle
  }

  /// A frame without a length of its own is shown until the next.
  private func endLast(at time: Int64) {
    guard let lastTime else { return }
    let key = countsFrames ? framesSent - 1 : lastTime
    if let before = sent[key], before.duration == nil { sent[key]?.duration = time - lastTime }
  }

  private func converted(_ picture: Picture) throws -> Picture {
    guard picture.format != format.pixelFormat || picture.width != format.width || picture.height != format.height
    else { return picture }
    let layout = PictureLayout(width: picture.width, height: picture.height, format: picture.format)
    guard picture.width == format.width, picture.height == format.height else {
      throw Failure(
        "a picture of \(picture.width)x\(picture.height) came where \(format.width)x\(format.height) was said")
    }
    if scaler?.input != layout {
      scaler = try Scaler(
        from: layout, to: PictureLayout(width: format.width, height: format.height, format: format.pixelFormat),
        filter: .bicubic)
    }
    return try scaler?.scale(picture) ?? picture
  }

  // MARK: packets out

  /// Gives the packet the source's times. The encoder's own decoding times are not used: x265's are not monotonic
  /// where frame lengths vary.
  private func complete(_ packet: PacketHandle) throws {
    let pointer = packet.pointer
    guard let known = sent.removeValue(forKey: pointer.pointee.pts) else {
      throw Failure("\(settings.encoderName) gave a picture with a time that it never got")
    }
    let index = packetsOut - reorder
    packetsOut += 1
    var decodeTime = known.time
    if reorder > 0 {
      let first = times.first ?? known.time
      decodeTime = index < 0 ? first - Int64(-index) * period : times[min(index, times.count - 1)]
      if index > 1024 {
        // Times that no packet will ask for again.
        times.removeFirst(1024)
        packetsOut -= 1024
      }
    } else {
      times.removeAll(keepingCapacity: true)
    }
    if let lastDecodeTime, decodeTime <= lastDecodeTime { decodeTime = lastDecodeTime + 1 }
    guard decodeTime <= known.time else {
      throw Failure("\(settings.encoderName) reorders pictures further than it said")
    }
    lastDecodeTime = decodeTime
    pointer.pointee.pts = known.time
    pointer.pointee.dts = decodeTime
    pointer.pointee.duration = known.duration ?? period
    pointer.pointee.time_base = timeBase
    if let captions = known.captions, let kind = Captions.Stream(settings.codec) {
      try Captions.insert(captions, into: packet, kind)
    }
  }

  // MARK: choices

  private static func choose(
    _ settings: EncoderSettings, _ format: StreamFormat, _ encoder: UnsafePointer<AVCodec>
  ) throws -> (PixelFormat, AVPixelFormat) {
    var offered: [(layout: PixelFormat, av: AVPixelFormat)] = []
    if settings.device.isHardware {
      offered = Upload.layouts.filter { $0.layout.depth == 8 || settings.codec != .h264 }
    }
    var next = settings.device.isHardware ? nil : encoder.pointee.pix_fmts
    while let current = next?.pointee, current != AV_PIX_FMT_NONE {
      if let layout = PixelFormat(current), !PixelFormat.isFullRangeTwin(current) { offered.append((layout, current)) }
      next = next?.advanced(by: 1)
    }
    let odd = (x: format.width % 2 != 0, y: format.height % 2 != 0)
    if !settings.holdsOddSizes {
      offered.removeAll { (odd.x && $0.layout.chroma.shift.x > 0) || (odd.y && $0.layout.chroma.shift.y > 0) }
    }
    if let depth = settings.depth, offered.contains(where: { $0.layout.depth == depth }) {
      offered.removeAll { $0.layout.depth != depth }
    }
    // RGB of 8 bits arrives as luma and chroma of 16: ten are enough to give it back within one level.
    let widened = format.pixelFormat.depth == 16 && (format.codedDepth ?? 16) <= 8
    let wanted = settings.depth ?? (widened ? 10 : nil)
    guard let best = format.pixelFormat.nearest(in: offered.map(\.layout), depth: wanted),
      let match = offered.first(where: { $0.layout == best })
    else {
      throw Failure(
        "\(settings.encoderName) cannot hold pictures of odd size \(format.width)x\(format.height)",
        advice: "use codec: hevc, or resize them")
    }
    return match
  }

  private func noteChanges(from source: StreamFormat) {
    if settings.device == .nvenc || settings.device == .qsv,
      format.masteringDisplay != nil || format.contentLight != nil
    {
      notes.append(
        MediaNote(.converted, "HDR10 metadata: \(settings.encoderName) writes none, so the container alone holds them"))
    }
    let (old, new) = (source.pixelFormat, format.pixelFormat)
    guard old != new else { return }
    if old.depth == 16, let coded = source.codedDepth, coded < 16 {
      notes.append(
        MediaNote(.converted, "red, green and blue are encoded as luma and chroma of \(new.depth) bits"))
    }
    let odd = source.width % 2 != 0 || source.height % 2 != 0
    if odd, old.chroma != new.chroma {
      notes.append(
        MediaNote(
          .converted,
          "\(source.width)x\(source.height) has an odd side, which \(settings.codec.rawValue) cannot hold in "
            + "\(old.chroma.rawValue): encoded as \(new.chroma.rawValue)"))
    } else if old.chroma != new.chroma {
      let name = old.chroma == .none ? "grey" : old.chroma.rawValue
      notes.append(MediaNote(.converted, "\(name) is encoded as \(new.chroma.rawValue)"))
    }
    if new.depth < old.depth, settings.depth == nil, old.depth != 16 {
      notes.append(MediaNote(.loss, "\(old.depth) bits a sample become \(new.depth)"))
    }
    if old.alpha, !new.alpha { notes.append(MediaNote(.loss, "transparency: \(settings.codec.rawValue) has none")) }
  }
}

extension Colour {
  var avRange: AVColorRange {
    switch range {
    case .unspecified: AVCOL_RANGE_UNSPECIFIED
    case .limited: AVCOL_RANGE_MPEG
    case .full: AVCOL_RANGE_JPEG
    }
  }
}

extension FieldOrder {
  var isInterlaced: Bool { self == .topFirst || self == .bottomFirst }

  var av: AVFieldOrder {
    switch self {
    case .topFirst: AV_FIELD_TT
    case .bottomFirst: AV_FIELD_BB
    case .progressive: AV_FIELD_PROGRESSIVE
    case .unknown: AV_FIELD_UNKNOWN
    }
  }
}

extension FrameHandle {
  /// A frame of FFmpeg's over a picture's own planes: nothing is copied, and the picture lives until FFmpeg has let
  /// go of the last plane.
  convenience init(lending picture: Picture, as format: AVPixelFormat) throws {
    try self.init()
    pointer.pointee.width = Int32(clamping: picture.width)
    pointer.pointee.height = Int32(clamping: picture.height)
    pointer.pointee.format = format.rawValue
    try picture.withPlanes { planes in
      for (index, plane) in planes.enumerated() {
        let data = UnsafeMutableRawPointer(mutating: plane.base).assumingMemoryBound(to: UInt8.self)
        let retained = Unmanaged.passRetained(picture)
        let release: @convention(c) (UnsafeMutableRawPointer?, UnsafeMutablePointer<UInt8>?) -> Void = { owner, _ in
          if let owner { Unmanaged<Picture>.fromOpaque(owner).release() }
        }
        guard
          let buffer = av_buffer_create(
            data, plane.stride * plane.height, release, retained.toOpaque(), Int32(AV_BUFFER_FLAG_READONLY))
        else {
          retained.release()
          throw Failure.outOfMemory
        }
        cffmpeg_set_plane(pointer, Int32(index), data, Int32(clamping: plane.stride), buffer)
      }
    }
  }
}

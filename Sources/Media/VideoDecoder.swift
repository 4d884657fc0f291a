import CFFmpeg
import Frames

/// The decoder of one stream of pictures. Used by one thread at a time.
final class VideoDecoder {
  let stream: UnsafeMutablePointer<AVStream>
  let importer: PictureImporter
  let threads: Int
  private let codec: CodecHandle
  private(set) var produced = 0
  /// Packets that the decoder refused, and frames it marked as damaged.
  private(set) var refused = 0
  private(set) var damaged = 0
  private(set) var codedDepth: Int?
  private(set) var exifOrientation: Orientation?
  private(set) var retimed = 0
  private var last: Int64?
  private var lastDuration: Int64 = 0

  /// The largest picture that is decoded: beyond it a file is taken for a bomb.
  static let maximumPixels: Int64 = 1 << 28

  init(_ stream: UnsafeMutablePointer<AVStream>, threads: Int, isStill: Bool, isOpaque: Bool = false) throws {
    self.stream = stream
    self.threads = threads
    let codecID = stream.pointee.codecpar.pointee.codec_id
    importer = PictureImporter(isStill: isStill, isOpaque: isOpaque || codecID == AV_CODEC_ID_MJPEG)
    guard let decoder = avcodec_find_decoder(stream.pointee.codecpar.pointee.codec_id) else {
      throw Failure("its video codec \(VideoDecoder.codecName(stream)) cannot be decoded here")
    }
    codec = try CodecHandle(decoder)
    var code = avcodec_parameters_to_context(codec.pointer, stream.pointee.codecpar)
    guard code >= 0 else { throw FFmpeg.failure("its codec parameters are wrong", code, place: "") }
    codec.pointer.pointee.pkt_timebase = stream.pointee.time_base
    codec.pointer.pointee.thread_count = Int32(clamping: max(threads, 1))
    codec.pointer.pointee.max_pixels = VideoDecoder.maximumPixels
    // What a stream cuts off on the left is cut off exactly, not as memory is aligned.
    codec.pointer.pointee.flags |= Int32(AV_CODEC_FLAG_UNALIGNED)
    if isStill, [AV_CODEC_ID_PNG, AV_CODEC_ID_MJPEG].contains(codecID) {
      // A film goes on after a damaged frame; half a photograph is none. (FFmpeg's TIFF reader would then refuse tags
      // that it does not know.)
      codec.pointer.pointee.err_recognition = AV_EF_CRCCHECK | AV_EF_BITSTREAM | AV_EF_BUFFER | AV_EF_EXPLODE
    }
    let options = OptionsHandle()
    // OpenEXR holds light; pictures are worked on in the gamma of a display.
    if codecID == AV_CODEC_ID_EXR { options["apply_trc"] = "iec61966_2_1" }
    code = avcodec_open2(codec.pointer, decoder, &options.pointer)
    guard code >= 0 else {
      throw FFmpeg.failure("the decoder of \(VideoDecoder.codecName(stream)) cannot be opened", code, place: "")
    }
  }

  /// Forgets what it holds, before it is fed from another place.
  func flush() {
    avcodec_flush_buffers(codec.pointer)
    last = nil
  }

  /// `h264`, or the container's own tag where FFmpeg does not know the codec.
  static func codecName(_ stream: UnsafeMutablePointer<AVStream>) -> String {
    let parameters = stream.pointee.codecpar.pointee
    if parameters.codec_id != AV_CODEC_ID_NONE, let name = text(avcodec_get_name(parameters.codec_id)) { return name }
    let tag = (0..<4).map { UInt8(truncatingIfNeeded: parameters.codec_tag >> (8 * UInt32($0))) }
    return tag.allSatisfy { (32..<127).contains($0) } ? "'\(String(decoding: tag, as: UTF8.self))'" : "of unknown kind"
  }

  /// Decodes a packet, or what is left where it is nil, and hands over each frame that comes out.
  func decode(_ packet: PacketHandle?, emit: (FrameHandle) throws -> Void) throws {
    let code = avcodec_send_packet(codec.pointer, packet?.pointer)
    // A frame may still be in the way of the packet; a damaged packet is passed over, as players do.
    if code < 0, code != cffmpeg_error_eof() {
      if code == cffmpeg_error(ENOMEM) { throw Failure.outOfMemory }
      if code != cffmpeg_error(EAGAIN) { refused += 1 }
    }
    while true {
      let frame = try FrameHandle()
      let code = avcodec_receive_frame(codec.pointer, frame.pointer)
      if code == cffmpeg_error(EAGAIN) || code == cffmpeg_error_eof() { return }
      if code == cffmpeg_error(ENOMEM) { throw Failure.outOfMemory }
      if code < 0 {
        refused += 1
        return
      }
      produced += 1
      if VideoDecoder.isDamaged(frame) { damaged += 1 }
      if codedDepth == nil { note(first: frame) }
      try emit(frame)
    }
  }

  static func isDamaged(_ frame: FrameHandle) -> Bool {
    frame.pointer.pointee.flags & AV_FRAME_FLAG_CORRUPT != 0 || frame.pointer.pointee.decode_error_flags != 0
  }

  private func note(first frame: FrameHandle) {
    codedDepth = PictureImporter.codedDepth(frame)
    let value = text(av_dict_get(frame.pointer.pointee.metadata, "Orientation", nil, 0)?.pointee.value)
    exifOrientation = value.flatMap { Int($0.filter(\.isNumber)) }.flatMap(Orientation.init(exif:))
  }

  /// Makes a `Frame`, with a time that is later than the one before.
  ///
  /// A missing time is the previous one plus its duration (a frame period where there is none).
  func frame(_ handle: FrameHandle, _ picture: Picture, stream number: Int) -> Frame {
    let source = handle.pointer.pointee
    var duration = max(source.pkt_duration, 0)
    var time = source.best_effort_timestamp
    if time == cffmpeg_no_pts() { time = source.pts }
    let step = max(lastDuration > 0 ? lastDuration : period, 1)
    if time == cffmpeg_no_pts() {
      time = last.map { $0 &+ step } ?? max(stream.pointee.start_time, 0)
      if last != nil { retimed += 1 }
    } else if let last, time <= last {
      time = last &+ 1
      retimed += 1
    }
    if duration > Int64.max / 4 { duration = 0 }
    (last, lastDuration) = (time, duration)
    let fields: FieldOrder =
      source.interlaced_frame == 0 ? .progressive : source.top_field_first != 0 ? .topFirst : .bottomFirst
    return Frame(
      picture: picture, stream: number, timestamp: Timestamp(Int(time), timeBase: Rational(stream.pointee.time_base)),
      duration: duration > 0 ? Int(duration) : nil, fields: fields, sideData: SideData.carried(of: handle))
  }

  /// Nominal length of a frame in the stream's time base, at least 1.
  private var period: Int64 {
    let rate = stream.pointee.avg_frame_rate.num > 0 ? stream.pointee.avg_frame_rate : stream.pointee.r_frame_rate
    guard rate.num > 0, rate.den > 0 else { return 1 }
    return max(rescale(1, AVRational(num: rate.den, den: rate.num), stream.pointee.time_base), 1)
  }
}

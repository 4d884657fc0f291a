import CFFmpeg
import Frames

/// Brings text subtitles of one kind into another. Used by one thread at a time.
final class SubtitleConverter {
  let target: AVCodecID
  private let decoder: CodecHandle
  private let encoder: CodecHandle
  private let stream: UnsafeMutablePointer<AVStream>
  private(set) var failed = 0

  /// Throws where either side is not a text subtitle that FFmpeg knows.
  init(_ stream: UnsafeMutablePointer<AVStream>, to target: AVCodecID) throws {
    self.stream = stream
    self.target = target
    let source = stream.pointee.codecpar.pointee.codec_id
    guard let description = avcodec_descriptor_get(source), description.pointee.props & AV_CODEC_PROP_TEXT_SUB != 0,
      let decoding = avcodec_find_decoder(source), let encoding = avcodec_find_encoder(target)
    else { throw Failure("these subtitles are not text") }
    decoder = try CodecHandle(decoding)
    encoder = try CodecHandle(encoding)
    avcodec_parameters_to_context(decoder.pointer, stream.pointee.codecpar)
    decoder.pointer.pointee.pkt_timebase = stream.pointee.time_base
    var code = avcodec_open2(decoder.pointer, decoding, nil)
    guard code >= 0 else { throw FFmpeg.failure("the subtitles cannot be decoded", code, place: "") }
    // The encoder reads the styles of the decoder's header.
    if let header = decoder.pointer.pointee.subtitle_header, decoder.pointer.pointee.subtitle_header_size > 0 {
      let size = Int(decoder.pointer.pointee.subtitle_header_size)
      guard let copy = av_mallocz(size + 1) else { throw Failure.outOfMemory }
      copy.copyMemory(from: header, byteCount: size)
      encoder.pointer.pointee.subtitle_header = copy.assumingMemoryBound(to: UInt8.self)
      encoder.pointer.pointee.subtitle_header_size = Int32(size)
    }
    encoder.pointer.pointee.time_base = AVRational(num: 1, den: 1000)
    code = avcodec_open2(encoder.pointer, encoding, nil)
    guard code >= 0 else { throw FFmpeg.failure("the subtitles cannot be converted", code, place: "") }
  }

  func describe(_ output: UnsafeMutablePointer<AVStream>) {
    avcodec_parameters_from_context(output.pointee.codecpar, encoder.pointer)
    output.pointee.codecpar.pointee.codec_tag = 0
    output.pointee.time_base = AVRational(num: 1, den: 1000)
  }

  /// The packet's text in the new form, in milliseconds; nil where it shows nothing.
  func convert(_ packet: PacketHandle) throws -> PacketHandle? {
    var subtitle = AVSubtitle()
    var got: Int32 = 0
    guard avcodec_decode_subtitle2(decoder.pointer, &subtitle, &got, packet.pointer) >= 0 else {
      failed += 1
      return nil
    }
    guard got != 0 else { return nil }
    defer { avsubtitle_free(&subtitle) }
    guard subtitle.num_rects > 0 else { return nil }
    let milliseconds = AVRational(num: 1, den: 1000)
    let start = rescale(packet.pointer.pointee.pts, stream.pointee.time_base, milliseconds)
    var length = rescale(packet.pointer.pointee.duration, stream.pointee.time_base, milliseconds)
    if length <= 0, subtitle.end_display_time != UInt32.max { length = Int64(subtitle.end_display_time) }
    guard start != cffmpeg_no_pts() else { return nil }

    let capacity = 1 << 16
    let result = try PacketHandle()
    guard av_new_packet(result.pointer, Int32(capacity)) >= 0 else { throw Failure.outOfMemory }
    subtitle.pts = 0
    subtitle.start_display_time = 0
    subtitle.end_display_time = UInt32(clamping: length)
    let size = avcodec_encode_subtitle(encoder.pointer, result.pointer.pointee.data, Int32(capacity), &subtitle)
    guard size >= 0 else {
      failed += 1
      return nil
    }
    guard size > 0 else { return nil }
    av_shrink_packet(result.pointer, size)
    result.pointer.pointee.pts = start
    result.pointer.pointee.dts = start
    result.pointer.pointee.duration = max(length, 0)
    result.pointer.pointee.flags |= AV_PKT_FLAG_KEY
    return result
  }
}

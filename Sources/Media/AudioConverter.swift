import CFFmpeg
import Frames

/// Codecs that sound is converted to.
public enum AudioCodec: String, Sendable, Hashable, Codable, CaseIterable {
  case flac, alac, aac, opus

  var encoderName: String { self == .opus ? "libopus" : rawValue }
  var isLossless: Bool { self == .flac || self == .alac }
}

/// Brings one stream of sound into another codec. Used by one thread at a time.
final class AudioConverter {
  let timeBase: AVRational
  private let decoder: CodecHandle
  private let encoder: CodecHandle
  private let source: UnsafeMutablePointer<AVStream>
  private var graph: AudioGraph?
  private(set) var failed = 0
  /// Where the next decoded frame begins if it does not say so, in the source's time base: decoders that hold sound back
  /// give the last of it without a time.
  private var next: Int64?

  init(_ source: UnsafeMutablePointer<AVStream>, to codec: AudioCodec) throws {
    self.source = source
    let parameters = source.pointee.codecpar!
    guard let decoding = avcodec_find_decoder(parameters.pointee.codec_id) else {
      throw Failure("\(VideoDecoder.codecName(source)) cannot be decoded here")
    }
    guard let encoding = avcodec_find_encoder_by_name(codec.encoderName) else {
      throw Failure("this build of FFmpeg has no encoder \(codec.encoderName)", exitCode: .missing)
    }
    decoder = try CodecHandle(decoding)
    encoder = try CodecHandle(encoding)
    avcodec_parameters_to_context(decoder.pointer, parameters)
    decoder.pointer.pointee.pkt_timebase = source.pointee.time_base
    var code = avcodec_open2(decoder.pointer, decoding, nil)
    guard code >= 0 else { throw FFmpeg.failure("the sound cannot be decoded", code, place: "") }

    let context = encoder.pointer
    let channels = max(parameters.pointee.ch_layout.nb_channels, 1)
    av_channel_layout_default(&context.pointee.ch_layout, channels)
    if parameters.pointee.ch_layout.order == AV_CHANNEL_ORDER_NATIVE {
      av_channel_layout_copy(&context.pointee.ch_layout, &parameters.pointee.ch_layout)
    }
    let rate = codec == .opus ? 48000 : max(parameters.pointee.sample_rate, 1)
    context.pointee.sample_rate = rate
    context.pointee.sample_fmt = AudioConverter.sampleFormat(encoding, parameters.pointee)
    context.pointee.time_base = AVRational(num: 1, den: rate)
    if !codec.isLossless { context.pointee.bit_rate = Int64(channels) * 80_000 }
    let bits = parameters.pointee.bits_per_raw_sample
    if bits > 16, codec.isLossless { context.pointee.bits_per_raw_sample = bits }
    context.pointee.flags |= AV_CODEC_FLAG_GLOBAL_HEADER | AV_CODEC_FLAG_BITEXACT
    context.pointee.thread_count = 1
    code = avcodec_open2(context, encoding, nil)
    guard code >= 0 else { throw FFmpeg.failure("the sound cannot be encoded as \(codec.rawValue)", code, place: "") }
    timeBase = context.pointee.time_base
  }

  func describe(_ output: UnsafeMutablePointer<AVStream>) {
    avcodec_parameters_from_context(output.pointee.codecpar, encoder.pointer)
    output.pointee.codecpar.pointee.codec_tag = 0
    output.pointee.time_base = timeBase
  }

  /// Converts a packet, or what is held back where it is nil.
  func convert(_ packet: PacketHandle?, emit: (PacketHandle) throws -> Void) throws {
    let code = avcodec_send_packet(decoder.pointer, packet?.pointer)
    if code < 0, code != cffmpeg_error_eof() { failed += 1 }
    while true {
      let frame = try FrameHandle()
      guard avcodec_receive_frame(decoder.pointer, frame.pointer) >= 0 else { break }
      var time = frame.pointer.pointee.best_effort_timestamp
      if time == cffmpeg_no_pts() { time = next ?? max(source.pointee.start_time, 0) }
      frame.pointer.pointee.pts = time
      let length = AVRational(num: 1, den: max(frame.pointer.pointee.sample_rate, 1))
      next = time &+ rescale(Int64(frame.pointer.pointee.nb_samples), length, source.pointee.time_base)
      try resample(frame, emit)
    }
    if packet == nil {
      if let graph { try graph.filter(nil) { try encode($0, emit) } }
      try encode(nil, emit)
    }
  }

  private func resample(_ frame: FrameHandle, _ emit: (PacketHandle) throws -> Void) throws {
    let current: AudioGraph
    if let graph, graph.accepts(frame) {
      current = graph
    } else {
      // The stream changes its rate or channels: what the old filters hold goes first.
      if let graph { try graph.filter(nil) { try encode($0, emit) } }
      current = try AudioGraph(frame, source.pointee.time_base, encoder.pointer)
      graph = current
    }
    try current.filter(frame) { try encode($0, emit) }
  }

  private func encode(_ frame: FrameHandle?, _ emit: (PacketHandle) throws -> Void) throws {
    var code = avcodec_send_frame(encoder.pointer, frame?.pointer)
    guard code >= 0 || code == cffmpeg_error_eof() else {
      throw FFmpeg.failure("the sound cannot be encoded", code, place: "")
    }
    while true {
      let packet = try PacketHandle()
      code = avcodec_receive_packet(encoder.pointer, packet.pointer)
      if code == cffmpeg_error(EAGAIN) || code == cffmpeg_error_eof() { return }
      guard code >= 0 else { throw FFmpeg.failure("the sound cannot be encoded", code, place: "") }
      try emit(packet)
    }
  }

  /// The encoder's format that keeps the source's bits: 16 where they suffice.
  private static func sampleFormat(_ encoder: UnsafePointer<AVCodec>, _ source: AVCodecParameters) -> AVSampleFormat {
    var offered: [AVSampleFormat] = []
    var next = encoder.pointee.sample_fmts
    while let format = next?.pointee, format != AV_SAMPLE_FMT_NONE {
      offered.append(format)
      next = next?.advanced(by: 1)
    }
    let wanted = AVSampleFormat(source.format)
    let bits = av_get_bytes_per_sample(wanted) * 8
    return offered.first { $0 == wanted || av_get_packed_sample_fmt($0) == av_get_packed_sample_fmt(wanted) }
      ?? offered.first { av_get_bytes_per_sample($0) * 8 >= bits } ?? offered.last ?? AV_SAMPLE_FMT_S16
  }
}

/// Brings decoded sound to what an encoder takes: format, rate, channels, and samples a frame.
private final class AudioGraph {
  private let graph: UnsafeMutablePointer<AVFilterGraph>
  private var source: UnsafeMutablePointer<AVFilterContext>
  private var sink: UnsafeMutablePointer<AVFilterContext>
  private let encoder: UnsafeMutablePointer<AVCodecContext>
  private let key: [Int32]

  private static func key(_ frame: FrameHandle) -> [Int32] {
    let value = frame.pointer.pointee
    return [value.format, value.sample_rate, value.ch_layout.nb_channels]
  }

  func accepts(_ frame: FrameHandle) -> Bool { AudioGraph.key(frame) == key }

  init(_ first: FrameHandle, _ timeBase: AVRational, _ encoder: UnsafeMutablePointer<AVCodecContext>) throws {
    guard let graph = avfilter_graph_alloc() else { throw Failure.outOfMemory }
    self.graph = graph
    self.encoder = encoder
    key = AudioGraph.key(first)
    func name(_ layout: inout AVChannelLayout) -> String {
      if layout.order != AV_CHANNEL_ORDER_NATIVE {
        let channels = layout.nb_channels
        av_channel_layout_uninit(&layout)
        av_channel_layout_default(&layout, channels)
      }
      var text = [CChar](repeating: 0, count: 128)
      av_channel_layout_describe(&layout, &text, text.count)
      return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
    let from = first.pointer
    let input =
      "time_base=\(timeBase.num)/\(timeBase.den):sample_rate=\(from.pointee.sample_rate)"
      + ":sample_fmt=\(text(av_get_sample_fmt_name(AVSampleFormat(from.pointee.format))) ?? "")"
      + ":channel_layout=\(name(&from.pointee.ch_layout))"
    let output =
      "sample_fmts=\(text(av_get_sample_fmt_name(encoder.pointee.sample_fmt)) ?? "")"
      + ":sample_rates=\(encoder.pointee.sample_rate):channel_layouts=\(name(&encoder.pointee.ch_layout))"
    var ends: [UnsafeMutablePointer<AVFilterContext>?] = [nil, nil, nil]
    func failed(_ code: Int32) -> Failure {
      var graph: UnsafeMutablePointer<AVFilterGraph>? = graph
      avfilter_graph_free(&graph)
      return FFmpeg.failure("the sound cannot be resampled", code, place: "")
    }
    for (index, filter) in [("abuffer", input), ("aformat", output), ("abuffersink", "")].enumerated() {
      let code = avfilter_graph_create_filter(
        &ends[index], avfilter_get_by_name(filter.0), "\(index)", filter.1.isEmpty ? nil : filter.1, nil, graph)
      guard code >= 0 else { throw failed(code) }
    }
    guard let first = ends[0], let middle = ends[1], let last = ends[2] else { throw failed(cffmpeg_error(ENOMEM)) }
    (source, sink) = (first, last)
    var code = avfilter_link(first, 0, middle, 0)
    if code >= 0 { code = avfilter_link(middle, 0, last, 0) }
    if code >= 0 { code = avfilter_graph_config(graph, nil) }
    guard code >= 0 else { throw failed(code) }
    if encoder.pointee.frame_size > 0 { av_buffersink_set_frame_size(last, UInt32(encoder.pointee.frame_size)) }
  }

  deinit {
    var graph: UnsafeMutablePointer<AVFilterGraph>? = graph
    avfilter_graph_free(&graph)
  }

  func filter(_ frame: FrameHandle?, emit: (FrameHandle) throws -> Void) throws {
    let code = av_buffersrc_add_frame_flags(source, frame?.pointer, Int32(AV_BUFFERSRC_FLAG_KEEP_REF))
    guard code >= 0 else { throw FFmpeg.failure("the sound cannot be resampled", code, place: "") }
    while true {
      let result = try FrameHandle()
      let code = av_buffersink_get_frame(sink, result.pointer)
      if code == cffmpeg_error(EAGAIN) || code == cffmpeg_error_eof() { return }
      guard code >= 0 else { throw FFmpeg.failure("the sound cannot be resampled", code, place: "") }
      result.pointer.pointee.pts = rescale(
        result.pointer.pointee.pts, av_buffersink_get_time_base(sink), encoder.pointee.time_base)
      try emit(result)
    }
  }
}

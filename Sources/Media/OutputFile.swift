import CFFmpeg
import Foundation
import Frames

/// A media file that is being written. Used by one thread at a time.
final class OutputFile {
  let path: String
  let container: Container
  let context: UnsafeMutablePointer<AVFormatContext>
  private var target: UnsafeMutablePointer<AVIOContext>?
  private var hasHeader = false
  private var lastDecodeTimes: [Int: Int64] = [:]
  private(set) var packetCounts: [Int: Int] = [:]
  private(set) var notes: [MediaNote] = []

  init(_ path: String, _ container: Container) throws {
    FFmpeg.prepare()
    self.path = path
    self.container = container
    var allocated: UnsafeMutablePointer<AVFormatContext>?
    let url = "file:" + path
    let code = avformat_alloc_output_context2(&allocated, nil, container.muxer, url)
    guard code >= 0, let allocated else { throw FFmpeg.failure("cannot write \(container.name)", code, place: path) }
    context = allocated
    let opened = avio_open2(&target, url, AVIO_FLAG_WRITE, nil, nil)
    guard opened >= 0 else { throw FFmpeg.failure("cannot create the output", opened, place: path) }
    context.pointee.pb = target
    // The same packets always make the same file.
    context.pointee.flags |= AVFMT_FLAG_BITEXACT
  }

  deinit {
    avio_closep(&target)
    context.pointee.pb = nil
    avformat_free_context(context)
  }

  var keepsHeadersOutside: Bool { context.pointee.oformat.pointee.flags & AVFMT_GLOBALHEADER != 0 }

  func addStream() throws -> UnsafeMutablePointer<AVStream> {
    guard let stream = avformat_new_stream(context, nil) else { throw Failure.outOfMemory }
    return stream
  }

  /// - Parameter keepsNegativeTimes: leaves times before 0 (a codec's priming) where they are, instead of moving all.
  func writeHeader(keepsNegativeTimes: Bool) throws {
    if container == .mov { notes += QuickTimeLanguages.translate(context) }
    let options = OptionsHandle()
    switch container {
    case .mkv, .webm:
      options["default_mode"] = "passthrough"
      if keepsNegativeTimes { options["avoid_negative_ts"] = "disabled" }
    case .mp4, .mov:
      options["movflags"] = "+faststart+use_metadata_tags"
      if container == .mp4 { options["movflags"] = "+faststart" }
    }
    let code = avformat_write_header(context, &options.pointer)
    guard code >= 0 else { throw FFmpeg.failure("cannot begin the \(container.name) file", code, place: path) }
    hasHeader = true
  }

  /// Takes the packet's content. Its times are in `timeBase`.
  func write(_ packet: PacketHandle, to stream: UnsafeMutablePointer<AVStream>, timeBase: AVRational) throws {
    let pointer = packet.pointer
    let index = Int(stream.pointee.index)
    av_packet_rescale_ts(pointer, timeBase, stream.pointee.time_base)
    let delay = codecDelay(stream)
    if delay > 0 {
      if pointer.pointee.pts != cffmpeg_no_pts() { pointer.pointee.pts += delay }
      if pointer.pointee.dts != cffmpeg_no_pts() { pointer.pointee.dts += delay }
    }
    if pointer.pointee.dts != cffmpeg_no_pts() {
      // Sources with decoding times that stand still or go back would lose packets in the muxer.
      if let last = lastDecodeTimes[index], pointer.pointee.dts <= last, !container.isMatroska {
        pointer.pointee.dts = last + 1
        if pointer.pointee.pts < pointer.pointee.dts { pointer.pointee.pts = pointer.pointee.dts }
      }
      lastDecodeTimes[index] = pointer.pointee.dts
    }
    pointer.pointee.stream_index = stream.pointee.index
    pointer.pointee.pos = -1
    packetCounts[index, default: 0] += 1
    let code = av_interleaved_write_frame(context, pointer)
    guard code >= 0 else { throw FFmpeg.failure("cannot write to the output", code, place: path) }
  }

  /// What readers of Matroska take off each time of Opus (CodecDelay), and FFmpeg 5.1 does not add, in the stream's base.
  private func codecDelay(_ stream: UnsafeMutablePointer<AVStream>) -> Int64 {
    let parameters = stream.pointee.codecpar.pointee
    guard container.isMatroska, parameters.codec_id == AV_CODEC_ID_OPUS, parameters.sample_rate > 0 else { return 0 }
    return rescale(
      Int64(max(parameters.initial_padding, 0)), AVRational(num: 1, den: parameters.sample_rate),
      stream.pointee.time_base)
  }

  /// Completes the file and sees it onto the disk.
  func finish() throws {
    guard hasHeader else { return }
    let code = av_write_trailer(context)
    guard code >= 0 else { throw FFmpeg.failure("cannot complete the output", code, place: path) }
    let closed = avio_closep(&target)
    context.pointee.pb = nil
    guard closed >= 0 else { throw FFmpeg.failure("cannot complete the output", closed, place: path) }
    try OutputFile.flush(path)
  }

  /// Returns once the file's bytes are on the disk.
  static func flush(_ path: String) throws {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Failure("cannot be reopened: \(String(cString: strerror(errno)))", place: path) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else {
      throw Failure(
        "cannot be flushed to disk: \(String(cString: strerror(errno)))", place: path, exitCode: .exhausted,
        mayPass: true)
    }
  }
}

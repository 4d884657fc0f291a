import CFFmpeg
import Frames

// One final class a C handle: it frees what it holds when the last reference goes.

/// A decoded or to-be-encoded frame. After it is shared (lent to a `Picture`) nothing writes it.
final class FrameHandle: @unchecked Sendable {
  // Unchecked: written by one thread before it is shared, read-only after.
  let pointer: UnsafeMutablePointer<AVFrame>

  init() throws {
    guard let frame = av_frame_alloc() else { throw Failure.outOfMemory }
    pointer = frame
  }

  deinit {
    var frame: UnsafeMutablePointer<AVFrame>? = pointer
    av_frame_free(&frame)
  }
}

final class PacketHandle {
  let pointer: UnsafeMutablePointer<AVPacket>

  init() throws {
    guard let packet = av_packet_alloc() else { throw Failure.outOfMemory }
    pointer = packet
  }

  deinit {
    var packet: UnsafeMutablePointer<AVPacket>? = pointer
    av_packet_free(&packet)
  }
}

final class CodecHandle {
  let pointer: UnsafeMutablePointer<AVCodecContext>

  init(_ codec: UnsafePointer<AVCodec>) throws {
    guard let context = avcodec_alloc_context3(codec) else { throw Failure.outOfMemory }
    pointer = context
  }

  deinit {
    endAV1()
    var context: UnsafeMutablePointer<AVCodecContext>? = pointer
    avcodec_free_context(&context)
  }

  /// SVT-AV1 waits for ever when it is closed before it has had a frame and the end of its stream: it gets both.
  private func endAV1() {
    guard avcodec_is_open(pointer) != 0, let codec = pointer.pointee.codec, av_codec_is_encoder(codec) != 0,
      String(cString: codec.pointee.name) == "libsvtav1", let packet = try? PacketHandle()
    else { return }
    func drain() { while avcodec_receive_packet(pointer, packet.pointer) >= 0 { av_packet_unref(packet.pointer) } }
    drain()
    if let frame = try? FrameHandle() {
      frame.pointer.pointee.width = pointer.pointee.width
      frame.pointer.pointee.height = pointer.pointee.height
      frame.pointer.pointee.format = pointer.pointee.pix_fmt.rawValue
      frame.pointer.pointee.pts = Int64(pointer.pointee.frame_number)
      // After the end of the stream this is refused, as it should be.
      if av_frame_get_buffer(frame.pointer, 0) >= 0 { avcodec_send_frame(pointer, frame.pointer) }
    }
    avcodec_send_frame(pointer, nil)
    drain()
  }
}

/// Options for a call of FFmpeg's that takes what it knows out of them.
final class OptionsHandle {
  var pointer: OpaquePointer?

  init(_ options: KeyValuePairs<String, String> = [:]) {
    for (key, value) in options { self[key] = value }
  }

  subscript(key: String) -> String? {
    get { text(av_dict_get(pointer, key, nil, 0)?.pointee.value) }
    set { av_dict_set(&pointer, key, newValue, 0) }
  }

  var keys: [String] { entries(of: pointer).map(\.key) }

  deinit { av_dict_free(&pointer) }
}

extension Failure {
  static let outOfMemory = Failure("no memory", exitCode: .exhausted, mayPass: true)
}

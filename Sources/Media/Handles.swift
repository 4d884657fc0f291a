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
    var context: UnsafeMutablePointer<AVCodecContext>? = pointer
    avcodec_free_context(&context)
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

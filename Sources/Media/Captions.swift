import CFFmpeg
import Frames

/// CEA-608 and CEA-708 captions inside the picture stream, which FFmpeg 5.1 does not hand to every encoder.
enum Captions {
  /// How units of a stream are told from each other.
  enum Stream {
    case hevc, h264

    init?(_ codec: EncoderSettings.Codec) {
      switch codec {
      case .hevc: self = .hevc
      case .h264: self = .h264
      case .av1, .ffv1, .prores: return nil
      }
    }

    /// The header of a unit of messages that stands before a picture.
    var header: [UInt8] { self == .hevc ? [39 << 1, 1] : [6] }

    /// Whether a unit with that first byte is a slice of a picture.
    func isSlice(_ byte: UInt8) -> Bool { self == .hevc ? byte >> 1 & 0x3f < 32 : (1...5).contains(byte & 0x1f) }
  }

  /// Puts the caption bytes (triplets of CTA-708's cc_data) into the access unit, before its first slice, as the
  /// "registered user data" message that ATSC A/53 defines.
  static func insert(_ captions: [UInt8], into packet: PacketHandle, _ kind: Stream) throws {
    let count = min(captions.count / 3, 31)
    let size = Int(packet.pointer.pointee.size)
    guard count > 0, let data = packet.pointer.pointee.data, size > 0 else { return }
    let stream = UnsafeBufferPointer(start: data, count: size)
    guard let place = firstSlice(stream, kind) else { return }
    let unit = message(Array(captions.prefix(count * 3)), count, kind)

    let bigger = try PacketHandle()
    guard av_new_packet(bigger.pointer, Int32(size + unit.count)) >= 0, let target = bigger.pointer.pointee.data
    else { throw Failure.outOfMemory }
    target.update(from: data, count: place)
    unit.withUnsafeBufferPointer { (target + place).update(from: $0.baseAddress!, count: unit.count) }
    (target + place + unit.count).update(from: data + place, count: size - place)
    av_packet_copy_props(bigger.pointer, packet.pointer)
    av_packet_unref(packet.pointer)
    av_packet_move_ref(packet.pointer, bigger.pointer)
  }

  /// Where the start code of the first picture slice begins.
  static func firstSlice(_ stream: UnsafeBufferPointer<UInt8>, _ kind: Stream) -> Int? {
    var index = 0
    while index + 3 < stream.count {
      guard stream[index] == 0, stream[index + 1] == 0, stream[index + 2] == 1 else {
        index += 1
        continue
      }
      if kind.isSlice(stream[index + 3]) { return index > 0 && stream[index - 1] == 0 ? index - 1 : index }
      index += 3
    }
    return nil
  }

  /// A whole unit: start code, header, message 4, and emulation prevention.
  static func message(_ triplets: [UInt8], _ count: Int, _ kind: Stream) -> [UInt8] {
    // country, provider, "GA94", type of user data, flags and count, reserved byte
    let payload: [UInt8] =
      [0xb5, 0x00, 0x31, 0x47, 0x41, 0x39, 0x34, 0x03, 0x40 | UInt8(count), 0xff] + triplets + [0xff]
    var raw: [UInt8] = [4]
    raw.append(contentsOf: repeatElement(0xff, count: payload.count / 255))
    raw.append(UInt8(payload.count % 255))
    raw += payload + [0x80]
    var unit: [UInt8] = [0, 0, 0, 1] + kind.header
    var zeros = 0
    for byte in raw {
      if zeros == 2, byte <= 3 {
        unit.append(3)
        zeros = 0
      }
      unit.append(byte)
      zeros = byte == 0 ? zeros + 1 : 0
    }
    return unit
  }
}

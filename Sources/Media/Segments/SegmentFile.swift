import CFFmpeg
import Foundation
import Frames

/// A file that holds the encoded pictures of one stretch: packets, and at its end what there is to know of them.
///
/// `magic`, then each packet as time, duration, flags and size (64 bits each, of this machine's order) and its bytes,
/// then the index as JSON, its length in 64 bits, and `magic` again. It is written under another name, flushed, and
/// renamed: where it is, it is whole.
public final class SegmentFile {
  struct Index: Codable {
    /// What the muxer needs to know beside the packets; equal in all stretches, or they cannot be joined.
    var header: Data
    /// Of each picture, ascending.
    var times: [Int64]
    /// SHA-256 of all packets.
    var hash: String
    /// What the caller keeps with them.
    var record: Data
  }

  static let magic = Data("pipe segment 1\n\n".utf8)
  let path: String
  let index: Index
  private let end: Int

  public var record: Data { index.record }
  public var frames: Int { index.times.count }

  /// Throws a `Failure` that may pass where it is damaged: it has to be made again.
  public init(_ path: String) throws {
    self.path = path
    let trailer = SegmentFile.magic.count + 8
    guard let file = FileHandle(forReadingAtPath: path), let size = try? file.seekToEnd(), size > UInt64(2 * trailer),
      (try? file.seek(toOffset: size - UInt64(trailer))) != nil, let tail = try? file.readToEnd(),
      tail.suffix(SegmentFile.magic.count) == SegmentFile.magic
    else { throw SegmentFile.discard(path) }
    let length = tail.prefix(8).withUnsafeBytes { UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self)) }
    guard length < size - UInt64(trailer + SegmentFile.magic.count) else { throw SegmentFile.discard(path) }
    end = Int(size) - trailer - Int(length)
    guard (try? file.seek(toOffset: UInt64(end))) != nil, let data = try? file.read(upToCount: Int(length)),
      let index = try? JSONDecoder().decode(Index.self, from: data)
    else { throw SegmentFile.discard(path) }
    self.index = index
  }

  /// Removes a file that cannot be relied on, so that it is made again.
  private static func discard(_ path: String) -> Failure {
    unlink(path)
    return Failure("a finished stretch of it was damaged: \(path)", advice: "run again", mayPass: true)
  }

  /// Hands over each packet in decoding order, its decoding time not set.
  func read(_ body: (PacketHandle) throws -> Void) throws {
    guard let file = FileHandle(forReadingAtPath: path),
      try file.read(upToCount: SegmentFile.magic.count)
        == SegmentFile.magic
    else { throw SegmentFile.discard(path) }
    let hash = try ContentHash()
    var place = SegmentFile.magic.count
    while place < end {
      guard let head = try file.read(upToCount: 32), head.count == 32 else { throw SegmentFile.discard(path) }
      let fields = head.withUnsafeBytes { raw in
        (0..<4).map { Int64(littleEndian: raw.loadUnaligned(fromByteOffset: 8 * $0, as: Int64.self)) }
      }
      let size = Int(fields[3])
      guard size > 0, size <= end - place - 32, let bytes = try file.read(upToCount: size), bytes.count == size
      else { throw SegmentFile.discard(path) }
      let packet = try PacketHandle()
      guard av_new_packet(packet.pointer, Int32(clamping: size)) >= 0, let target = packet.pointer.pointee.data else {
        throw Failure.outOfMemory
      }
      bytes.copyBytes(to: target, count: size)
      packet.pointer.pointee.pts = fields[0]
      packet.pointer.pointee.duration = fields[1]
      packet.pointer.pointee.flags = Int32(truncatingIfNeeded: fields[2])
      for piece in [head, bytes] { piece.withUnsafeBytes { hash.update($0) } }
      place += 32 + size
      try body(packet)
    }
    guard hash.finish() == index.hash else { throw SegmentFile.discard(path) }
  }
}

/// Encodes the pictures of one stretch of a stream as `VideoWriter` would, into a `SegmentFile`.
///
/// Used by one thread at a time.
public final class SegmentWriter {
  private let path: String
  private let part: String
  private let file: FileHandle
  private let placement: Placement
  private let encoder: VideoEncoder
  private let hash: ContentHash
  private var times: [Int64] = []

  /// Where a stretch lies until it is complete.
  public static func part(of path: String) -> String { path + ".part" }

  /// - Parameters:
  ///   - path: where the complete file is to lie.
  ///   - stream: of the pictures, as `VideoWriter` is told of it.
  public init(_ path: String, _ settings: WriterSettings, stream: StreamFormat) throws {
    self.path = path
    part = SegmentWriter.part(of: path)
    placement = try Placement(stream, settings)
    encoder = try VideoEncoder(settings.encoder, placement.format, header: settings.container.keepsHeadersOutside)
    hash = try ContentHash()
    let descriptor = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw SegmentWriter.failure(path) }
    file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    try put(SegmentFile.magic)
  }

  /// In the order of their times.
  public func write(_ frame: Frame) throws {
    try encoder.encode(frame.with(try placement.place(frame.picture))) { try write($0) }
  }

  /// Completes the file and brings it to its place.
  /// - Parameters:
  ///   - next: the time of the frame that follows the stretch, in the stream's time base; nil after the last.
  ///   - record: what is to be kept with it.
  public func finish(next: Int?, record: Data) throws {
    try encoder.encode(nil, next: next.map(Int64.init)) { try write($0) }
    let index = SegmentFile.Index(header: encoder.header, times: times.sorted(), hash: hash.finish(), record: record)
    let json = try JSONEncoder().encode(index)
    try put(json + withUnsafeBytes(of: UInt64(json.count).littleEndian) { Data($0) } + SegmentFile.magic)
    guard fsync(file.fileDescriptor) == 0, rename(part, path) == 0 else { throw SegmentWriter.failure(path) }
    try OutputFile.flush(path.parentFolder)
  }

  private func write(_ packet: PacketHandle) throws {
    let content = packet.pointer.pointee
    guard let bytes = content.data, content.size > 0 else { return }
    let fields = [content.pts, content.duration, Int64(content.flags), Int64(content.size)].map(\.littleEndian)
    let data = fields.withUnsafeBytes { Data($0) } + Data(bytes: bytes, count: Int(content.size))
    data.withUnsafeBytes { hash.update($0) }
    times.append(content.pts)
    try put(data)
  }

  private func put(_ data: Data) throws {
    try data.withUnsafeBytes { bytes in
      var rest = bytes[...]
      while !rest.isEmpty {
        let count = Foundation.write(
          file.fileDescriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { throw SegmentWriter.failure(path) }
        rest = rest.dropFirst(count)
      }
    }
  }

  private static func failure(_ path: String) -> Failure {
    let code = errno
    let full = code == ENOSPC || code == EDQUOT
    return Failure(
      "cannot write \(path): \(String(cString: strerror(code)))",
      advice: full ? "make room and run the same line again" : nil, exitCode: full ? .exhausted : .someFailed,
      mayPass: full || code == EIO)
  }
}

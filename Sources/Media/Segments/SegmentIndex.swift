import CFFmpeg
import Frames

/// Where a file's video can be cut, by its packets alone: a container's counts are never trusted.
public struct SegmentIndex: Sendable, Hashable, Codable {
  /// A closed stretch: the frames with `start <= time < end` after decoding, wherever their packets lie.
  public struct Stretch: Sendable, Hashable, Codable {
    /// Nil for the first.
    public var start: Int?
    /// Nil for the last.
    public var end: Int?
    /// Of each of its frames, ascending.
    public var times: [Int]
    /// Where decoding may begin, the nearest first: decoding times of key frames before `start`, nil for the
    /// beginning of the file.
    public var entries: [Int?]
  }

  /// The stream's number in the file.
  public var stream: Int
  /// The unit of all times.
  public var timeBase: Rational
  public var stretches: [Stretch]

  /// Reads all packets of the one video stream that is chosen, and cuts it at key frames at least `seconds` apart.
  ///
  /// - Parameters:
  ///   - lead: how many frames before each cut must be decoded, too.
  ///   - proceed: called now and then; what it throws ends the reading.
  /// - Returns: nil where the file is too short, has several video streams, or times that frames cannot be told by.
  public static func cut(
    _ path: String, select: StreamSelection, every seconds: Double, lead: Int, proceed: () throws -> Void
  ) throws -> SegmentIndex? {
    let file = try InputFile(path)
    let duration = Double(file.context.pointee.duration) / Double(AV_TIME_BASE)
    guard !file.isStill, duration <= 0 || duration >= seconds * 1.5, let stream = only(file, select) else { return nil }
    for other in file.streams where other != stream { other.pointee.discard = AVDISCARD_ALL }
    var packets: [Packet] = []
    let packet = try PacketHandle()
    while file.read(into: packet) {
      defer { av_packet_unref(packet.pointer) }
      let content = packet.pointer.pointee
      guard content.stream_index == stream.pointee.index else { continue }
      guard content.pts != cffmpeg_no_pts() else { return nil }
      packets.append(
        Packet(
          time: Int(content.pts), entry: Int(content.dts == cffmpeg_no_pts() ? content.pts : content.dts),
          isKey: content.flags & AV_PKT_FLAG_KEY != 0, isShown: content.flags & AV_PKT_FLAG_DISCARD == 0))
      if packets.count % 256 == 0 { try proceed() }
    }
    // What is damaged is better read in one go.
    guard file.damage == nil else { return nil }
    let keys = packets.filter(\.isKey)
    if keys.count * 2 > packets.count, packets.count > 32, !intraOnly(stream) { return nil }
    let times = packets.filter(\.isShown).map(\.time).sorted()
    guard let first = times.first, let last = times.last, zip(times, times.dropFirst()).allSatisfy({ $0 < $1 }) else {
      return nil
    }
    let base = Rational(stream.pointee.time_base)
    let length = Int(seconds / base.value)
    guard base.isValid, length > 0 else { return nil }

    var cuts: [(time: Int, key: Int)] = []
    for (index, key) in keys.enumerated() where key.isShown && key.time - (cuts.last?.time ?? first) >= length {
      cuts.append((key.time, index))
    }
    if let end = cuts.last, last - end.time < length / 2 { cuts.removeLast() }
    guard !cuts.isEmpty else { return nil }
    var stretches = [Stretch(start: nil, end: cuts[0].time, times: [], entries: [])]
    for (index, cut) in cuts.enumerated() {
      stretches.append(
        Stretch(
          start: cut.time, end: index + 1 < cuts.count ? cuts[index + 1].time : nil, times: [],
          entries: entries(before: cut.key, at: cut.time, keys, times, lead: lead)))
    }
    var number = 0
    for time in times {
      while let end = stretches[number].end, time >= end { number += 1 }
      stretches[number].times.append(time)
    }
    return SegmentIndex(stream: Int(stream.pointee.index), timeBase: base, stretches: stretches)
  }

  private struct Packet {
    var time: Int
    var entry: Int
    var isKey: Bool
    var isShown: Bool
  }

  /// Beginning one key frame early makes up for what an open group of pictures, or a lie of the container, takes
  /// from its neighbour; one key frame earlier still, and two more, are further tries.
  private static func entries(
    before key: Int, at time: Int, _ keys: [Packet], _ times: [Int], lead: Int
  ) -> [Int?] {
    let place = lowerBound(times, time)
    var back = 1
    while key - back >= 0, place - lowerBound(times, keys[key - back].time) < lead { back += 1 }
    var result: [Int?] = []
    for more in [0, 1, 3] {
      let index = key - back - more
      result.append(index > 0 ? keys[index].entry : nil)
      if index <= 0 { break }
    }
    return result
  }

  private static func lowerBound(_ times: [Int], _ time: Int) -> Int {
    var (low, high) = (0, times.count)
    while low < high {
      let middle = (low + high) / 2
      if times[middle] < time { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// The stream that a reader would take, where it is but one.
  private static func only(_ file: InputFile, _ select: StreamSelection) -> UnsafeMutablePointer<AVStream>? {
    let all = file.streams.filter {
      $0.pointee.codecpar.pointee.codec_type == AVMEDIA_TYPE_VIDEO
        && $0.pointee.disposition & AV_DISPOSITION_ATTACHED_PIC == 0
        && !file.chapterTracks.contains(Int($0.pointee.index))
    }
    let chosen =
      switch select {
      case .all: all
      case .first: Array(all.prefix(1))
      case .numbers(let numbers): all.filter { numbers.contains(Int($0.pointee.index)) }
      }
    return chosen.count == 1 ? chosen[0] : nil
  }

  private static func intraOnly(_ stream: UnsafeMutablePointer<AVStream>) -> Bool {
    avcodec_descriptor_get(stream.pointee.codecpar.pointee.codec_id).map {
      $0.pointee.props & AV_CODEC_PROP_INTRA_ONLY != 0
    } ?? false
  }
}

/// A stretch did not come out as its index says: only reading the whole file in one go is certain.
public struct SegmentMismatch: Error, CustomStringConvertible {
  public let description: String
  public init(_ reason: String) { description = reason }
}

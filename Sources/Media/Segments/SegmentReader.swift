import CFFmpeg
import Frames

/// Reads the frames of one stretch of a file, exactly as reading the whole file would give them.
///
/// Some frames before and after may be given, too, for stages that look at neighbours. Used by one thread at a time.
public final class SegmentReader {
  private let reader: VideoReader
  private let stretch: SegmentIndex.Stretch
  private let trail: Int
  private var ready: [Frame] = []
  private var seen = 0
  private var after = 0
  private var ended = false
  /// Frames of the stretch that the decoder marked as damaged, and packets that it refused.
  public private(set) var damaged = 0
  public private(set) var refused = 0
  /// Of the first frame, and of the first after the end: what its neighbours must agree with.
  public private(set) var firstHash: String?
  public private(set) var nextHash: String?

  public var streams: [StreamFormat] { reader.streams }
  public var notes: [MediaNote] { reader.notes }

  /// - Parameters:
  ///   - lead: frames before the start that are given. - trail: frames after the end.
  /// Throws `SegmentMismatch` where what is found there is not what the index says.
  public init(
    _ path: String, _ index: SegmentIndex, _ number: Int, threads: Int, lead: Int = 0, trail: Int = 0
  ) throws {
    stretch = index.stretches[number]
    self.trail = trail
    // From the beginning: a stream is described by its first frame, whatever stretch is read.
    reader = try VideoReader(path, threads: threads, select: .numbers([index.stream]))
    guard reader.streams.count == 1, reader.streams[0].timeBase == index.timeBase else {
      throw SegmentMismatch("its stream \(index.stream) is not as it was")
    }
    if stretch.start != nil { try enter(lead) }
  }

  /// The next frame, or nil after the last; `contains` tells those of the stretch itself.
  public func read() throws -> Frame? {
    if !ready.isEmpty { return ready.removeFirst() }
    if ended { return nil }
    guard let frame = try reader.read() else {
      ended = true
      guard seen == stretch.times.count, stretch.end == nil || after > 0 else {
        throw SegmentMismatch("\(stretch.times.count) frames were expected and \(seen) came")
      }
      refused += reader.refused
      return nil
    }
    return try take(frame)
  }

  public func contains(_ time: Timestamp) -> Bool {
    time.value >= stretch.start ?? .min && time.value < stretch.end ?? .max
  }

  private func take(_ frame: Frame) throws -> Frame? {
    let time = frame.timestamp.value
    if let end = stretch.end, time >= end {
      guard seen == stretch.times.count else {
        throw SegmentMismatch("\(stretch.times.count) frames were expected and \(seen) came")
      }
      if after == 0 { nextHash = try ContentHash.of(frame.picture) }
      after += 1
      ended = after >= trail
      if ended { refused += reader.refused }
      return after <= trail ? frame : nil
    }
    guard seen < stretch.times.count, time == stretch.times[seen] else {
      throw SegmentMismatch("a frame at \(time) came that the packets do not tell of")
    }
    if seen == 0, stretch.start != nil { firstHash = try ContentHash.of(frame.picture) }
    if reader.lastIsDamaged { damaged += 1 }
    seen += 1
    return frame
  }

  /// Finds the first frame, from further and further before it.
  private func enter(_ lead: Int) throws {
    let start = stretch.start ?? .min
    for entry in stretch.entries {
      guard try reader.enter(at: entry) else { continue }
      var before: [Frame] = []
      while let frame = try reader.read() {
        if frame.timestamp.value < start {
          if lead > 0 { before.append(frame) }
          if before.count > lead { before.removeFirst() }
          continue
        }
        guard frame.timestamp.value == stretch.times.first, before.count == lead else { break }
        // What the way there has cost is the business of the stretch before.
        refused = -reader.refused
        ready = before + (try take(frame).map { [$0] } ?? [])
        return
      }
    }
    throw SegmentMismatch("the frame at \(start) cannot be reached from the key frames before it")
  }
}

extension ContentHash {
  /// Of a picture's samples and format.
  public static func of(_ picture: Picture) throws -> String {
    let hash = try ContentHash()
    Array("\(picture.width)x\(picture.height) \(picture.format)".utf8).withUnsafeBytes { hash.update($0) }
    picture.withPlanes { planes in
      for plane in planes {
        for y in 0..<plane.height {
          hash.update(
            UnsafeRawBufferPointer(
              start: plane.base + y * plane.stride, count: plane.width * picture.format.bytesPerSample))
        }
      }
    }
    return hash.finish()
  }
}

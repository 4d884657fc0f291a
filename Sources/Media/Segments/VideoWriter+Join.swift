import CFFmpeg
import Frames

extension VideoWriter {
  /// Writes the stretches of the one video stream, in their order, in place of frames.
  ///
  /// Decoding times are made of all presentation times together, as one encoder would have given them.
  /// Throws `SegmentMismatch` where the stretches do not belong together.
  public func write(_ stretches: [SegmentFile], beat: () throws -> Void) throws {
    guard lanes.count == 1, let lane = lanes.first else { throw SegmentMismatch("there are several streams") }
    let times = stretches.flatMap(\.index.times)
    guard let first = times.first, zip(times, times.dropFirst()).allSatisfy({ $0 < $1 }) else {
      throw SegmentMismatch("its stretches overlap")
    }
    let (reorder, period) = (lane.encoder.reorder, lane.encoder.period)
    var count = 0
    var last: Int64?
    for stretch in stretches {
      guard stretch.index.header == lane.encoder.header else {
        throw SegmentMismatch("\(stretch.path) was encoded by another encoder")
      }
      try stretch.read { packet in
        let index = count - reorder
        var time = reorder == 0 ? packet.pointer.pointee.pts : index < 0 ? first + Int64(index) * period : times[index]
        if let last, time <= last { time = last + 1 }
        guard time <= packet.pointer.pointee.pts else {
          throw SegmentMismatch("pictures are reordered further than the encoder says")
        }
        packet.pointer.pointee.dts = time
        last = time
        count += 1
        try write(packet, lane)
        if count % 256 == 0 { try beat() }
      }
    }
    lane.frames = count
  }
}

import Frames

/// Reads an output back before it is published.
enum Verification {
  /// - Parameters:
  ///   - kinds: the streams that were written, in order.
  ///   - frames: for each video stream, the frames that were handed to its encoder and the packets that it gave.
  static func check(
    _ path: String, kinds: [MediaSummary.Kind], frames: [(stream: Int, count: Int, packets: Int)]
  ) throws -> MediaSummary {
    func wrong(_ what: String) -> Failure {
      Failure("the output does not verify: \(what)", advice: "run again; if it stays, report it", mayPass: true)
    }
    let summary: MediaSummary
    do {
      summary = try MediaSummary(of: path, counting: true)
    } catch let failure as Failure {
      throw wrong("it \(failure.message)")
    }
    if let damage = summary.damage { throw wrong(damage) }
    // A container may add a track for chapters, and reads cover pictures back in its own order.
    for kind in [MediaSummary.Kind.video, .audio, .subtitle] {
      let (planned, found) = (
        kinds.filter { $0 == kind }.count, summary.count(kind) + (kind == .video ? summary.count(.cover) : 0)
      )
      if found < planned { throw wrong("\(planned) \(kind.rawValue) streams were written and \(found) are there") }
    }
    let videos = summary.streams.filter { $0.kind == .video }
    for (position, lane) in frames.enumerated() {
      guard lane.count == lane.packets else {
        throw wrong("\(lane.count) frames were encoded to \(lane.packets) pictures")
      }
      guard position < videos.count, videos[position].packets == lane.count else {
        let found = position < videos.count ? videos[position].packets ?? 0 : 0
        throw wrong("\(lane.count) frames were written and \(found) are there")
      }
    }
    return summary
  }
}

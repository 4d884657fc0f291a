import Frames

/// What scans and searches look at: not the whole stream, but stretches of it.
extension VideoReader {
  /// Runs of pictures from places spread over a stream, brought to the size and format of `like`: what an encoder's
  /// settings are tried on.
  static func samples(
    of path: String, stream: Int, stretches: Int, frames: Int, like: StreamFormat, threads: Int
  ) throws -> [[Picture]] {
    var result: [[Picture]] = []
    var scaler: Scaler?
    try runs(of: path, stream: stream, stretches: stretches, frames: frames, threads: threads, evenly: true) {
      run, frame in
      let layout = PictureLayout(
        width: frame.picture.width, height: frame.picture.height, format: frame.picture.format)
      let wanted = PictureLayout(width: like.width, height: like.height, format: like.pixelFormat)
      if layout != wanted, scaler == nil { scaler = try Scaler(from: layout, to: wanted, filter: .lanczos) }
      while result.count <= run { result.append([]) }
      result[run].append(try scaler?.scale(frame.picture) ?? frame.picture)
    }
    result.removeAll(where: \.isEmpty)
    return result
  }

  /// Hands over runs of frames, each with the run's number, from places spread over a stream. Each run begins where
  /// the file can be entered, or, where it is short enough to go through and `evenly` is wanted, where it should.
  static func runs(
    of path: String, stream: Int, stretches: Int, frames: Int, threads: Int, evenly: Bool = false,
    _ body: (Int, Frame) throws -> Void
  ) throws {
    let reader = try VideoReader(path, threads: threads, select: .numbers([stream]))
    let seconds = reader.streams[0].frameCount.flatMap { count in
      reader.streams[0].frameRate.map { Double(count) / $0.value }
    }
    if evenly, let count = reader.streams[0].frameCount, stretches > 1, count <= stretches * frames * 8 {
      // Short enough to go through: key frames may be far apart.
      for index in 0..<count {
        guard let frame = try reader.read() else { return }
        let run = min(index * stretches / count, stretches - 1)
        let middle = (2 * run + 1) * count / (2 * stretches)
        if (middle - frames / 2..<middle - frames / 2 + frames).contains(index) { try body(run, frame) }
      }
      return
    }
    for run in 0..<stretches {
      if run > 0, let seconds { reader.seek(to: seconds * Double(run) / Double(stretches)) }
      for index in 0..<frames {
        guard let frame = try reader.read() else {
          if index == 0 { return }
          break
        }
        try body(run, frame)
      }
    }
  }
}

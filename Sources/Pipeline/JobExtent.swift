import Frames

/// How much work an input is for a chain: known once it and the filters are opened.
public struct JobExtent: Sendable, Hashable, Codable {
  /// Frames or pages, where the source can tell.
  public var frames: Int?
  /// Pixels of one frame of each stream together, as they come from the source and as they reach the sink.
  public var pixelsIn: Int
  public var pixelsOut: Int
  /// Bytes that these take in memory.
  public var bytesIn: Int
  public var bytesOut: Int

  init(_ source: [StreamFormat], _ sink: [StreamFormat]) {
    let counts = source.compactMap(\.frameCount)
    frames = counts.count == source.count ? counts.reduce(0, +) : nil
    pixelsIn = Self.sum(source) { $0.width * $0.height }
    pixelsOut = Self.sum(sink) { $0.width * $0.height }
    bytesIn = Self.sum(source, Self.bytes)
    bytesOut = Self.sum(sink, Self.bytes)
  }

  private static func sum(_ streams: [StreamFormat], _ value: (StreamFormat) -> Int) -> Int {
    streams.reduce(0) { $0 + value($1) }
  }

  private static func bytes(_ format: StreamFormat) -> Int {
    (0..<format.pixelFormat.planeCount).reduce(0) {
      let plane = format.pixelFormat.planeSize($1, width: format.width, height: format.height)
      return $0 + plane.width * plane.height * format.pixelFormat.bytesPerSample
    }
  }
}

extension ChainRunner {
  /// Opens all but the sink to see how much there is to do.
  public func extent(of job: Job) throws -> JobExtent {
    let source = try chain.source.open(job)
    return JobExtent(source.streams, try open(job, source.streams).formats)
  }
}

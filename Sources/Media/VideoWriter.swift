import CFFmpeg
import Frames

/// How a film is written.
public struct WriterSettings: Sendable, Hashable {
  public enum OrientationRule: String, Sendable, Hashable, Codable, CaseIterable {
    /// By the container: carried where players obey it (MP4, MOV), applied to the pixels elsewhere.
    case auto
    case apply, carry
  }

  public var encoder: EncoderSettings
  public var container: Container
  public var companions: CompanionSettings
  public var orientation: OrientationRule

  public init(
    encoder: EncoderSettings, container: Container, companions: CompanionSettings = .init(),
    orientation: OrientationRule = .auto
  ) {
    self.encoder = encoder
    self.container = container
    self.companions = companions
    self.orientation = orientation
  }
}

/// Encodes the pictures of any number of streams into one file, with all else that the source holds.
///
/// Times are carried from the source unchanged, in its own time base. Used by one thread at a time.
public final class VideoWriter {
  /// What is to be said about the output. Complete once `finish` has returned.
  public private(set) var notes: [MediaNote] = []
  private let output: OutputFile
  private let companions: CompanionStreams?
  private(set) var lanes: [Lane] = []

  final class Lane {
    let encoder: VideoEncoder
    let stream: UnsafeMutablePointer<AVStream>
    let placement: Placement
    let timeBase: AVRational
    var frames = 0

    init(
      _ encoder: VideoEncoder, _ stream: UnsafeMutablePointer<AVStream>, _ placement: Placement, _ timeBase: AVRational
    ) {
      (self.encoder, self.stream, self.placement, self.timeBase) = (encoder, stream, placement, timeBase)
    }
  }

  /// - Parameters:
  ///   - path: the file to write, whatever its name ends in.
  ///   - source: the file whose sound, subtitles, chapters and tags go along; nil for none.
  public init(_ path: String, _ settings: WriterSettings, streams: [StreamFormat], companionsOf source: String?) throws
  {
    let output = try OutputFile(path, settings.container)
    // Numbered pictures have no sound.
    let companions = try source.flatMap {
      PictureSequence($0) == nil ? try CompanionStreams($0, output: output) : nil
    }
    var notes: [MediaNote] = []
    let placements = try streams.map { try Placement($0, settings) }
    let encoders = try placements.map {
      try VideoEncoder(settings.encoder, $0.format, header: output.keepsHeadersOutside)
    }
    for (placement, encoder) in zip(placements, encoders) { notes += placement.notes + encoder.notes }

    var lanes = [Lane?](repeating: nil, count: streams.count)
    func add(_ index: Int) throws -> UnsafeMutablePointer<AVStream> {
      let stream = try output.addStream()
      try encoders[index].describe(stream)
      if settings.encoder.codec == .hevc, !settings.container.isMatroska {
        stream.pointee.codecpar.pointee.codec_tag = cffmpeg_tag(104, 118, 99, 49)  // hvc1
      }
      SideData.write(encoders[index].format, displayMatrix: placements[index].carriedMatrix, to: stream)
      lanes[index] = Lane(encoders[index], stream, placements[index], streams[index].timeBase.av)
      return stream
    }
    if let companions {
      try companions.addStreams(
        settings.companions, numbers: streams.map(\.sourceStream), addVideo: add)
    } else {
      for index in streams.indices { _ = try add(index) }
    }
    try output.writeHeader(keepsNegativeTimes: true)
    self.output = output
    self.companions = companions
    self.lanes = lanes.compactMap { $0 }
    self.notes = notes + output.notes + (companions?.notes ?? [])
  }

  /// Frames of each stream in the order of their times.
  public func write(_ frame: Frame) throws {
    guard lanes.indices.contains(frame.stream) else { throw Failure("a frame of an unknown stream came") }
    let lane = lanes[frame.stream]
    lane.frames += 1
    try lane.encoder.encode(frame.with(try lane.placement.place(frame.picture))) { try write($0, lane) }
  }

  /// Completes the file, flushes it to disk, and reads it back: it must hold every frame that was written.
  public func finish() throws -> MediaSummary {
    for lane in lanes { try lane.encoder.encode(nil) { try write($0, lane) } }
    try companions?.write(until: nil)
    companions?.summarise()
    let planned = (0..<Int(output.context.pointee.nb_streams)).compactMap { output.context.pointee.streams[$0] }
    let kinds = planned.map { MediaSummary.Kind($0.pointee.codecpar.pointee.codec_type) }
    let counts = output.packetCounts
    try output.finish()
    notes += (companions?.notes ?? []).filter { !notes.contains($0) }
    return try Verification.check(
      output.path, kinds: kinds,
      frames: lanes.map {
        (stream: Int($0.stream.pointee.index), count: $0.frames, packets: counts[Int($0.stream.pointee.index)] ?? 0)
      })
  }

  func write(_ packet: PacketHandle, _ lane: Lane) throws {
    let time = Double(packet.pointer.pointee.dts) * lane.timeBase.seconds
    try companions?.write(until: time)
    try output.write(packet, to: lane.stream, timeBase: lane.timeBase)
  }
}

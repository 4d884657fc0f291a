import CFFmpeg
import Foundation
import Frames

/// What a media file holds, for receipts, comparison and verification.
public struct MediaSummary: Sendable, Hashable, Codable {
  public enum Kind: String, Sendable, Hashable, Codable { case video, audio, subtitle, attachment, cover, data }

  public struct Stream: Sendable, Hashable, Codable {
    public var kind: Kind
    public var codec: String
    /// Packets: for video, frames. Nil where they were not counted.
    public var packets: Int?
    /// In seconds; first and last begin.
    public var first: Double?
    public var last: Double?
    public var width: Int?
    public var height: Int?
    public var pixelFormat: String?
    public var colour: Colour?
    public var sampleAspectRatio: Rational?
    public var displayMatrix: [Int32]?
    public var masteringDisplay: MasteringDisplay?
    public var contentLight: ContentLight?
    public var sampleRate: Int?
    public var channels: Int?
    public var tags: [String: String]
  }

  public var format: String
  /// In seconds, where the container states it.
  public var duration: Double?
  public var bytes: Int
  public var streams: [Stream]
  public var chapters: Int
  public var tags: [String: String]

  /// - Parameter counting: whether to read every packet for counts and times.
  public init(of path: String, counting: Bool = false) throws {
    let file = try InputFile(path)
    format = file.formatName
    duration = file.context.pointee.duration > 0 ? Double(file.context.pointee.duration) / Double(AV_TIME_BASE) : nil
    bytes = (try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int) ?? 0
    chapters = Int(file.context.pointee.nb_chapters)
    tags = Dictionary(entries(of: file.context.pointee.metadata).map { ($0.key, $0.value) }) { $1 }
    streams = file.streams.map { Stream($0) }
    guard counting else { return }
    for index in streams.indices { streams[index].packets = 0 }
    let packet = try PacketHandle()
    while file.read(into: packet) {
      defer { av_packet_unref(packet.pointer) }
      let index = Int(packet.pointer.pointee.stream_index)
      guard streams.indices.contains(index), packet.pointer.pointee.flags & AV_PKT_FLAG_DISCARD == 0 else { continue }
      streams[index].packets = (streams[index].packets ?? 0) + 1
      guard packet.pointer.pointee.pts != cffmpeg_no_pts() else { continue }
      let time = Double(packet.pointer.pointee.pts) * file.streams[index].pointee.time_base.seconds
      streams[index].first = min(streams[index].first ?? time, time)
      streams[index].last = max(streams[index].last ?? time, time)
    }
    damage = file.damage
  }

  /// Why reading ended before the end, if it did.
  public var damage: String?

  public func count(_ kind: Kind) -> Int { streams.filter { $0.kind == kind }.count }
}

extension MediaSummary.Kind {
  init(_ type: AVMediaType) {
    switch type {
    case AVMEDIA_TYPE_VIDEO: self = .video
    case AVMEDIA_TYPE_AUDIO: self = .audio
    case AVMEDIA_TYPE_SUBTITLE: self = .subtitle
    case AVMEDIA_TYPE_ATTACHMENT: self = .attachment
    default: self = .data
    }
  }
}

extension MediaSummary.Stream {
  init(_ stream: UnsafeMutablePointer<AVStream>) {
    let parameters = stream.pointee.codecpar.pointee
    let isCover = stream.pointee.disposition & AV_DISPOSITION_ATTACHED_PIC != 0
    self.init(
      kind: isCover ? .cover : MediaSummary.Kind(parameters.codec_type), codec: VideoDecoder.codecName(stream),
      tags: Dictionary(entries(of: stream.pointee.metadata).map { ($0.key, $0.value) }) { $1 })
    if kind == .video || kind == .cover {
      (width, height) = (Int(parameters.width), Int(parameters.height))
      pixelFormat = AVPixelFormat(parameters.format).name
      colour = Colour(
        range: parameters.color_range == AVCOL_RANGE_JPEG
          ? .full : parameters.color_range == AVCOL_RANGE_MPEG ? .limited : .unspecified,
        matrix: Int(parameters.color_space.rawValue), primaries: Int(parameters.color_primaries.rawValue),
        transfer: Int(parameters.color_trc.rawValue), chromaLocation: Int(parameters.chroma_location.rawValue))
      let aspect = parameters.sample_aspect_ratio
      sampleAspectRatio = aspect.num > 0 && aspect.den > 0 ? Rational(aspect) : nil
      displayMatrix = SideData.displayMatrix(stream)
      masteringDisplay = SideData.masteringDisplay(stream, nil)
      contentLight = SideData.contentLight(stream, nil)
    } else if kind == .audio {
      (sampleRate, channels) = (Int(parameters.sample_rate), Int(parameters.ch_layout.nb_channels))
    }
  }
}

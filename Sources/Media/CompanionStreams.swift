import CFFmpeg
import Foundation
import Frames

/// What of a file goes along with its pictures, and how.
public struct CompanionSettings: Sendable, Hashable, Codable {
  public enum Audio: Sendable, Hashable, Codable {
    /// As it is; converted only where the container cannot hold it.
    case copy
    case none
    case convert(AudioCodec)
  }
  public var audio: Audio
  public var subtitles: Bool

  public init(audio: Audio = .copy, subtitles: Bool = true) { (self.audio, self.subtitles) = (audio, subtitles) }
}

/// Carries sound, subtitles, attachments, cover pictures, chapters and tags from a source to an output.
///
/// It reads the source a second time, never further than the pictures have come, so that nothing piles up.
/// Used by one thread at a time.
final class CompanionStreams {
  private let file: InputFile
  private let output: OutputFile
  private let packet: PacketHandle
  private var routes: [Int: Route] = [:]
  private var pending = false
  private var ended = false
  private(set) var notes: [MediaNote] = []

  private final class Route {
    let source: UnsafeMutablePointer<AVStream>
    let target: UnsafeMutablePointer<AVStream>
    let converter: SubtitleConverter?
    let audio: AudioConverter?
    /// The end of the last packet, for those that have no time of their own.
    var next: Int64?
    /// Packets before an edit's begin: the decoder needs the last of them, nobody hears the others.
    var unheard: [PacketHandle] = []
    var heard = false

    init(
      _ source: UnsafeMutablePointer<AVStream>, _ target: UnsafeMutablePointer<AVStream>,
      _ converter: SubtitleConverter? = nil, audio: AudioConverter? = nil
    ) {
      (self.source, self.target, self.converter, self.audio) = (source, target, converter, audio)
    }
  }

  init(_ path: String, output: OutputFile) throws {
    file = try InputFile(path)
    self.output = output
    packet = try PacketHandle()
  }

  /// Adds the output's streams in the source's order: `addVideo` those that are encoded anew, `numbers` in the source.
  func addStreams(
    _ settings: CompanionSettings, numbers: [Int], addVideo: (Int) throws -> UnsafeMutablePointer<AVStream>
  ) throws {
    for stream in file.streams {
      let number = Int(stream.pointee.index)
      if let index = numbers.firstIndex(of: number) {
        let target = try addVideo(index)
        Metadata.copyStream(stream, to: target, recoded: true)
        stream.pointee.discard = AVDISCARD_ALL
      } else {
        try addCompanion(stream, settings)
      }
      if routes[number] == nil { stream.pointee.discard = AVDISCARD_ALL }
    }
    Metadata.copyFile(file.context, to: output.context)
    try Metadata.copyChapters(file.context, to: output.context)
  }

  /// Whether sound or subtitles begin before 0, as a codec's priming does.
  var beginsBeforeZero: Bool {
    routes.values.contains { $0.source.pointee.start_time < 0 && $0.source.pointee.start_time != cffmpeg_no_pts() }
  }

  /// Writes every packet that begins before `seconds`; all that is left where it is nil.
  func write(until seconds: Double?) throws {
    while !ended {
      if !pending {
        guard file.read(into: packet) else {
          ended = true
          if let damage = file.damage { notes.append(MediaNote(.loss, damage)) }
          for route in routes.values.sorted(by: { $0.source.pointee.index < $1.source.pointee.index }) {
            try route.audio?.convert(nil) { try self.send($0, route, converted: true) }
          }
          return
        }
        pending = true
      }
      guard let route = routes[Int(packet.pointer.pointee.stream_index)] else {
        drop()
        continue
      }
      let time =
        packet.pointer.pointee.dts != cffmpeg_no_pts() ? packet.pointer.pointee.dts : packet.pointer.pointee.pts
      if let seconds, time != cffmpeg_no_pts(), Double(time) * route.source.pointee.time_base.seconds > seconds {
        return
      }
      try pass(route)
    }
  }

  /// To be called once all is written.
  func summarise() {
    for (number, route) in routes.sorted(by: { $0.key < $1.key }) {
      if let failed = route.audio?.failed, failed > 0 {
        notes.append(MediaNote(.loss, "audio stream \(number): \(failed) packets could not be decoded"))
      }
      if let failed = route.converter?.failed, failed > 0 {
        notes.append(MediaNote(.loss, "subtitle stream \(number): \(failed) cues could not be converted"))
      }
    }
  }

  private func drop() {
    av_packet_unref(packet.pointer)
    pending = false
  }

  private func pass(_ route: Route) throws {
    defer { drop() }
    let pointer = packet.pointer
    if let audio = route.audio {
      // A decoder drops what an edit cuts by itself.
      return try audio.convert(packet) { try send($0, route, converted: true) }
    }
    if pointer.pointee.flags & AV_PKT_FLAG_DISCARD != 0 {
      if !route.heard, route.converter == nil, let copy = try? PacketHandle() {
        av_packet_move_ref(copy.pointer, pointer)
        route.unheard.append(copy)
        if route.unheard.count > 4 { route.unheard.removeFirst() }
      }
      return
    }
    if !route.heard {
      route.heard = true
      let lead = rescale(50, AVRational(num: 1, den: 1000), route.source.pointee.time_base)
      for (index, held) in route.unheard.enumerated()
      where index == route.unheard.count - 1 || held.pointer.pointee.pts >= pointer.pointee.pts - lead {
        try send(held, route)
      }
      route.unheard = []
    }
    if let converter = route.converter {
      guard let converted = try converter.convert(packet) else { return }
      try output.write(converted, to: route.target, timeBase: AVRational(num: 1, den: 1000))
    } else {
      try send(packet, route)
    }
  }

  private func send(_ packet: PacketHandle, _ route: Route, converted: Bool = false) throws {
    let pointer = packet.pointer
    let none = cffmpeg_no_pts()
    if pointer.pointee.pts == none { pointer.pointee.pts = pointer.pointee.dts }
    if pointer.pointee.pts == none { pointer.pointee.pts = route.next ?? 0 }
    if pointer.pointee.dts == none { pointer.pointee.dts = pointer.pointee.pts }
    route.next = pointer.pointee.pts &+ max(pointer.pointee.duration, 0)
    let timeBase = converted ? route.audio?.timeBase : nil
    try output.write(packet, to: route.target, timeBase: timeBase ?? route.source.pointee.time_base)
  }

  // MARK: what becomes of a stream

  private func addCompanion(_ stream: UnsafeMutablePointer<AVStream>, _ settings: CompanionSettings) throws {
    let parameters = stream.pointee.codecpar.pointee
    let number = Int(stream.pointee.index)
    if file.chapterTracks.contains(number) { return }
    let codec = VideoDecoder.codecName(stream)
    func lost(_ kind: String, _ why: String) { notes.append(MediaNote(.loss, "\(kind) \(number) (\(codec)): \(why)")) }

    switch parameters.codec_type {
    case AVMEDIA_TYPE_VIDEO:
      if stream.pointee.disposition & AV_DISPOSITION_ATTACHED_PIC != 0 { try addCover(stream) }
    case AVMEDIA_TYPE_AUDIO:
      if settings.audio == .none { return }
      guard parameters.sample_rate > 0 else { return lost("audio stream", "it has no sample rate") }
      let held = output.container.holds(parameters.codec_id, AVMEDIA_TYPE_AUDIO, output.context.pointee.oformat)
      var target = held ? nil : output.container.audioCodec(replacing: parameters.codec_id)
      if case .convert(let codec) = settings.audio { target = codec }
      guard let target else { return try addCopy(stream) }
      do {
        let converter = try AudioConverter(stream, to: target)
        let added = try output.addStream()
        converter.describe(added)
        Metadata.copyStream(stream, to: added, recoded: true)
        routes[number] = Route(stream, added, audio: converter)
        let why = held ? "as asked" : "\(output.container.name) cannot hold \(codec)"
        notes.append(MediaNote(.converted, "audio stream \(number) became \(target.rawValue): \(why)"))
      } catch let failure as Failure {
        lost("audio stream", failure.message)
      }
    case AVMEDIA_TYPE_SUBTITLE:
      guard settings.subtitles else { return }
      try addSubtitles(stream, lost)
    case AVMEDIA_TYPE_ATTACHMENT:
      guard output.container == .mkv, parameters.extradata_size > 0 else {
        return lost("attachment", "\(output.container.name) holds no attachments")
      }
      try addCopy(stream)
    default:
      if let time = text(av_dict_get(stream.pointee.metadata, "timecode", nil, 0)?.pointee.value) {
        let there = av_dict_get(output.context.pointee.metadata, "timecode", nil, 0) != nil
        if !there { av_dict_set(&output.context.pointee.metadata, "timecode", time, 0) }
        notes.append(MediaNote(.converted, "timecode track \(number) is kept as the tag timecode=\(time)"))
      } else {
        lost("data stream", "\(output.container.name) holds no such data")
      }
    }
  }

  private func addSubtitles(_ stream: UnsafeMutablePointer<AVStream>, _ lost: (String, String) -> Void) throws {
    let codec = stream.pointee.codecpar.pointee.codec_id
    if output.container.holds(codec, AVMEDIA_TYPE_SUBTITLE, output.context.pointee.oformat) {
      return try addCopy(stream)
    }
    if codec == AV_CODEC_ID_NONE, file.formatName.hasPrefix("matroska"), try isPlainText(stream) {
      // Matroska's own WebVTT, which FFmpeg 5.1 does not know: the cue's text lies bare in the packet.
      stream.pointee.codecpar.pointee.codec_id = AV_CODEC_ID_SUBRIP
    }
    guard let target = output.container.textSubtitles,
      target == stream.pointee.codecpar.pointee.codec_id || avcodec_find_encoder(target) != nil
    else { return lost("subtitle stream", "\(output.container.name) cannot hold it") }
    let name = text(avcodec_get_name(target)) ?? ""
    let number = stream.pointee.index
    if target == stream.pointee.codecpar.pointee.codec_id {
      try addCopy(stream)
    } else {
      guard let converter = try? SubtitleConverter(stream, to: target) else {
        return lost("subtitle stream", "\(output.container.name) cannot hold it")
      }
      let added = try output.addStream()
      converter.describe(added)
      Metadata.copyStream(stream, to: added, recoded: true)
      routes[Int(number)] = Route(stream, added, converter)
    }
    notes.append(
      MediaNote(
        .converted, "subtitle stream \(number) became \(name): \(output.container.name) cannot hold it as it was"))
  }

  /// Looks at the stream's first packet, in a reader of its own.
  private func isPlainText(_ stream: UnsafeMutablePointer<AVStream>) throws -> Bool {
    let other = try InputFile(file.path)
    for candidate in other.streams where candidate.pointee.index != stream.pointee.index {
      candidate.pointee.discard = AVDISCARD_ALL
    }
    let packet = try PacketHandle()
    while other.read(into: packet) {
      defer { av_packet_unref(packet.pointer) }
      guard packet.pointer.pointee.stream_index == stream.pointee.index, let data = packet.pointer.pointee.data
      else { continue }
      let bytes = UnsafeBufferPointer(start: data, count: Int(packet.pointer.pointee.size))
      return !bytes.isEmpty && bytes.allSatisfy { $0 >= 32 || $0 == 10 || $0 == 13 || $0 == 9 }
        && String(validating: bytes, as: UTF8.self) != nil
    }
    return false
  }

  private func addCopy(_ stream: UnsafeMutablePointer<AVStream>) throws {
    let added = try output.addStream()
    guard avcodec_parameters_copy(added.pointee.codecpar, stream.pointee.codecpar) >= 0 else {
      throw Failure.outOfMemory
    }
    added.pointee.codecpar.pointee.codec_tag = 0
    added.pointee.time_base = stream.pointee.time_base
    for index in 0..<Int(max(stream.pointee.nb_side_data, 0)) {
      let data = stream.pointee.side_data[index]
      SideData.set(UnsafeRawBufferPointer(start: data.data, count: Int(data.size)), data.type, added)
    }
    Metadata.copyStream(stream, to: added, recoded: false)
    routes[Int(stream.pointee.index)] = Route(stream, added, nil)
  }

  /// A cover picture: an attachment in Matroska, a stream of its own in MP4.
  private func addCover(_ stream: UnsafeMutablePointer<AVStream>) throws {
    let number = stream.pointee.index
    let picture = stream.pointee.attached_pic
    let kinds: [AVCodecID: (mime: String, suffix: String)] = [
      AV_CODEC_ID_MJPEG: ("image/jpeg", "jpg"), AV_CODEC_ID_PNG: ("image/png", "png"),
      AV_CODEC_ID_BMP: ("image/bmp", "bmp"), AV_CODEC_ID_WEBP: ("image/webp", "webp"),
      AV_CODEC_ID_GIF: ("image/gif", "gif"), AV_CODEC_ID_TIFF: ("image/tiff", "tiff"),
    ]
    let codec = stream.pointee.codecpar.pointee.codec_id
    guard picture.size > 0, let data = picture.data, let kind = kinds[codec], output.container != .webm else {
      notes.append(MediaNote(.loss, "cover picture \(number): \(output.container.name) cannot hold it"))
      return
    }
    guard output.container == .mkv else { return try addCopy(stream) }
    let added = try output.addStream()
    let parameters = added.pointee.codecpar!
    parameters.pointee.codec_type = AVMEDIA_TYPE_ATTACHMENT
    parameters.pointee.codec_id = codec
    guard let bytes = av_mallocz(Int(picture.size) + Int(AV_INPUT_BUFFER_PADDING_SIZE)) else {
      throw Failure.outOfMemory
    }
    bytes.copyMemory(from: data, byteCount: Int(picture.size))
    parameters.pointee.extradata = bytes.assumingMemoryBound(to: UInt8.self)
    parameters.pointee.extradata_size = picture.size
    Metadata.copyStream(stream, to: added, recoded: false)
    added.pointee.disposition = 0
    if av_dict_get(added.pointee.metadata, "mimetype", nil, 0) == nil {
      av_dict_set(&added.pointee.metadata, "mimetype", kind.mime, 0)
    }
    if av_dict_get(added.pointee.metadata, "filename", nil, 0) == nil {
      av_dict_set(&added.pointee.metadata, "filename", "cover.\(kind.suffix)", 0)
    }
  }
}

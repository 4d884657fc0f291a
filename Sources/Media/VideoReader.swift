import CFFmpeg
import Frames

/// Which of a file's video streams are worked on.
public enum StreamSelection: Sendable, Hashable {
  case all
  /// The first that can be decoded.
  case first
  /// By their numbers in the file, counted from 0 over streams of every kind.
  case numbers(Set<Int>)
}

/// Reads the pictures of a local media file, still or moving, in the order of the file.
///
/// Cover pictures are no video: they are copied with the other companions. Used by one thread at a time.
public final class VideoReader {
  /// What is known of each stream that gives frames; `Frame.stream` is an index into it.
  public private(set) var streams: [StreamFormat] = []
  /// What is to be said about the file. Complete once `read` has returned nil.
  public private(set) var notes: [MediaNote] = []
  /// Whether the file is one still picture (or a few), not a film.
  public let isStill: Bool

  private var file: InputFile
  /// What a still picture's file says beside the pixels.
  private var tags: PictureTags?
  private let sequence: PictureSequence?
  /// The next of the sequence's pictures.
  private var place = 0
  private let packet: PacketHandle
  private var decoders: [VideoDecoder] = []
  /// From stream numbers of the file to indices of `decoders`.
  private var indices: [Int: Int] = [:]
  /// From indices of `decoders` to those of `streams`; nil where a stream gave nothing.
  private var outputs: [Int: Int] = [:]
  private var waiting: [(decoder: Int, frame: FrameHandle)] = []
  /// Whether the decoder marked the frame that `read` gave last.
  private(set) var lastIsDamaged = false
  /// Packets that the decoders refused.
  var refused: Int { decoders.reduce(0) { $0 + $1.refused } }
  private var head = 0
  private var fitters: [Int: Scaler] = [:]
  private var draining: Int?
  private var ended = false

  /// Frames that are held at most while the first frame of every stream is looked for.
  private static let lookahead = 64

  /// - Parameters:
  ///   - path: a file, or the pattern of a `PictureSequence`.
  ///   - threads: how many threads the decoders may use, all together.
  ///   - pictureRate: how many pictures of a sequence are shown a second.
  public init(
    _ path: String, threads: Int = 1, select: StreamSelection = .all, pictureRate: Rational = Rational(25, 1)
  ) throws {
    sequence = PictureSequence(path)
    file = try InputFile(sequence?.entries[0].path ?? path)
    packet = try PacketHandle()
    isStill = file.isStill
    tags = isStill ? PictureTags(of: file.path) : nil
    if let obstacle = tags?.obstacle {
      throw Failure(
        "\(obstacle), which FFmpeg does not read", place: file.path,
        advice: "write it in strips without JPEG, as 'tiffcp -s -c lzw' does, or as PNG")
    }
    try openDecoders(threads: threads, select)
    var firsts: [Int: FrameHandle] = [:]
    while firsts.count < decoders.count, waiting.count < max(VideoReader.lookahead, 1), !ended {
      let before = waiting.count
      try advance()
      for item in waiting[before...] where firsts[item.decoder] == nil { firsts[item.decoder] = item.frame }
    }
    for (index, decoder) in decoders.enumerated() {
      let number = Int(decoder.stream.pointee.index)
      guard let first = firsts[index] else {
        if ended, decoders.count > 1 { notes.append(MediaNote(.info, "video stream \(number) has no pictures")) }
        decoder.stream.pointee.discard = AVDISCARD_ALL
        continue
      }
      outputs[index] = streams.count
      streams.append(try format(decoder, first))
      noteLosses(decoder, first)
    }
    guard !streams.isEmpty else {
      let detail = FFmpegLog.shared.last.map { " (\($0))" } ?? ""
      throw Failure("no picture of it could be decoded\(detail)", place: path)
    }
    if let sequence { begin(sequence, pictureRate) }
  }

  private func begin(_ sequence: PictureSequence, _ rate: Rational) {
    streams = [streams[0]]
    streams[0].timeBase = rate.inverse
    streams[0].frameRate = rate
    streams[0].frameCount = sequence.entries.count
    let gaps = sequence.gaps.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }
    if !gaps.isEmpty {
      let some = gaps.prefix(8).joined(separator: ", ") + (gaps.count > 8 ? " …" : "")
      notes.append(MediaNote(.loss, "pictures \(some) are missing; the ones before them stay"))
    }
  }

  /// The next picture of the sequence, at the time of its number.
  private func readPicture(_ sequence: PictureSequence) throws -> Frame? {
    guard place < sequence.entries.count else { return nil }
    let entry = sequence.entries[place]
    let reader = try VideoReader(entry.path, select: .first)
    place += 1
    guard var frame = try reader.read() else { throw Failure("has no picture", place: entry.path) }
    for note in reader.notes where !notes.contains(note) { notes.append(note) }
    frame.picture = try fit(frame.picture, 0)
    frame.timestamp = Timestamp(entry.number - sequence.entries[0].number, timeBase: streams[0].timeBase)
    frame.duration = place < sequence.entries.count ? sequence.entries[place].number - entry.number : 1
    return frame
  }

  /// The next frame of any stream, or nil at the end.
  public func read() throws -> Frame? {
    if let sequence { return try readPicture(sequence) }
    while true {
      while head < waiting.count {
        let item = waiting[head]
        head += 1
        if head == waiting.count { (waiting, head) = ([], 0) }
        guard let output = outputs[item.decoder] else { continue }
        lastIsDamaged = VideoDecoder.isDamaged(item.frame)
        let picture = try fit(decoders[item.decoder].importer.picture(item.frame), output)
        var frame = decoders[item.decoder].frame(item.frame, picture, stream: output)
        if let tags {
          if let profile = tags.profile {
            frame.sideData.removeAll(where: \.isICCProfile)
            frame.sideData.append(.profile(profile))
          }
          frame.sideData += FrameSideData.tags(tags, width: picture.width, height: picture.height)
        }
        return frame
      }
      if ended { return nil }
      try advance()
      if ended { summarise() }
    }
  }

  /// Goes on at the last place before `seconds` (from the stream's start) where decoding can begin.
  func seek(to seconds: Double) {
    if let sequence {
      let number = Double(sequence.entries[0].number) + seconds / streams[0].timeBase.value
      place = sequence.entries.firstIndex { Double($0.number) >= number } ?? sequence.entries.count
      return
    }
    let stream = decoders[0].stream
    let base = stream.pointee.start_time == cffmpeg_no_pts() ? 0 : stream.pointee.start_time
    let unit = stream.pointee.time_base
    guard unit.num > 0, unit.den > 0, file.seek(stream, base &+ Int64(seconds / unit.seconds)) else { return }
    for decoder in decoders { decoder.flush() }
    (waiting, head, draining, ended) = ([], 0, nil, false)
  }

  /// Goes on, with a new reader and a new decoder, at the key frame of the given decoding time; at the beginning where
  /// it is nil. For one stream alone. False where no key frame is found there.
  func enter(at time: Int?) throws -> Bool {
    let (number, threads) = (decoders[0].stream.pointee.index, decoders[0].threads)
    file = try InputFile(file.path)
    guard let stream = file.streams.first(where: { $0.pointee.index == number }) else { return false }
    for other in file.streams where other != stream { other.pointee.discard = AVDISCARD_ALL }
    decoders = [try VideoDecoder(stream, threads: threads, isStill: isStill)]
    (waiting, head, draining, ended) = ([], 0, nil, false)
    guard let time else { return true }
    guard file.seek(stream, Int64(time)) else { return false }
    while waiting.isEmpty, file.read(into: packet) {
      defer { av_packet_unref(packet.pointer) }
      guard packet.pointer.pointee.stream_index == stream.pointee.index else { continue }
      guard packet.pointer.pointee.flags & AV_PKT_FLAG_KEY != 0 else { return false }
      try decoders[0].decode(packet) { waiting.append((0, $0)) }
      return true
    }
    return false
  }

  private func openDecoders(threads: Int, _ select: StreamSelection) throws {
    let all = file.streams.filter {
      $0.pointee.codecpar.pointee.codec_type == AVMEDIA_TYPE_VIDEO
        && $0.pointee.disposition & AV_DISPOSITION_ATTACHED_PIC == 0
        && !file.chapterTracks.contains(Int($0.pointee.index))
    }
    guard !all.isEmpty else {
      let audio = file.streams.contains { $0.pointee.codecpar.pointee.codec_type == AVMEDIA_TYPE_AUDIO }
      throw Failure(audio ? "has sound but no video" : "has no video", place: file.path)
    }
    var chosen = all
    if case .numbers(let numbers) = select {
      chosen = all.filter { numbers.contains(Int($0.pointee.index)) }
      let missing = numbers.subtracting(chosen.map { Int($0.pointee.index) })
      guard missing.isEmpty else {
        let there = all.map { String($0.pointee.index) }.joined(separator: ", ")
        throw Failure(
          "has no video stream \(missing.sorted().map(String.init).joined(separator: ", "))", place: file.path,
          advice: "its video streams are \(there)")
      }
    }
    var problem: Failure?
    for stream in chosen {
      if case .first = select, !decoders.isEmpty { break }
      do {
        let decoder = try VideoDecoder(
          stream, threads: max(threads / chosen.count, 1), isStill: isStill, isOpaque: tags?.isOpaque ?? false)
        indices[Int(stream.pointee.index)] = decoders.count
        decoders.append(decoder)
      } catch let failure as Failure {
        problem = failure
        notes.append(MediaNote(.loss, "video stream \(stream.pointee.index): \(failure.message)"))
      }
    }
    if decoders.isEmpty, var problem {
      problem.place = file.path
      throw problem
    }
    for stream in all where problem == nil && indices[Int(stream.pointee.index)] == nil {
      notes.append(MediaNote(.info, "video stream \(stream.pointee.index) is left out, as asked"))
    }
    for stream in file.streams where indices[Int(stream.pointee.index)] == nil {
      stream.pointee.discard = AVDISCARD_ALL
    }
  }

  /// Reads one packet, or drains one decoder after the last.
  private func advance() throws {
    if let index = draining {
      guard index < decoders.count else {
        ended = true
        return
      }
      draining = index + 1
      try decoders[index].decode(nil) { waiting.append((index, $0)) }
      return
    }
    guard file.read(into: packet) else {
      draining = 0
      return
    }
    defer { av_packet_unref(packet.pointer) }
    guard let index = indices[Int(packet.pointer.pointee.stream_index)] else { return }
    try decoders[index].decode(packet) { waiting.append((index, $0)) }
  }

  /// A stream keeps the size and format of its first frame: later ones that differ are brought to it, and named.
  private func fit(_ picture: Picture, _ stream: Int) throws -> Picture {
    let format = streams[stream]
    let layout = PictureLayout(width: picture.width, height: picture.height, format: picture.format)
    let wanted = PictureLayout(width: format.width, height: format.height, format: format.pixelFormat)
    guard layout != wanted else { return picture }
    let scaler: Scaler
    if let known = fitters[stream], known.input == layout {
      scaler = known
    } else {
      scaler = try Scaler(from: layout, to: wanted, filter: .bicubic)
      fitters[stream] = scaler
      let change = "\(layout.width)x\(layout.height) \(layout.format)"
      notes.append(
        MediaNote(
          .converted,
          "video stream \(format.sourceStream) changes to \(change) in mid-stream; brought to \(wanted.width)x"
            + "\(wanted.height) \(wanted.format)"))
    }
    return try scaler.scale(picture)
  }

  private func format(_ decoder: VideoDecoder, _ first: FrameHandle) throws -> StreamFormat {
    let picture = try decoder.importer.picture(first)
    let stream = decoder.stream
    var aspect = picture.sampleAspectRatio
    let container = stream.pointee.sample_aspect_ratio
    if container.num > 0, container.den > 0 { aspect = Rational(container) }
    var matrix = SideData.displayMatrix(stream)
    let turn = decoder.exifOrientation ?? tags?.orientation
    if matrix == nil, let turn, turn != .upright { matrix = turn.displayMatrix }
    let interlaced = first.pointer.pointee.interlaced_frame != 0
    return StreamFormat(
      width: picture.width, height: picture.height, pixelFormat: picture.format, colour: picture.colour,
      sampleAspectRatio: aspect, timeBase: Rational(stream.pointee.time_base), frameRate: frameRate(stream),
      fields: interlaced ? (first.pointer.pointee.top_field_first != 0 ? .topFirst : .bottomFirst) : .unknown,
      displayMatrix: matrix, masteringDisplay: SideData.masteringDisplay(stream, first),
      contentLight: SideData.contentLight(stream, first), frameCount: frameCount(stream),
      sourceStream: Int(stream.pointee.index),
      codedDepth: decoder.codedDepth.map { max(8, min($0, 16)) })
  }

  /// A believable rate: containers state 1000 or 90000 where they mean "any".
  private func frameRate(_ stream: UnsafeMutablePointer<AVStream>) -> Rational? {
    let stated = [stream.pointee.avg_frame_rate, stream.pointee.r_frame_rate].map { Rational($0) }
    return stated.first { $0.isValid && (0.1...240).contains($0.value) }
      ?? stated.first { $0.isValid && (240..<1000).contains($0.value) }
  }

  private func frameCount(_ stream: UnsafeMutablePointer<AVStream>) -> Int? {
    if isStill { return 1 }
    if stream.pointee.nb_frames > 0 { return Int(stream.pointee.nb_frames) }
    guard let rate = frameRate(stream) else { return nil }
    var seconds = Double(file.context.pointee.duration) / Double(AV_TIME_BASE)
    if stream.pointee.duration > 0 { seconds = Double(stream.pointee.duration) * stream.pointee.time_base.seconds }
    // A day is more than any clip; fragmented files claim more.
    guard seconds > 0, seconds < 86_400 else { return nil }
    return max(Int((seconds * rate.value).rounded()), 1)
  }

  private func noteLosses(_ decoder: VideoDecoder, _ first: FrameHandle) {
    let number = decoder.stream.pointee.index
    let own = entries(of: first.pointer.pointee.metadata)
    if var tags {
      for name in tags.packedTexts {
        guard let value = own.first(where: { $0.key == name })?.value else {
          tags.left.append("the compressed text '\(name)'")
          continue
        }
        tags.texts.append(PictureTags.Text(name: name, value: value))
      }
      self.tags = tags
      if tags.pages > 1 {
        notes.append(
          MediaNote(.loss, "of its \(tags.pages < 100 ? "\(tags.pages)" : "100 or more") pages all but the first"))
      }
      for name in tags.left { notes.append(MediaNote(.loss, "of the picture's own tags: \(name)")) }
    } else if isStill {
      let names = own.map(\.key).filter { !["Orientation", "writer"].contains($0) }
      let some = names.prefix(3).joined(separator: ", ") + (names.count > 3 ? " …" : "")
      if !names.isEmpty { notes.append(MediaNote(.loss, "the picture's own tags (\(some))")) }
    }
    if SideData.bytes(decoder.stream, AV_PKT_DATA_DOVI_CONF) != nil || SideData.has(first, AV_FRAME_DATA_DOVI_METADATA)
    {
      notes.append(MediaNote(.loss, "video stream \(number): Dolby Vision metadata; the base layer is kept"))
    }
    if SideData.bytes(decoder.stream, AV_PKT_DATA_STEREO3D) != nil {
      notes.append(MediaNote(.loss, "video stream \(number): stereo 3D layout"))
    }
    if SideData.bytes(decoder.stream, AV_PKT_DATA_SPHERICAL) != nil {
      notes.append(MediaNote(.loss, "video stream \(number): spherical projection"))
    }
  }

  private func summarise() {
    if let damage = file.damage { notes.append(MediaNote(.loss, damage)) }
    for decoder in decoders {
      let number = decoder.stream.pointee.index
      if decoder.refused > 0 {
        notes.append(MediaNote(.loss, "video stream \(number): \(decoder.refused) packets could not be decoded"))
      }
      if decoder.importer.clipped {
        notes.append(MediaNote(.loss, "light beyond white, which only floating point holds, is cut off at white"))
      }
      if decoder.damaged > 0 {
        notes.append(MediaNote(.info, "video stream \(number): \(decoder.damaged) frames are damaged in the source"))
      }
      if decoder.retimed > 0 {
        notes.append(
          MediaNote(
            .converted,
            "video stream \(number): \(decoder.retimed) frames without a later time than the one before were given one")
        )
      }
    }
  }
}

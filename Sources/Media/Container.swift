import CFFmpeg

/// The kinds of file that are written.
public enum Container: String, Sendable, Hashable, Codable, CaseIterable {
  case mkv, mp4, mov, webm

  /// By the extension of an output's final name; nil where it names none of them.
  public init?(path: String) {
    let name = path.split(separator: "/").last ?? ""
    guard let dot = name.lastIndex(of: ".") else { return nil }
    let suffix = name[name.index(after: dot)...].lowercased()
    self.init(rawValue: suffix == "m4v" ? "mp4" : suffix == "mka" ? "mkv" : suffix)
  }

  var muxer: String { self == .mkv ? "matroska" : rawValue }
  var isMatroska: Bool { self == .mkv || self == .webm }
  /// Whether it wants a codec's parameter sets beside the pictures, not among them.
  var keepsHeadersOutside: Bool {
    av_guess_format(muxer, nil, nil).map { $0.pointee.flags & AVFMT_GLOBALHEADER != 0 } ?? false
  }
  /// Whether players turn the picture by what the container says.
  var carriesDisplayMatrix: Bool { !isMatroska }
  var name: String { self == .mkv ? "Matroska" : self == .webm ? "WebM" : rawValue.uppercased() }

  /// What text subtitles become where they cannot stay what they are; nil where the container has no text.
  var textSubtitles: AVCodecID? {
    switch self {
    case .mkv: AV_CODEC_ID_SUBRIP
    case .webm: AV_CODEC_ID_WEBVTT
    case .mp4, .mov: AV_CODEC_ID_MOV_TEXT
    }
  }

  /// What sound becomes that cannot stay what it is: lossless where it was lossless.
  func audioCodec(replacing codec: AVCodecID) -> AudioCodec {
    let lossless = avcodec_descriptor_get(codec).map { $0.pointee.props & AV_CODEC_PROP_LOSSLESS != 0 } ?? false
    return switch self {
    case .mkv: .flac
    case .webm: .opus
    case .mp4, .mov: lossless ? .alac : .aac
    }
  }

  /// Whether a stream of that codec can be written unchanged.
  func holds(_ codec: AVCodecID, _ kind: AVMediaType, _ format: UnsafePointer<AVOutputFormat>) -> Bool {
    if codec == AV_CODEC_ID_NONE { return false }
    if kind == AVMEDIA_TYPE_SUBTITLE {
      switch self {
      case .mkv:
        return [
          AV_CODEC_ID_ASS, AV_CODEC_ID_SSA, AV_CODEC_ID_SUBRIP, AV_CODEC_ID_TEXT, AV_CODEC_ID_WEBVTT,
          AV_CODEC_ID_HDMV_PGS_SUBTITLE, AV_CODEC_ID_DVD_SUBTITLE, AV_CODEC_ID_DVB_SUBTITLE,
          AV_CODEC_ID_HDMV_TEXT_SUBTITLE,
        ].contains(codec)
      case .webm: return codec == AV_CODEC_ID_WEBVTT
      case .mp4: return codec == AV_CODEC_ID_MOV_TEXT || codec == AV_CODEC_ID_DVD_SUBTITLE
      case .mov: return codec == AV_CODEC_ID_MOV_TEXT
      }
    }
    // MPEG's own container holds most of what it has a tag for; raw PCM in it is an extension few players know.
    if self == .mp4, text(avcodec_get_name(codec))?.hasPrefix("pcm_") == true { return false }
    if avformat_query_codec(format, codec, FF_COMPLIANCE_NORMAL) == 1 { return true }
    // Matroska keeps what Windows has a number for (WMA, ADPCM, A-law) as that.
    guard self == .mkv, kind == AVMEDIA_TYPE_AUDIO, let tags = avformat_get_riff_audio_tags() else { return false }
    var list: [OpaquePointer?] = [tags, nil]
    return av_codec_get_tag(&list, codec) != 0
  }
}

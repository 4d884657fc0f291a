import CFFmpeg
import Frames

extension PixelFormat {
  /// FFmpeg's planar formats that are laid out as a `Picture` is. The full-range twins `yuvj…` are listed under
  /// their plain names: range is `Colour`'s.
  private static let known: [(format: AVPixelFormat, layout: PixelFormat)] = {
    var result: [(AVPixelFormat, PixelFormat)] = []
    func add(_ name: String, _ layout: PixelFormat) {
      let format = av_get_pix_fmt(name)
      if format != AV_PIX_FMT_NONE { result.append((format, layout)) }
    }
    let chromas: [(Chroma, String)] = [
      (.yuv420, "yuv420p"), (.yuv422, "yuv422p"), (.yuv444, "yuv444p"), (.yuv440, "yuv440p"), (.yuv411, "yuv411p"),
      (.yuv410, "yuv410p"),
    ]
    for depth in [8, 9, 10, 12, 14, 16] {
      let suffix = depth == 8 ? "" : "\(depth)le"
      add("gray" + suffix, PixelFormat(.none, depth: depth))
      for (chroma, name) in chromas {
        add(name + suffix, PixelFormat(chroma, depth: depth))
        add("yuva" + name.dropFirst(3) + suffix, PixelFormat(chroma, depth: depth, alpha: true))
      }
    }
    return result
  }()

  private static let fullRangeTwins: [String: Chroma] = [
    "yuvj420p": .yuv420, "yuvj422p": .yuv422, "yuvj444p": .yuv444, "yuvj440p": .yuv440, "yuvj411p": .yuv411,
  ]

  /// Nil where FFmpeg's format is laid out otherwise (packed, RGB, big-endian, in hardware).
  init?(_ format: AVPixelFormat) {
    if let match = PixelFormat.known.first(where: { $0.format == format }) {
      self = match.layout
    } else if let name = text(av_get_pix_fmt_name(format)), let chroma = PixelFormat.fullRangeTwins[name] {
      self.init(chroma)
    } else {
      return nil
    }
  }

  /// FFmpeg's name for it; nil for the few that FFmpeg does not have, such as grey with alpha in planes.
  var av: AVPixelFormat? { PixelFormat.known.first { $0.layout == self }?.format }

  static func isFullRangeTwin(_ format: AVPixelFormat) -> Bool {
    text(av_get_pix_fmt_name(format)).map { fullRangeTwins[$0] != nil } ?? false
  }

  /// The format of a `Picture` that holds a picture of FFmpeg's `format` without loss. RGB becomes 4:4:4 of 16 bits.
  init(holding format: AVPixelFormat) throws {
    if let same = PixelFormat(format) {
      self = same
      return
    }
    guard let description = av_pix_fmt_desc_get(format)?.pointee,
      description.flags & UInt64(AV_PIX_FMT_FLAG_HWACCEL) == 0
    else { throw Failure("its pixel format is not known here") }
    let depth = min(max(Int(description.comp.0.depth), 8), 16)
    let alpha = description.flags & UInt64(AV_PIX_FMT_FLAG_ALPHA) != 0
    if description.flags & UInt64(AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_PAL) != 0 {
      self.init(.yuv444, depth: 16, alpha: alpha)
      return
    }
    let components = Int(description.nb_components) - (alpha ? 1 : 0)
    let chroma: Chroma =
      switch (components, description.log2_chroma_w, description.log2_chroma_h) {
      case (1, _, _): .none
      case (_, 0, 0): .yuv444
      case (_, 1, 0): .yuv422
      case (_, 0, 1): .yuv440
      case (_, 2, 0): .yuv411
      case (_, 2, 2): .yuv410
      default: .yuv420
      }
    self.init(chroma, depth: PixelFormat(.none, depth: depth).av == nil ? 16 : depth, alpha: alpha)
    if av == nil, !(chroma == .none && alpha) { self.init(chroma, depth: 16, alpha: alpha) }
    if av == nil, !(chroma == .none && alpha) { self.init(.yuv444, depth: 16, alpha: alpha) }
  }
}

extension AVPixelFormat {
  var description: AVPixFmtDescriptor? { av_pix_fmt_desc_get(self)?.pointee }
  var name: String { text(av_get_pix_fmt_name(self)) ?? "unknown" }
  /// RGB in any layout, palettes included.
  var isRGB: Bool {
    description.map { $0.flags & UInt64(AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_PAL) != 0 } ?? false
  }
  var hasAlpha: Bool {
    description.map { $0.flags & UInt64(AV_PIX_FMT_FLAG_ALPHA) != 0 } ?? false || self == AV_PIX_FMT_PAL8
  }
  var isFloat: Bool { description.map { $0.flags & UInt64(AV_PIX_FMT_FLAG_FLOAT) != 0 } ?? false }
  var depth: Int { description.map { Int($0.comp.0.depth) } ?? 8 }
}

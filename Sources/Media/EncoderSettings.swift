import CFFmpeg
import Frames

/// How pictures are compressed.
public struct EncoderSettings: Sendable, Hashable, Codable {
  public enum Codec: String, Sendable, Hashable, Codable, CaseIterable { case hevc, h264, av1, ffv1, prores }

  public var codec: Codec
  /// Resolve `auto` by `resolved(for:)` before an encoder is opened.
  public var device: EncoderDevice
  /// The encoder's own name for speed against size: `fast`, `slow` …; for AV1 also a number.
  public var preset: String?
  /// Constant rate factor: lower is better and larger.
  public var crf: Double?
  public var tune: String?
  /// The encoder's own parameters, handed through and checked by it.
  public var params: [String: String]
  /// Bits a sample; nil keeps the source's as nearly as the codec can.
  public var depth: Int?
  /// How many threads may be kept busy. Never changes the bits that come out.
  public var threads: Int

  public init(
    codec: Codec = .hevc, device: EncoderDevice = .software, preset: String? = nil, crf: Double? = nil,
    tune: String? = nil,
    params: [String: String] = [:], depth: Int? = nil, threads: Int = 1
  ) {
    self.codec = codec
    self.device = device
    self.preset = preset
    self.crf = crf
    self.tune = tune
    self.params = params
    self.depth = depth
    self.threads = max(threads, 1)
  }

  /// FFmpeg's name of the encoder that is used.
  public var encoderName: String {
    if device.isHardware { return "\(codec.rawValue)_\(device.rawValue)" }
    return switch codec {
    case .hevc: "libx265"
    case .h264: "libx264"
    case .av1: "libsvtav1"
    case .ffv1: "ffv1"
    case .prores: "prores_ks"
    }
  }

  /// Whether the codec holds 4:2:0 pictures of odd width or height.
  var holdsOddSizes: Bool { codec == .ffv1 || codec == .prores }

  /// Opens the encoder on a small picture, so that a wrong preset or parameter is found before anything runs.
  /// Throws a `Failure` of exit code 2 (not accepted) or 3 (no such encoder in this build of FFmpeg, or on this machine).
  public func check() throws {
    do {
      let used = try resolved()
      _ = try VideoEncoder(used, used.probe, header: true)
    } catch var failure as Failure {
      if failure.exitCode == .someFailed { failure.exitCode = .usage }
      throw failure
    }
  }

  /// The encoder's options: all that could change its bits with the number of cores is fixed here.
  func options(for format: StreamFormat) -> OptionsHandle {
    if device.isHardware { return hardwareOptions() }
    let options = OptionsHandle()
    switch codec {
    case .hevc:
      options["preset"] = preset ?? "medium"
      options["crf"] = text(crf ?? 22)
      options["tune"] = tune
      options["x265-params"] = EncoderSettings.list(hevcParameters(format).merging(params) { $1 })
    case .h264:
      options["preset"] = preset ?? "medium"
      options["crf"] = text(crf ?? 20)
      options["tune"] = tune
      options["x264-params"] = EncoderSettings.list(["open-gop": "0", "threads": "4"].merging(params) { $1 })
    case .av1:
      options["preset"] = preset.map { EncoderSettings.av1Presets[$0] ?? $0 } ?? "8"
      options["crf"] = text((crf ?? 32).rounded())
      var all = ["lp": String(threads)]
      if let tune { all["tune"] = tune }
      options["svtav1-params"] = EncoderSettings.list(all.merging(params) { $1 })
    case .ffv1:
      for (key, value) in ["level": "3", "slices": "4", "slicecrc": "1", "g": "1"].merging(
        params, uniquingKeysWith: { $1 })
      {
        options[key] = value
      }
    case .prores:
      options["profile"] = preset ?? (format.pixelFormat.chroma == .yuv444 ? "4444" : "hq")
      for (key, value) in params { options[key] = value }
    }
    return options
  }

  /// x265 by name: the same bits whatever `pools` is, as long as the rest is fixed.
  ///
  /// The lookahead's thread is taken out of the pool: without one more, two cores would have one encoder left.
  private func hevcParameters(_ format: StreamFormat) -> [String: String] {
    var result = [
      "pools": String(threads + 1), "frame-threads": "2", "lookahead-threads": "1", "open-gop": "0", "info": "0",
      "log-level": "error",
    ]
    let colour = format.colour
    if format.pixelFormat.chroma == .yuv420, (1...6).contains(colour.chromaLocation) {
      result["chromaloc"] = String(colour.chromaLocation - 1)
    }
    if let display = format.masteringDisplay, display.primaries.count == 6, display.whitePoint.count == 2 {
      func unit(_ value: Rational, _ one: Double) -> String { String(Int((value.value * one).rounded())) }
      let p = display.primaries.map { unit($0, 50000) }
      let white = display.whitePoint.map { unit($0, 50000) }
      result["master-display"] =
        "G(\(p[2]),\(p[3]))B(\(p[4]),\(p[5]))R(\(p[0]),\(p[1]))WP(\(white[0]),\(white[1]))"
        + "L(\(unit(display.maximumLuminance, 10000)),\(unit(display.minimumLuminance, 10000)))"
    }
    if let light = format.contentLight {
      result["max-cll"] = "\(light.maximumContentLight),\(light.maximumFrameAverage)"
    }
    return result
  }

  /// The names that x264 and x265 use, as SVT-AV1's numbers.
  private static let av1Presets = [
    "ultrafast": "12", "superfast": "11", "veryfast": "10", "faster": "9", "fast": "8", "medium": "7", "slow": "5",
    "slower": "4", "veryslow": "3", "placebo": "2",
  ]

  private func text(_ value: Double) -> String { value == value.rounded() ? String(Int(value)) : String(value) }

  /// `a=1:b=2`, in a fixed order, with what separates escaped.
  private static func list(_ pairs: [String: String]) -> String {
    pairs.sorted { $0.key < $1.key }.map { key, value in
      key + "=" + value.map { "\\:='".contains($0) ? "\\\($0)" : String($0) }.joined()
    }.joined(separator: ":")
  }
}

extension PixelFormat {
  /// The format among `offered` that loses least of this one, and of those the smallest.
  func nearest(in offered: [PixelFormat], depth wanted: Int?) -> PixelFormat? {
    let target = wanted ?? depth
    func cost(_ other: PixelFormat) -> Int {
      var cost = 0
      let (a, b) = (chroma.shift, other.chroma.shift)
      if chroma != .none && other.chroma == .none { cost += 10_000 }
      if chroma == .none && other.chroma != .none { cost += 40 + 4 - b.x - b.y }
      if other.chroma != .none && chroma != .none {
        cost += max(b.x - a.x, 0) * 2_000 + max(b.y - a.y, 0) * 2_000
        cost += max(a.x - b.x, 0) * 20 + max(a.y - b.y, 0) * 20
      }
      cost += other.depth < target ? (target - other.depth) * 200 : other.depth - target
      if alpha && !other.alpha { cost += 100 }
      if !alpha && other.alpha { cost += 50 }
      return cost
    }
    return offered.min { cost($0) < cost($1) }
  }
}

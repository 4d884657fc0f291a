import CFFmpeg
import Foundation
import Frames

/// What happened to a part of a file on its way that the user should know.
public struct MediaNote: Sendable, Hashable {
  public enum Kind: Sendable, Hashable { case loss, converted, info }
  public var kind: Kind
  public var text: String

  public init(_ kind: Kind, _ text: String) { (self.kind, self.text) = (kind, text) }
}

/// FFmpeg as a whole: its log, its error texts, its versions.
public enum FFmpeg {
  /// Makes FFmpeg's messages part of our errors instead of lines on stderr. Idempotent, done by every opener.
  static func prepare() { _ = prepared }

  private static let prepared: Void = {
    // libsvtav1 prints to stderr on its own; it reads this when it is first used.
    setenv("SVT_LOG", "1", 0)
    av_log_set_level(AV_LOG_WARNING)
    av_log_set_callback { context, level, format, arguments in
      guard level <= AV_LOG_WARNING, let arguments else { return }
      var line = [CChar](repeating: 0, count: 512)
      var prefix: Int32 = 1
      av_log_format_line2(context, level, format, arguments, &line, Int32(line.count), &prefix)
      let bytes = line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
      FFmpegLog.shared.add(String(decoding: bytes, as: UTF8.self), isError: level <= AV_LOG_ERROR)
    }
  }()

  /// A failure that says what FFmpeg's error code means and what the library last complained about.
  static func failure(_ what: String, _ code: Int32, place: String, advice: String? = nil) -> Failure {
    var text = [CChar](repeating: 0, count: 128)
    av_strerror(code, &text, text.count)
    let meaning = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    let detail = FFmpegLog.shared.last.map { " (\($0))" } ?? ""
    let exhausted = code == cffmpeg_error(ENOSPC) || code == cffmpeg_error(ENOMEM) || code == cffmpeg_error(EDQUOT)
    return Failure(
      "\(what): \(meaning.lowercasedFirst)\(detail)", place: place, advice: advice,
      exitCode: exhausted ? .exhausted : .someFailed, mayPass: exhausted || code == cffmpeg_error(EIO))
  }

  /// The versions of the libraries in use, for fingerprints and diagnosis.
  public static var versions: [String: String] {
    func dotted(_ version: UInt32) -> String { "\(version >> 16).\(version >> 8 & 0xff).\(version & 0xff)" }
    return [
      "libavformat": dotted(avformat_version()), "libavcodec": dotted(avcodec_version()),
      "libavfilter": dotted(avfilter_version()), "libswscale": dotted(swscale_version()),
      "libavutil": dotted(avutil_version()),
    ]
  }

  /// Whether this build of FFmpeg has an encoder of that name.
  public static func hasEncoder(_ name: String) -> Bool { avcodec_find_encoder_by_name(name) != nil }
}

/// The last complaints of the libraries in this process, the oldest dropped.
final class FFmpegLog: @unchecked Sendable {
  // Unchecked: `lines` is touched under `lock` alone.
  static let shared = FFmpegLog()
  private let lock = NSLock()
  private var lines: [(text: String, isError: Bool)] = []

  func add(_ line: String, isError: Bool) {
    let clean = FFmpegLog.clean(line)
    guard !clean.isEmpty else { return }
    lock.withLock {
      lines.append((clean, isError))
      if lines.count > 32 { lines.removeFirst() }
    }
  }

  func clear() { lock.withLock { lines.removeAll() } }
  var last: String? { lock.withLock { lines.last { $0.isError }?.text } }
  func first(containing phrases: [String]) -> String? {
    lock.withLock { lines.first { line in phrases.contains { line.text.contains($0) } }?.text }
  }

  /// `[h264 @ 0x55d0] no frame!` becomes `h264: no frame!`, printable and of bounded length.
  static func clean(_ line: String) -> String {
    var text = line.unicodeScalars.map { $0.value < 32 || $0.value == 127 ? " " : String($0) }.joined()
    while let open = text.firstRange(of: " @ 0x"), let close = text[open.upperBound...].firstIndex(of: "]") {
      text.replaceSubrange(open.lowerBound...close, with: ":")
      if let bracket = text.firstIndex(of: "["), bracket < open.lowerBound { text.remove(at: bracket) }
    }
    return String(text.trimmingCharacters(in: .whitespaces).prefix(200))
  }
}

extension String {
  var lowercasedFirst: String { prefix(1).lowercased() + dropFirst() }
}

extension Rational {
  init(_ value: AVRational) { self.init(Int(value.num), Int(value.den)) }

  /// As FFmpeg holds it; reduced, with less precision, where the terms do not fit 32 bits.
  var av: AVRational {
    var (num, den): (Int32, Int32) = (0, 1)
    av_reduce(&num, &den, Int64(numerator), Int64(denominator), Int64(Int32.max))
    return AVRational(num: num, den: den)
  }
}

/// `value` counted in `from`, counted in `to`: rounded to the nearest, times at the ends of the range kept.
func rescale(_ value: Int64, _ from: AVRational, _ to: AVRational) -> Int64 {
  if value == cffmpeg_no_pts() || from.den == 0 || to.num == 0 { return value }
  return av_rescale_q_rnd(
    value, from, to, AVRounding(rawValue: AV_ROUND_NEAR_INF.rawValue | AV_ROUND_PASS_MINMAX.rawValue))
}

extension AVRational {
  var seconds: Double { den == 0 ? 0 : Double(num) / Double(den) }
}

/// The text of a C string, or nil.
func text(_ pointer: UnsafePointer<CChar>?) -> String? { pointer.map { String(cString: $0) } }

/// A dictionary of FFmpeg's, read.
func entries(of dictionary: OpaquePointer?) -> [(key: String, value: String)] {
  var result: [(key: String, value: String)] = []
  var entry = av_dict_get(dictionary, "", nil, AV_DICT_IGNORE_SUFFIX)
  while let found = entry {
    if let key = text(found.pointee.key), let value = text(found.pointee.value) { result.append((key, value)) }
    entry = av_dict_get(dictionary, "", found, AV_DICT_IGNORE_SUFFIX)
  }
  return result
}

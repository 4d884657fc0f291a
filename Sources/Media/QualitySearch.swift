import CFFmpeg
import Foundation
import Frames

/// Finds the constant rate factor that gives a wanted likeness, on short stretches spread over the file itself.
///
/// A few of them tell about where to look; all of them are then encoded there, and the rest of the way is short enough
/// to be foretold: the distance from likeness grows exponentially with the factor, at nearly the same rate for all films.
public struct QualitySearch {
  public struct Result: Sendable, Hashable {
    public var crf: Double
    /// Mean SSIM of the samples at that factor, as foretold.
    public var ssim: Double
    public var evaluations: Int
  }

  private let settings: EncoderSettings
  private let stretches: [[Picture]]
  private let format: StreamFormat

  /// Frames of a stretch: enough for a codec to settle, few enough to look at many places.
  private static let length = 14
  /// Bytes of samples that are kept.
  private static let room = 256 << 20

  /// - Parameters:
  ///   - path: the source. - format: what is to be encoded: samples are brought to its size.
  ///   - share: how much of the file's frames may be encoded in all.
  public init(_ path: String, _ format: StreamFormat, _ settings: EncoderSettings, share: Double = 0.34) throws {
    self.settings = settings
    self.format = format
    let total = format.frameCount ?? 2000
    // The first look takes a quarter of what the second does.
    let wanted = max(Int(Double(total) * share / 1.25), 8)
    let bytes = max(format.width * format.height * 3 / 2 * format.pixelFormat.bytesPerSample, 1)
    let frames = min(wanted, max(QualitySearch.room / bytes, 4), 320)
    let count = max(frames / QualitySearch.length, min(2, frames / 4), 1)
    stretches = try VideoReader.samples(
      of: path, stream: format.sourceStream, stretches: count, frames: max(frames / count, 4), like: format,
      threads: settings.threads)
    guard !stretches.isEmpty else { throw Failure("no samples of it could be decoded", place: path) }
  }

  /// How fast the logarithm of the distance from likeness grows with the factor.
  private var usualSlope: Double { settings.codec == .av1 && !settings.device.isHardware ? 0.06 : 0.11 }
  private var largest: Double { settings.codec == .av1 && !settings.device.isHardware ? 63 : 51 }

  public func run(target: Double) throws -> Result {
    func height(_ ssim: Double) -> Double { log(max(1 - ssim, 1e-6)) }
    func near(_ crf: Double) -> Double { (min(max(crf, 1), largest) * 100).rounded() / 100 }
    func mean(_ likenesses: [Double]) -> Double { likenesses.reduce(0, +) / Double(max(likenesses.count, 1)) }
    let goal = height(target)
    let some = stride(from: stretches.count / 8, to: stretches.count, by: 4).map { $0 }
    let start = settings.crf ?? (settings.codec == .av1 ? 35 : 24)
    let first = height(mean(try evaluate(start, some)))
    var crf = near(start + (goal - first) / usualSlope)
    var seen: [(crf: Double, height: Double)] = []
    while true {
      let all = try evaluate(crf, Array(stretches.indices))
      let here = height(mean(all))
      let before = seen.last ?? (start, first)
      // Near to the look before, how fast it grows does not show, and does not matter.
      var slope = usualSlope
      if abs(crf - before.crf) >= 1.5 {
        let same = seen.isEmpty ? height(mean(some.map { all[$0] })) : here
        slope = min(max((same - before.height) / (crf - before.crf), 0.02), 0.3)
      }
      seen.append((crf, here))
      let next = near(crf + (goal - here) / slope)
      // What is foretold over a long way is looked at.
      guard abs(next - crf) > 4, seen.count < 3 else {
        return Result(crf: next, ssim: 1 - exp(here + slope * (next - crf)), evaluations: seen.count + 1)
      }
      crf = next
    }
  }

  /// Mean SSIM of each of the stretches, but for their first and last frames: a key frame so often, and an end so near,
  /// the film has not.
  private func evaluate(_ crf: Double, _ numbers: [Int]) throws -> [Double] {
    var settings = settings
    settings.crf = crf
    return try numbers.map { number in
      let stretch = stretches[number]
      let encoder = try VideoEncoder(settings, format, header: false)
      let decoder = try PacketDecoder(encoder, threads: settings.threads)
      var (sum, count) = (0.0, 0)
      // One unit a frame would be no time at all to a rate control; the nominal period is.
      let period = encoder.period
      let inner = stretch.count > 4 ? 1..<stretch.count - 1 : 0..<stretch.count
      func take(_ time: Int64, _ picture: Picture) {
        guard let index = Int(exactly: time / period), inner.contains(index) else { return }
        sum += Likeness.ssim(stretch[index], picture)
        count += 1
      }
      for (index, picture) in stretch.enumerated() {
        let frame = Frame(picture: picture, timestamp: Timestamp(index * Int(period), timeBase: format.timeBase))
        try encoder.encode(frame) { try decoder.decode($0, emit: take) }
      }
      try encoder.encode(nil) { try decoder.decode($0, emit: take) }
      try decoder.decode(nil, emit: take)
      guard count > 0 else { throw Failure("the samples could not be encoded") }
      return sum / Double(count)
    }
  }
}

/// Decodes what an encoder has just made.
private final class PacketDecoder {
  private let codec: CodecHandle
  private let importer = PictureImporter(isStill: false)

  init(_ encoder: VideoEncoder, threads: Int) throws {
    guard let decoder = avcodec_find_decoder(encoder.codecID) else {
      throw Failure("the output cannot be decoded here")
    }
    codec = try CodecHandle(decoder)
    codec.pointer.pointee.thread_count = Int32(clamping: threads)
    let code = avcodec_open2(codec.pointer, decoder, nil)
    guard code >= 0 else { throw FFmpeg.failure("the output cannot be decoded", code, place: "") }
  }

  func decode(_ packet: PacketHandle?, emit: (Int64, Picture) -> Void) throws {
    avcodec_send_packet(codec.pointer, packet?.pointer)
    while true {
      let frame = try FrameHandle()
      guard avcodec_receive_frame(codec.pointer, frame.pointer) >= 0 else { return }
      emit(frame.pointer.pointee.pts, try importer.picture(frame))
    }
  }
}

/// How alike two pictures are.
public enum Likeness {
  /// Structural similarity of luma over windows of 8x8 samples, every 4: 1 for the same picture.
  /// Depths may differ; 0 where sizes do.
  public static func ssim(_ a: Picture, _ b: Picture) -> Double {
    guard a.width == b.width, a.height == b.height, a.width >= 8, a.height >= 8 else { return 0 }
    let depth = max(a.format.depth, b.format.depth)
    let (columns, rows) = (a.width / 4, a.height / 4)
    // Sums over blocks of 4x4: a, b, a² + b², ab.
    var sums = [SIMD4<Int64>](repeating: .zero, count: columns * rows)
    a.withPlanes { p in
      b.withPlanes { q in
        for y in 0..<rows * 4 {
          let base = y / 4 * columns
          for x in 0..<columns * 4 {
            let u = Likeness.sample(p[0], x, y, a.format.depth) << (depth - a.format.depth)
            let v = Likeness.sample(q[0], x, y, b.format.depth) << (depth - b.format.depth)
            sums[base + x / 4] &+= SIMD4(u, v, u &* u &+ v &* v, u &* v)
          }
        }
      }
    }
    let peak = Double((1 << depth) - 1)
    let (c1, c2) = (0.0001 * peak * peak * 64, 0.0009 * peak * peak * 64 * 63)
    var total = 0.0
    for y in 0..<rows - 1 {
      for x in 0..<columns - 1 {
        let place = y * columns + x
        let sum = sums[place] &+ sums[place + 1] &+ sums[place + columns] &+ sums[place + columns + 1]
        let (s1, s2, ss, s12) = (Double(sum[0]), Double(sum[1]), Double(sum[2]), Double(sum[3]))
        let variances = ss * 64 - s1 * s1 - s2 * s2
        let covariance = s12 * 64 - s1 * s2
        total += (2 * s1 * s2 + c1) * (2 * covariance + c2) / ((s1 * s1 + s2 * s2 + c1) * (variances + c2))
      }
    }
    return total / Double((rows - 1) * (columns - 1))
  }

  @inline(__always)
  private static func sample(_ plane: Plane, _ x: Int, _ y: Int, _ depth: Int) -> Int64 {
    depth > 8 ? Int64(plane.row(y, as: UInt16.self)[x]) : Int64(plane.row(y, as: UInt8.self)[x])
  }
}

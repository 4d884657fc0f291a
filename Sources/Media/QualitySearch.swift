import CFFmpeg
import Foundation
import Frames

/// Finds the constant rate factor that gives a wanted likeness, on short stretches of the file itself.
public struct QualitySearch {
  public struct Result: Sendable, Hashable {
    public var crf: Double
    /// Mean SSIM of the samples at that factor.
    public var ssim: Double
    public var evaluations: Int
  }

  private let settings: EncoderSettings
  private let format: StreamFormat
  private let stretches: [[Picture]]

  /// - Parameters:
  ///   - path: the source. - format: what is to be encoded: samples are brought to its size.
  ///   - share: how much of the file's frames may be encoded in all.
  public init(_ path: String, _ format: StreamFormat, _ settings: EncoderSettings, share: Double = 0.35) throws {
    self.settings = settings
    self.format = format
    let total = format.frameCount ?? 2000
    // Three or four tries are made; a stretch needs a few frames for the codec to settle.
    let wanted = max(Int(Double(total) * share / 4), 8)
    let bytes = max(format.width * format.height * 3 / 2 * format.pixelFormat.bytesPerSample, 1)
    let affordable = max((256 << 20) / bytes, 4)
    let frames = min(wanted, affordable, 96)
    let count = max(1, min(4, frames / 8))
    stretches = try VideoReader.samples(
      of: path, stream: format.sourceStream, stretches: count, frames: max(frames / count, 4), like: format,
      threads: settings.threads)
    guard !stretches.isEmpty else { throw Failure("no samples of it could be decoded", place: path) }
  }

  /// Searches until the samples' SSIM is within a fifth of a thousandth of `target`, or four tries are made.
  public func run(target: Double) throws -> Result {
    // The distance from likeness grows about exponentially with the factor: its logarithm is searched along a line.
    func height(_ ssim: Double) -> Double { log(max(1 - ssim, 1e-6)) }
    let goal = height(target)
    var tried: [(crf: Double, ssim: Double)] = []
    var crf = settings.crf ?? 24
    var best: (crf: Double, ssim: Double)?
    while tried.count < 4 {
      let ssim = try evaluate(crf)
      tried.append((crf, ssim))
      if best.map({ abs(ssim - target) < abs($0.ssim - target) }) ?? true { best = (crf, ssim) }
      if abs(ssim - target) < 0.0002 { break }
      var slope = 0.1
      if let other = tried.dropLast().min(by: { abs($0.ssim - target) < abs($1.ssim - target) }), other.crf != crf {
        slope = (height(ssim) - height(other.ssim)) / (crf - other.crf)
      }
      if slope < 0.02 { slope = 0.1 }
      let next = min(max(crf + (goal - height(ssim)) / slope, 1), 51)
      let rounded = (next * 100).rounded() / 100
      if tried.contains(where: { $0.crf == rounded }) { break }
      crf = rounded
    }
    guard let best else { throw Failure("no crf was found") }
    return Result(crf: best.crf, ssim: best.ssim, evaluations: tried.count)
  }

  private func evaluate(_ crf: Double) throws -> Double {
    var settings = settings
    settings.crf = crf
    var sum = 0.0
    var count = 0
    for stretch in stretches {
      let encoder = try VideoEncoder(settings, format, header: false)
      let decoder = try PacketDecoder(encoder, threads: settings.threads)
      var decoded: [Int: Picture] = [:]
      let timeBase = format.timeBase
      // One unit a frame would be no time at all to a rate control; the nominal period is.
      let period = encoder.period
      for (index, picture) in stretch.enumerated() {
        let frame = Frame(picture: picture, timestamp: Timestamp(index * Int(period), timeBase: timeBase))
        try encoder.encode(frame) { try decoder.decode($0) { decoded[Int($0 / period)] = $1 } }
      }
      try encoder.encode(nil) { try decoder.decode($0) { decoded[Int($0 / period)] = $1 } }
      try decoder.decode(nil) { decoded[Int($0 / period)] = $1 }
      for (index, picture) in stretch.enumerated() {
        guard let other = decoded[index] else { continue }
        sum += Likeness.ssim(picture, other)
        count += 1
      }
    }
    guard count > 0 else { throw Failure("the samples could not be encoded") }
    return sum / Double(count)
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

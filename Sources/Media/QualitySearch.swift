import CFFmpeg
import Foundation
import Frames

/// Finds the constant rate factor that gives a wanted likeness, on short stretches spread over the file itself.
///
/// The beginnings of a few of them tell about where to look; all of them are then encoded there, again where the rest of
/// the way is long, and what is left is foretold: the distance from likeness grows exponentially with the factor, at
/// nearly the same rate for all films.
public struct QualitySearch: Sendable {
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
  private static let length = 18
  /// Frames of a first look, and which of them are judged: the same ones of longer stretches come out nearly alike.
  private static let (glimpse, glimpsed) = (8, 1..<5)
  /// Bytes of samples that are kept.
  private static let room = 256 << 20
  /// Steps of the factor that are foretold from a look at all.
  private static let foretold = 3.0

  /// - Parameters:
  ///   - path: the source. - format: what is to be encoded: samples are brought to its size.
  ///   - share: how much of the file's frames may be encoded in all.
  public init(_ path: String, _ format: StreamFormat, _ settings: EncoderSettings, share: Double = 0.3) throws {
    self.settings = settings
    self.format = format
    let bytes = max(format.width * format.height * 3 / 2 * format.pixelFormat.bytesPerSample, 1)
    let encoded = max(Int(Double(format.frameCount ?? 2000) * share), 8)
    let kept = min(max(QualitySearch.room / bytes, 4), 320)
    func first(_ count: Int) -> Int { QualitySearch.few(of: count).count * QualitySearch.glimpse }
    var count = max(min(2, kept / 4), 1)
    while (count + 1) * QualitySearch.length + first(count + 1) <= encoded, (count + 1) * QualitySearch.length <= kept {
      count += 1
    }
    let frames = min((encoded - first(count)) / count, kept / count, QualitySearch.length)
    stretches = try VideoReader.samples(
      of: path, stream: format.sourceStream, stretches: count, frames: max(frames, 4), like: format,
      threads: settings.threads)
    guard !stretches.isEmpty else { throw Failure("no samples of it could be decoded", place: path) }
  }

  /// A quarter of so many stretches, spread over them.
  private static func few(of count: Int) -> [Int] { Array(stride(from: count / 8, to: count, by: 4)) }

  /// How fast the logarithm of the distance from likeness grows with the factor.
  private var usualSlope: Double { settings.codec == .av1 && !settings.device.isHardware ? 0.06 : 0.11 }
  private var largest: Double { settings.codec == .av1 && !settings.device.isHardware ? 63 : 51 }

  public func run(target: Double) throws -> Result {
    func height(_ ssim: [Double]) -> Double { log(max(1 - ssim.reduce(0, +) / Double(max(ssim.count, 1)), 1e-6)) }
    let goal = height([target])
    var slope = usualSlope
    func wanted(_ crf: Double, _ here: Double) -> Double {
      (min(max(crf + (goal - here) / slope, 1), largest) * 100).rounded() / 100
    }
    // Near to the look before, how fast it grows does not show, and does not matter.
    func learn(_ step: Double, _ growth: Double) {
      if abs(step) >= 1.5 { slope = min(max(growth / step, 0.02), 0.3) }
    }
    let few = QualitySearch.few(of: stretches.count)
    func glimpse(_ looks: [[Double]]) -> Double { height(looks.flatMap { $0[within: QualitySearch.glimpsed] }) }
    let usual = settings.crf ?? (settings.codec == .av1 ? 35 : 24)
    let first = glimpse(try evaluate(usual, few, frames: QualitySearch.glimpse))
    var crf = wanted(usual, first)
    let all = try evaluate(crf, Array(stretches.indices), frames: .max)
    learn(crf - usual, glimpse(few.map { all[$0] }) - first)
    func inner(_ looks: [[Double]]) -> Double { height(looks.flatMap { $0[within: QualitySearch.judged($0.count)] }) }
    var here = inner(all)
    var result = wanted(crf, here)
    var evaluations = 2
    // The few did not speak for all of them, or films behave otherwise than usual.
    while abs(result - crf) > QualitySearch.foretold, evaluations < 4 {
      let there = inner(try evaluate(result, Array(stretches.indices), frames: .max))
      learn(result - crf, there - here)
      (crf, here) = (result, there)
      result = wanted(crf, here)
      evaluations += 1
    }
    return Result(crf: result, ssim: 1 - exp(here + slope * (result - crf)), evaluations: evaluations)
  }

  /// The frames of a stretch of so many that come out as in the film. The first does not, as a key frame; the last ones
  /// neither: an encoder spends less on what nothing refers to. On five films their distance is 1.2 to 1.4 times that in
  /// the whole film.
  private static func judged(_ count: Int) -> Range<Int> {
    count > 9 ? 1..<count - 4 : count > 4 ? 1..<count - 1 : 0..<count
  }

  /// SSIM of each of the first `frames` frames of each of the stretches, several of which are encoded at once: one alone
  /// is too short to keep all threads busy.
  private func evaluate(_ crf: Double, _ numbers: [Int], frames: Int) throws -> [[Double]] {
    var settings = settings
    settings.crf = crf
    let lanes = max(min(settings.threads, numbers.count), 1)
    settings.threads = max(settings.threads / lanes, 1)
    let found = Locked([Swift.Result<[Double], any Error>?](repeating: nil, count: numbers.count))
    DispatchQueue.concurrentPerform(iterations: lanes) { [settings] lane in
      for place in stride(from: lane, to: numbers.count, by: lanes) {
        let result = Swift.Result { try likeness(of: stretches[numbers[place]].prefix(frames), settings) }
        found.withLock { $0[place] = result }
      }
    }
    return try found.withLock { $0 }.compactMap { try $0?.get() }
  }

  /// SSIM of each frame of a stretch after it was encoded and decoded.
  private func likeness(of stretch: ArraySlice<Picture>, _ settings: EncoderSettings) throws -> [Double] {
    let encoder = try VideoEncoder(settings, format, header: false)
    let decoder = try PacketDecoder(encoder, threads: settings.threads)
    var likeness = [Double?](repeating: nil, count: stretch.count)
    // One unit a frame would be no time at all to a rate control; the nominal period is.
    let period = encoder.period
    func take(_ time: Int64, _ picture: Picture) {
      guard let index = Int(exactly: time / period), stretch.indices.contains(index) else { return }
      likeness[index] = Likeness.ssim(stretch[index], picture)
    }
    for (index, picture) in stretch.enumerated() {
      let frame = Frame(picture: picture, timestamp: Timestamp(index * Int(period), timeBase: format.timeBase))
      try encoder.encode(frame) { try decoder.decode($0, emit: take) }
    }
    try encoder.encode(nil) { try decoder.decode($0, emit: take) }
    try decoder.decode(nil, emit: take)
    let all = likeness.compactMap { $0 }
    guard !all.isEmpty else { throw Failure("the samples could not be encoded") }
    return all
  }
}

extension Array {
  /// Those of the elements that are there.
  fileprivate subscript(within range: Range<Int>) -> ArraySlice<Element> { self[range.clamped(to: indices)] }
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

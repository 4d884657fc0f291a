/// Four outputs of sixteen pixels each: what few outputs are made of where pixels' groups of four bytes lie side by side.
///
/// No lane is another channel's part, so nothing has to be added up at the end.
public struct SixteenPixels<I: QuadInstructionSet>: SumTile {
  public typealias Instructions = I
  public typealias Rest = Self
  /// One for each output.
  @usableFromInline var a, b, c, d: I.Sums

  @inlinable @inline(__always) public static var pixels: Int { 16 }
  @inlinable @inline(__always) public static var blocks: Int { 1 }
  @inlinable @inline(__always) public static var gathers: Bool { true }
  @inlinable @inline(__always) public static var tapBytes: Int { 16 }

  /// - Parameter bias: that of output `n` is at `4 · n`.
  @inlinable @inline(__always) public init(bias: UnsafePointer<Int32>, offset: Int32) {
    a = I.splat(bias[0] &+ offset)
    b = I.splat(bias[4] &+ offset)
    c = I.splat(bias[8] &+ offset)
    d = I.splat(bias[12] &+ offset)
  }

  @inlinable @inline(__always)
  public mutating func tap(_ from: UnsafePointer<UInt8>, step: Int, _ weights: UnsafePointer<Int8>) {
    let pixels = I.quads(from)
    I.accumulate(&a, pixels, I.fourWeights(weights))
    I.accumulate(&b, pixels, I.fourWeights(weights + 4))
    I.accumulate(&c, pixels, I.fourWeights(weights + 8))
    I.accumulate(&d, pixels, I.fourWeights(weights + 12))
  }

  @inlinable @inline(__always)
  public mutating func twoTaps(_ from: UnsafePointer<UInt8>, step: Int, _ weights: UnsafePointer<Int8>) {
    tap(from, step: step, weights)
    tap(from + step, step: step, weights + 16)
  }

  @inlinable @inline(__always)
  public mutating func threeTaps(_ from: UnsafePointer<UInt8>, step: Int, _ weights: UnsafePointer<Int8>) {
    twoTaps(from, step: step, weights)
    tap(from + 2 &* step, step: step, weights + 32)
  }

  @inlinable @inline(__always)
  public func store(_: UnsafeMutablePointer<UInt8>, step _: Int, plane _: Int, _: Requantisation, plain _: Bool) {}

  @inlinable @inline(__always)
  public func storeSums(_ to: UnsafeMutablePointer<Int32>, step: Int) {
    I.store(a, to)
    I.store(b, to + 16)
    I.store(c, to + 32)
    I.store(d, to + 48)
  }
}

/// As `finish`, of sums that lie [4 outputs][16 pixels].
@inlinable @inline(__always)
public func finishSixteen<I: QuadInstructionSet>(_: I.Type, _ job: UnsafePointer<FinishingRow>) {
  let job = job.pointee
  let arithmetic = job.arithmetic
  let (scaleA, scaleB) = (I.splat(job.scales[0]), I.splat(job.scales[1]))
  let (scaleC, scaleD) = (I.splat(job.scales[16]), I.splat(job.scales[17]))
  var x = 0
  while x < job.width {
    let sums = job.sums + 4 &* x
    var (baseA, baseB, baseC, baseD): (I.Sums?, I.Sums?, I.Sums?, I.Sums?)
    if let samples = job.base {
      if job.repeatsBase {
        baseA =
          job.wideBase
          ? I.once((samples + 2 &* x).assumingMemoryBound(to: UInt16.self))
          : I.once((samples + x).assumingMemoryBound(to: UInt8.self))
        (baseB, baseC, baseD) = (baseA, baseA, baseA)
      } else {
        let upper = pairs(I.self, samples, wide: job.wideBase, x: x)
        let lower = pairs(I.self, job.lowerBase, wide: job.wideBase, x: x)
        (baseA, baseB) = (I.even(upper), I.odd(upper))
        (baseC, baseD) = (I.even(lower), I.odd(lower))
      }
    }
    let a = arithmetic.apply(I.self, I.sums(sums), scaleA, base: baseA)
    let b = arithmetic.apply(I.self, I.sums(sums + 16), scaleB, base: baseB)
    let c = arithmetic.apply(I.self, I.sums(sums + 32), scaleC, base: baseC)
    let d = arithmetic.apply(I.self, I.sums(sums + 48), scaleD, base: baseD)
    if job.wideOutput {
      I.storePairs(a, b, (job.upper + 4 &* x).assumingMemoryBound(to: UInt16.self), maximum: arithmetic.maximum)
      I.storePairs(c, d, (job.lower + 4 &* x).assumingMemoryBound(to: UInt16.self), maximum: arithmetic.maximum)
    } else {
      I.storePairs(
        a, b, c, d, (job.upper + 2 &* x).assumingMemoryBound(to: UInt8.self),
        (job.lower + 2 &* x).assumingMemoryBound(to: UInt8.self))
    }
    x &+= 16
  }
}

/// Sixteen pairs of samples.
@inlinable @inline(__always)
func pairs<I: QuadInstructionSet>(_: I.Type, _ samples: UnsafeRawPointer, wide: Bool, x: Int) -> I.Sums {
  wide
    ? I.pairs((samples + 4 &* x).assumingMemoryBound(to: UInt16.self))
    : I.pairs((samples + 2 &* x).assumingMemoryBound(to: UInt8.self))
}

// Convolutions three pixels wide, two neighbouring outputs at a time, after Winograd's F(2, 3): four products where the
// plain way takes six. All in whole numbers, so the sums are exact.
//
// Of the pixels d0 d1 d2 d3 around a pair, and weights g0 g1 g2 of a row:
//
//     u0 = d0 - d2    u1 = d1 + d2            u2 = d2 - d1            u3 = d1 - d3
//     w0 = 2 · g0     w1 = g0 + g1 + g2       w2 = g0 - g1 + g2       w3 = 2 · g2
//
// twice the outputs are u0·w0 + u1·w1 + u2·w2 and u1·w1 - u2·w2 - u3·w3. Elements and weights have 16 bits for that.

/// An instruction set whose elements have 16 bits.
public protocol WordInstructionSet: PairedInstructionSet {
  associatedtype PairTile: SumTile where PairTile.Instructions == Self
  static func subtract(_ a: Sums, _ b: Sums) -> Sums
  /// Makes u0 ... u3, `partStep` bytes apart, of sixteen channels of four pixels, the first at `from`.
  static func spread(_ from: UnsafePointer<UInt8>, step: Int, _ to: UnsafeMutablePointer<UInt8>, partStep: Int)
}

/// Lays a row of pixels out for `convolvePairs`: [pair][u0 ... u3][channel].
///
/// - Parameters:
///   - from: pixel 0; one pixel before and two behind the pairs are read too.
///   - step: bytes of a pixel, a multiple of 32.
@inlinable @inline(__always)
public func spreadPairs<I: WordInstructionSet>(
  _: I.Type, _ from: UnsafePointer<UInt8>, step: Int, _ to: UnsafeMutablePointer<UInt8>, pairs: Int
) {
  var pair = 0
  while pair < pairs {
    var channel = 0
    while channel < step {
      I.spread(
        from + ((2 &* pair &- 1) &* step &+ channel), step: step, to + (4 &* pair &* step &+ channel), partStep: step)
      channel &+= 32
    }
    pair &+= 1
  }
}

/// A row of outputs of one block from pairs: the job's lists, biases and weights are those of the four parts in turn,
/// each list counted from its own beginning; `sums` is room for four tiles, `width` counts pixels.
@inlinable @inline(__always)
public func convolvePairs<I: WordInstructionSet>(_: I.Type, _ job: UnsafePointer<ConvolutionRow>) {
  switch job.pointee.inputStep {
  case 128: convolvePairs(I.self, PairStep16.self, job)
  case 256: convolvePairs(I.self, PairStep32.self, job)
  default: convolvePairs(I.self, AnyStep.self, job)
  }
}

@usableFromInline enum PairStep16: PixelStep {
  @inlinable @inline(__always) static func bytes(_ job: ConvolutionRow) -> Int { 128 }
}

@usableFromInline enum PairStep32: PixelStep {
  @inlinable @inline(__always) static func bytes(_ job: ConvolutionRow) -> Int { 256 }
}

@inlinable
func convolvePairs<I: WordInstructionSet, Step: PixelStep>(
  _: I.Type, _: Step.Type, _ job: UnsafePointer<ConvolutionRow>
) {
  let whole = job.pointee
  guard let output = whole.output, let room = whole.sums else { return }
  let tileSums = 16 &* I.PairTile.pixels
  var pair = 0
  while 2 &* pair < whole.width {
    var part = whole
    var number = 0
    while number < 4 {
      // The part that both outputs of a pair have, unaltered.
      let offset = number == 1 && whole.requantisation.plainOffsets != nil ? I.scaledOffset : 0
      multiply(I.PairTile.self, Step.self, part, x: pair, sumOffset: offset)
        .storeSums(room + number &* tileSums, step: 16)
      let entries = Int(part.rowEnds[3 &* part.rowCount &- 1])
      part.rowEnds += 3 &* part.rowCount
      part.offsets += entries
      part.weights += 64 &* entries
      part.bias += 16
      number &+= 1
    }
    var pixel = 0
    while pixel < I.PairTile.pixels {
      let sums = UnsafePointer(room + 16 &* pixel)
      let (first, second) = (I.sums(sums + tileSums), I.sums(sums + 2 &* tileSums))
      let left = I.add(I.sums(sums), I.add(first, second))
      let right = I.subtract(I.subtract(first, second), I.sums(sums + 3 &* tileSums))
      storePair(I.self, left, right, output + 2 &* (pair &+ pixel) &* whole.outputStep, whole)
      pixel &+= 1
    }
    pair &+= I.PairTile.pixels
  }
}

@inlinable @inline(__always)
func storePair<I: WordInstructionSet>(
  _: I.Type, _ left: I.Sums, _ right: I.Sums, _ to: UnsafeMutablePointer<UInt8>, _ job: ConvolutionRow
) {
  let requantisation = job.requantisation
  if requantisation.plainOffsets != nil {
    I.store(
      requantisation.apply(left, I.self, channel: 0, plain: true),
      requantisation.apply(right, I.self, channel: 0, plain: true), to, inner: job.outputStep)
  } else {
    I.store(
      requantisation.apply(left, I.self, channel: 0, plain: false),
      requantisation.apply(right, I.self, channel: 0, plain: false), to, inner: job.outputStep,
      range: requantisation.range)
  }
}

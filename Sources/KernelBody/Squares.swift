// Convolutions of 3x3, sixteen outputs in a square of 4x4 at a time, after Winograd's F(4x4, 3x3) (Lavin and Gray 2016,
// "Fast Algorithms for Convolutional Neural Networks"): 36 products where the plain way takes 144.
//
// In one direction, of the inputs d0 ... d5 around four outputs, and the weights g0 g1 g2:
//
//     u0 = 4·d0 - 5·d2 + d4                w0 = 6·g0
//     u1 = (d4 - 4·d2) + (d3 - 4·d1)       w1 = -4·(g0 + g1 + g2)
//     u2 = (d4 - 4·d2) - (d3 - 4·d1)       w2 = -4·(g0 - g1 + g2)
//     u3 = (d4 - d2) + 2·(d3 - d1)         w3 = g0 + 2·g1 + 4·g2
//     u4 = (d4 - d2) - 2·(d3 - d1)         w4 = g0 - 2·g1 + 4·g2
//     u5 = 4·d1 - 5·d3 + d5                w5 = 12·g2
//
// 24 times the outputs are, of the products m = u · w,
//
//     m0 + (m1 + m2) +     (m3 + m4)
//          (m1 - m2) + 2 · (m3 - m4)
//          (m1 + m2) + 4 · (m3 + m4)
//          (m1 - m2) + 8 · (m3 - m4) + 2 · m5
//
// All in whole numbers, so nothing is lost. In both directions u is within 68 · 255 and w within 144 · 128, which fit 16
// bits. Sums of products are 576 = 64 · 9 times the outputs, and may wrap around at 32 bits: times what is the inverse
// of 9 modulo 2^32 they are 64 times the outputs again, which fit if the outputs are below 2^25, and which floats hold as
// well as the outputs themselves.

/// Up to four rows of a 3x3 convolution's outputs, for some blocks of sixteen channels that have the same inputs.
public struct SquareRows {
  /// Squares whose transforms are kept at once, with which they fit the first cache; tiles hold whole parts of it.
  @inlinable @inline(__always) public static var atOnce: Int { 8 }
  /// Transformed inputs and weights of a square.
  @inlinable @inline(__always) public static var parts: Int { 36 }
  /// Times what they stand for products are.
  public static var multiple: Int32 { 576 }
  /// What is left of that where sums are scaled.
  public static var scaleDivisor: Float { 64 }
  /// What no output may reach in magnitude.
  public static var limit: Int { 1 << 25 }

  /// Where output pixel 0's own place lies in six input rows, that above the first output's first. Read are the pixel
  /// before, and up to one behind the last square.
  public var rows: UnsafePointer<UnsafePointer<UInt8>>
  /// In bytes.
  public var inputStep: Int
  /// Input channels: a multiple of sixteen.
  public var channels: Int
  public var blocks: Int
  /// [block][36 parts][channels / 2][16 outputs][2 channels] of 16 bits, as `transformed` makes them.
  public var weights: UnsafePointer<Int8>
  /// [block][16 outputs], `multiple` times, modulo 2^32; then sixteen noughts.
  public var bias: UnsafePointer<Int32>
  /// Of each block; their scales are a `scaleDivisor`th.
  public var requantisations: UnsafePointer<Requantisation>
  /// Of each row, pixel 0's first channel of the first block.
  public var outputs: UnsafePointer<UnsafeMutablePointer<UInt8>>
  /// One to four.
  public var rowCount: Int
  /// In bytes.
  public var outputStep: Int
  /// In pixels; whole squares are written.
  public var width: Int
  /// `scratchBytes` of it, aligned to 64.
  public var scratch: UnsafeMutableRawPointer

  public init(
    rows: UnsafePointer<UnsafePointer<UInt8>>, inputStep: Int, channels: Int, blocks: Int,
    weights: UnsafePointer<Int8>, bias: UnsafePointer<Int32>, requantisations: UnsafePointer<Requantisation>,
    outputs: UnsafePointer<UnsafeMutablePointer<UInt8>>, rowCount: Int, outputStep: Int, width: Int,
    scratch: UnsafeMutableRawPointer
  ) {
    self.rows = rows
    self.inputStep = inputStep
    self.channels = channels
    self.blocks = blocks
    self.weights = weights
    self.bias = bias
    self.requantisations = requantisations
    self.outputs = outputs
    self.rowCount = rowCount
    self.outputStep = outputStep
    self.width = width
    self.scratch = scratch
  }

  public static func scratchBytes(channels: Int) -> Int {
    // Transformed inputs, products, and half-transformed ones of a square.
    parts * atOnce * (2 * channels + 64) + parts * 64
  }

  /// Nine weights, [y][x], as the 36 of a square.
  public static func transformed(_ weights: [Int]) -> [Int] {
    func along(_ a: Int, _ b: Int, _ c: Int) -> [Int] {
      [6 * a, -4 * (a + b + c), -4 * (a - b + c), a + 2 * b + 4 * c, a - 2 * b + 4 * c, 12 * c]
    }
    let rows = (0..<3).map { along(weights[3 * $0], weights[3 * $0 + 1], weights[3 * $0 + 2]) }
    let columns = (0..<6).map { along(rows[0][$0], rows[1][$0], rows[2][$0]) }
    return (0..<parts).map { columns[$0 % 6][$0 / 6] }
  }
}

/// An instruction set that multiplies numbers of 16 bits.
public protocol WordInstructionSet: PairedInstructionSet {
  /// Sixteen 16-bit integers.
  associatedtype Words
  /// Squares by sixteen channels whose sums of a part stay in registers.
  associatedtype SquareTile: SumTile where SquareTile.Instructions == Self

  /// Sixteen elements of a tensor.
  static func words(elements: UnsafePointer<UInt8>) -> Words
  static func words(_ from: UnsafePointer<Int16>) -> Words
  static func store(_ words: Words, _ to: UnsafeMutablePointer<Int16>)
  static func add(_ a: Words, _ b: Words) -> Words
  static func subtract(_ a: Words, _ b: Words) -> Words
  static func fourTimes(_ a: Words) -> Words
  /// Adds to each sum the products of two numbers with its pair of weights, modulo 2^32.
  static func accumulateWords(_ sums: inout Sums, _ pixels: Pixels, _ weights: Weights)
  static func subtract(_ a: Sums, _ b: Sums) -> Sums
  /// Modulo 2^32.
  static func multiply(_ a: Sums, by factor: Int32) -> Sums
}

extension WordInstructionSet {
  // Where elements have 16 bits.
  @inlinable @inline(__always) public static func words(elements: UnsafePointer<UInt8>) -> Words {
    words(UnsafeRawPointer(elements).assumingMemoryBound(to: Int16.self))
  }
  @inlinable @inline(__always)
  public static func accumulateWords(_ sums: inout Sums, _ pixels: Pixels, _ weights: Weights) {
    accumulate(&sums, pixels, weights)
  }
}

@inlinable @inline(__always)
public func convolveSquares<I: WordInstructionSet>(_: I.Type, _ job: UnsafePointer<SquareRows>) {
  let job = job.pointee
  let squareBytes = 2 &* job.channels
  let inputs = job.scratch.assumingMemoryBound(to: UInt8.self)
  let products = (job.scratch + SquareRows.parts &* SquareRows.atOnce &* squareBytes).assumingMemoryBound(
    to: Int32.self)
  let spare = products + SquareRows.parts &* SquareRows.atOnce &* 16
  var x = 0
  while x < job.width {
    let left = (job.width &- x &+ 3) / 4
    let count = left < SquareRows.atOnce ? left : SquareRows.atOnce
    var square = 0
    while square < count {
      transformInputs(I.self, job, x: x &+ 4 &* square, spare, inputs + square &* squareBytes)
      square &+= 1
    }
    var block = 0
    while block < job.blocks {
      multiplySquares(I.SquareTile.self, job, block, count, inputs, products)
      square = 0
      while square < count {
        storeSquare(I.self, job, block, x: x &+ 4 &* square, products + 16 &* square, spare)
        square &+= 1
      }
      block &+= 1
    }
    x &+= 4 &* SquareRows.atOnce
  }
}

/// Makes u of all parts, [part][square][channel], of one square.
@inlinable
func transformInputs<I: WordInstructionSet>(
  _: I.Type, _ job: SquareRows, x: Int, _ spare: UnsafeMutablePointer<Int32>, _ to: UnsafeMutablePointer<UInt8>
) {
  let half = UnsafeMutableRawPointer(spare).assumingMemoryBound(to: Int16.self)
  let to = UnsafeMutableRawPointer(to).assumingMemoryBound(to: Int16.self)
  let step = job.inputStep
  let partStep = SquareRows.atOnce &* job.channels
  var channel = 0
  while channel < job.channels {
    var row = 0
    while row < 6 {
      let from = job.rows[row] + ((x &- 1) &* step &+ channel &* I.elementBytes)
      transformSix(
        I.self,
        (
          I.words(elements: from), I.words(elements: from + step), I.words(elements: from + 2 &* step),
          I.words(elements: from + 3 &* step), I.words(elements: from + 4 &* step), I.words(elements: from + 5 &* step)
        ), half + row &* 96, step: 16)
      row &+= 1
    }
    var column = 0
    while column < 6 {
      let from = UnsafePointer(half + column &* 16)
      transformSix(
        I.self,
        (
          I.words(from), I.words(from + 96), I.words(from + 192), I.words(from + 288),
          I.words(from + 384), I.words(from + 480)
        ), to + (column &* partStep &+ channel), step: 6 &* partStep)
      column &+= 1
    }
    channel &+= 16
  }
}

/// u of d, in one direction.
@inlinable @inline(__always)
func transformSix<I: WordInstructionSet>(
  _: I.Type, _ d: (I.Words, I.Words, I.Words, I.Words, I.Words, I.Words), _ to: UnsafeMutablePointer<Int16>, step: Int
) {
  let even = I.subtract(d.4, I.fourTimes(d.2))
  let odd = I.subtract(d.3, I.fourTimes(d.1))
  let outer = I.subtract(d.4, d.2)
  let inner = I.subtract(d.3, d.1)
  let twice = I.add(inner, inner)
  I.store(I.add(I.fourTimes(I.subtract(d.0, d.2)), outer), to)
  I.store(I.add(even, odd), to + step)
  I.store(I.subtract(even, odd), to + 2 &* step)
  I.store(I.add(outer, twice), to + 3 &* step)
  I.store(I.subtract(outer, twice), to + 4 &* step)
  I.store(I.subtract(I.subtract(d.5, d.3), I.fourTimes(inner)), to + 5 &* step)
}

/// The sums of some squares' products, [part][square][16 outputs].
@inlinable @inline(__always)
func multiplySquares<Tile: SumTile>(
  _: Tile.Type, _ job: SquareRows, _ block: Int, _ count: Int, _ inputs: UnsafePointer<UInt8>,
  _ products: UnsafeMutablePointer<Int32>
) {
  let squareBytes = 2 &* job.channels
  let bytes = 32 &* job.channels
  var weights = job.weights + block &* SquareRows.parts &* bytes
  var part = 0
  while part < SquareRows.parts {
    // The part that all outputs have, once each.
    let bias = job.bias + 16 &* (part == 7 ? block : job.blocks)
    let end = weights + bytes
    var square = 0
    while square < count {
      let place = part &* SquareRows.atOnce &+ square
      var from = inputs + place &* squareBytes
      var tile = Tile(bias: bias, offset: 0)
      var taps = weights
      while taps < end {
        tile.tap(from, step: squareBytes, taps)
        from += 4
        taps += 64
      }
      tile.storeSums(products + 16 &* place, step: 16)
      square &+= Tile.pixels
    }
    weights = end
    part &+= 1
  }
}

/// Makes the outputs of a square's products, and stores them as codes.
@inlinable
func storeSquare<I: WordInstructionSet>(
  _: I.Type, _ job: SquareRows, _ block: Int, x: Int, _ products: UnsafePointer<Int32>,
  _ half: UnsafeMutablePointer<Int32>
) {
  let partStep = 16 &* SquareRows.atOnce
  var column = 0
  while column < 6 {
    let from = products + column &* partStep
    let rows = gatherSix(I.self, from, step: 6 &* partStep)
    I.store(rows.0, half + column &* 16)
    I.store(rows.1, half + (96 &+ column &* 16))
    I.store(rows.2, half + (192 &+ column &* 16))
    I.store(rows.3, half + (288 &+ column &* 16))
    column &+= 1
  }
  let requantisation = job.requantisations[block]
  let plain = requantisation.plainOffsets != nil
  let place = x &* job.outputStep &+ 16 &* block &* I.elementBytes
  var row = 0
  while row < job.rowCount {
    let outputs = gatherSix(I.self, half + 96 &* row, step: 16)
    let to = job.outputs[row] + place
    let a = code(I.self, outputs.0, requantisation)
    let b = code(I.self, outputs.1, requantisation)
    let c = code(I.self, outputs.2, requantisation)
    let d = code(I.self, outputs.3, requantisation)
    if plain {
      I.store(a, b, c, d, to, inner: job.outputStep, outer: 2 &* job.outputStep)
    } else {
      I.store(a, b, c, d, to, inner: job.outputStep, outer: 2 &* job.outputStep, range: requantisation.range)
    }
    row &+= 1
  }
}

/// 24 times four outputs of m, in one direction.
@inlinable @inline(__always)
func gatherSix<I: WordInstructionSet>(
  _: I.Type, _ m: UnsafePointer<Int32>, step: Int
) -> (I.Sums, I.Sums, I.Sums, I.Sums) {
  let (m1, m2) = (I.sums(m + step), I.sums(m + 2 &* step))
  let (m3, m4) = (I.sums(m + 3 &* step), I.sums(m + 4 &* step))
  let last = I.sums(m + 5 &* step)
  let (sum, difference) = (I.add(m1, m2), I.subtract(m1, m2))
  let far = I.add(m3, m4)
  let twice = I.shiftLeft(I.subtract(m3, m4), by: 1)
  return (
    I.add(I.add(I.sums(m), sum), far), I.add(difference, twice), I.add(sum, I.shiftLeft(far, by: 2)),
    I.add(I.add(difference, I.shiftLeft(twice, by: 2)), I.add(last, last))
  )
}

/// - Parameter sums: 576 times what they stand for, modulo 2^32. The 64 that is left of that is in the scales.
@inlinable @inline(__always)
func code<I: WordInstructionSet>(_: I.Type, _ sums: I.Sums, _ output: Requantisation) -> I.Sums {
  let inverseOfNine: Int32 = 0x38E3_8E39
  return output.apply(I.multiply(sums, by: inverseOfNine), I.self, channel: 0, plain: false)
}

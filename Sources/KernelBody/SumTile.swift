/// Neighbouring pixels' sums, kept in registers while all their products are added.
///
/// Tiles nest, `Three<Two<FourPixels<...>>>`, because named members are what the optimiser turns into registers:
/// it gives up on arrays of more than a dozen.
public protocol SumTile {
  associatedtype Instructions: InstructionSet
  /// A smaller tile of as many blocks, for what is left of a row.
  associatedtype Rest: SumTile where Rest.Instructions == Instructions
  static var pixels: Int { get }
  /// Blocks of sixteen output channels.
  static var blocks: Int { get }
  /// Whether four outputs in four parts are what a pixel has: they cannot be quantised, and `storeSums` adds the parts
  /// up, to [4 outputs][4 pixels] for each four pixels.
  static var gathers: Bool { get }
  /// Bytes of weights of a tap.
  static var tapBytes: Int { get }
  /// Every pixel's sums begin at `bias`, 16 · blocks values, plus `offset`.
  init(bias: UnsafePointer<Int32>, offset: Int32)
  /// Adds one tap: pixel `p`'s bytes lie at `from + p · step`.
  mutating func tap(_ from: UnsafePointer<UInt8>, step: Int, _ weights: UnsafePointer<Int8>)
  /// Adds three neighbouring taps, whose bytes lie at `from`, `from + step` and `from + 2 · step`.
  mutating func threeTaps(_ from: UnsafePointer<UInt8>, step: Int, _ weights: UnsafePointer<Int8>)
  /// Adds two neighbouring taps.
  mutating func twoTaps(_ from: UnsafePointer<UInt8>, step: Int, _ weights: UnsafePointer<Int8>)
  /// Quantises and stores pixel `p` at `to + p · step`, each group of four channels `plane` bytes from the one before
  /// where that is not 0; `plain`, a literal, says that `output` is.
  func store(_ to: UnsafeMutablePointer<UInt8>, step: Int, plane: Int, _ output: Requantisation, plain: Bool)
  func storeSums(_ to: UnsafeMutablePointer<Int32>, step: Int)
}

extension SumTile {
  @inlinable @inline(__always) public static var gathers: Bool { false }
  @inlinable @inline(__always) public static var tapBytes: Int { 64 &* blocks }
}

/// How sums become bytes: times a scale for each channel, rounded to even, plus the zero point, clipped.
public struct Requantisation: BitwiseCopyable {
  public var scales: UnsafePointer<Float>
  /// For sums below zero, where an activation slopes there.
  public var negativeScales: UnsafePointer<Float>?
  public var range: CodeRange
  /// What `InstructionSet.codes` adds, where scaling and saturation to 0 ... 255 are all there is to do, no scale is below
  /// zero, and no sum is 2^23 or more, or below -2^30.
  public var plainOffsets: UnsafePointer<Float>?

  public init(
    scales: UnsafePointer<Float>, negativeScales: UnsafePointer<Float>?, range: CodeRange,
    plainOffsets: UnsafePointer<Float>?
  ) {
    self.scales = scales
    self.negativeScales = negativeScales
    self.range = range
    self.plainOffsets = plainOffsets
  }

  @inlinable @inline(__always)
  func apply<I: InstructionSet>(_ sums: I.Sums, _: I.Type, channel: Int, plain: Bool) -> I.Sums {
    if plain, let plainOffsets {
      return I.codes(sums, I.reals(scales + channel), I.reals(plainOffsets + channel))
    }
    let value = I.real(sums)
    guard let negativeScales else { return I.whole(I.multiply(value, I.reals(scales + channel))) }
    // One of the two products is zero, so the sum is exact whether or not it is fused.
    let zero = I.splat(Float(0))
    return I.whole(
      I.add(
        I.multiply(I.greatest(value, zero), I.reals(scales + channel)),
        I.multiply(I.least(value, zero), I.reals(negativeScales + channel))))
  }
}

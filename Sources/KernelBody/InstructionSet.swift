/// The vector primitives of one instruction set, from which every kernel is built.
///
/// Its values hold sixteen lanes, in one register or several, so that the bodies and the packed weights are the same
/// for all. Each instruction set's module conforms a type of its own, and only that type's specialisations may be
/// emitted there: code shared with other modules would carry this module's instructions to processors without them.
public protocol InstructionSet {
  /// Sixteen 32-bit integers.
  associatedtype Sums
  /// Sixteen 32-bit floats.
  associatedtype Reals
  /// Input elements, spread over the lanes.
  associatedtype Pixels
  /// Sixteen groups of four bytes: four signed weights, or two of sixteen bits.
  associatedtype Weights

  /// The widest tile of pixels by sixteen channels that stays in registers.
  associatedtype Tile: SumTile where Tile.Instructions == Self
  /// The widest tile by two blocks of sixteen channels; the same as `Tile` where one block fills the registers.
  associatedtype WideTile: SumTile where WideTile.Instructions == Self

  /// The widest tile that gathers.
  associatedtype FewTile: SumTile where FewTile.Instructions == Self

  /// The widest tile for `quads`; any where there are none.
  associatedtype QuadTile: SumTile where QuadTile.Instructions == Self

  /// Bytes of an element of a tensor and of a weight: 1, or 2 where products of 16-bit numbers are what the processor
  /// adds up without overflow.
  static var elementBytes: Int { get }
  /// Whether sums of `quads` are made, and an output's channels stored in planes.
  static var hasQuads: Bool { get }

  /// Bytes between the pixels of a peak measurement: 0, all the same, where products are not made apart from sums.
  static var peakStep: Int { get }

  static func sums(_ from: UnsafePointer<Int32>) -> Sums
  static func store(_ sums: Sums, _ to: UnsafeMutablePointer<Int32>)
  static func splat(_ value: Int32) -> Sums
  static func reals(_ from: UnsafePointer<Float>) -> Reals
  static func splat(_ value: Float) -> Reals
  static func weights(_ from: UnsafePointer<Int8>) -> Weights
  /// The four bytes at `from` in every group.
  static func four(_ from: UnsafePointer<UInt8>) -> Pixels
  /// The sixteen bytes at `from` in every quarter.
  static func sixteen(_ from: UnsafePointer<UInt8>) -> Pixels
  /// Adds to each sum the products of its group of elements with its group of weights, exactly.
  static func accumulate(_ sums: inout Sums, _ pixels: Pixels, _ weights: Weights)

  /// What sums begin with, beside their bias, to become `codes`: 0, or the bits of 2^23, to which the sum adds up as the
  /// bits of 2^23 + sum.
  static var codesOffset: Int32 { get }
  /// Sums, from -2^30 to less than 2^23, times scales of at least 0, rounded twice, to a float and to a whole number, of
  /// which 16 bits count; where that is below zero, anything below zero. `offsets` are -2^23 · scale: fused, (2^23 +
  /// sum) · scale - 2^23 · scale is rounded to a float but once, too.
  ///
  /// Or fused to a whole number at once, where scales and offsets are such that the code is the same.
  static func codes(_ sums: Sums, _ scales: Reals, _ offsets: Reals) -> Sums

  static func real(_ sums: Sums) -> Reals
  /// Nearest whole number, ties to even, for magnitudes below 2^31.
  static func whole(_ reals: Reals) -> Sums
  static func rounded(_ reals: Reals) -> Reals
  static func multiply(_ a: Reals, _ b: Reals) -> Reals
  static func add(_ a: Reals, _ b: Reals) -> Reals
  static func least(_ a: Reals, _ b: Reals) -> Reals
  static func greatest(_ a: Reals, _ b: Reals) -> Reals
  static func add(_ a: Sums, _ b: Sums) -> Sums
  static func shiftLeft(_ a: Sums, by: Int32) -> Sums
  static func shiftRight(_ a: Sums, by: Int32) -> Sums

  /// Saturates `codes` to 0 ... 255, or adds `range`'s zero point to whole numbers, saturates and clips, and stores
  /// sixteen elements each at `to`, `to + inner`, `to + outer` and `to + outer + inner`.
  static func store(
    _ a: Sums, _ b: Sums, _ c: Sums, _ d: Sums, _ to: UnsafeMutablePointer<UInt8>, inner: Int, outer: Int)
  static func store(
    _ a: Sums, _ b: Sums, _ c: Sums, _ d: Sums, _ to: UnsafeMutablePointer<UInt8>, inner: Int, outer: Int,
    range: CodeRange)

  /// The same of four pixels of sixteen channels, the first group of four channels at `to` and each next one `plane` bytes
  /// further; without a range, of `codes`.
  static func store(
    _ a: Sums, _ b: Sums, _ c: Sums, _ d: Sums, _ to: UnsafeMutablePointer<UInt8>, plane: Int, _ range: CodeRange?)

  /// Of four pixels' partial sums [4 outputs][4 parts] the whole sums [4 outputs][4 pixels].
  static func gather(_ a: Sums, _ b: Sums, _ c: Sums, _ d: Sums) -> Sums
  /// Of eight pixels' sums, two times [4 outputs][4 pixels], outputs 0 and 1 pixel by pixel.
  static func upperRow(_ a: Sums, _ b: Sums) -> Sums
  /// Outputs 2 and 3 pixel by pixel.
  static func lowerRow(_ a: Sums, _ b: Sums) -> Sums
  /// Sixteen samples.
  static func once(_ from: UnsafePointer<UInt8>) -> Sums
  static func once(_ from: UnsafePointer<UInt16>) -> Sums
  /// Eight samples, each twice.
  static func twice(_ from: UnsafePointer<UInt8>) -> Sums
  static func twice(_ from: UnsafePointer<UInt16>) -> Sums
  /// Stores sixteen values, saturated to 0 ... `maximum`.
  static func store(_ sums: Sums, _ to: UnsafeMutablePointer<UInt8>, maximum: Int32)
  static func store(_ sums: Sums, _ to: UnsafeMutablePointer<UInt16>, maximum: Int32)
}

extension InstructionSet {
  @inlinable @inline(__always) public static var hasQuads: Bool { false }
  // Without fused products nothing is gained by sums that are reals already.
  @inlinable @inline(__always) public static var codesOffset: Int32 { 0 }
  @inlinable @inline(__always) public static func codes(_ sums: Sums, _ scales: Reals, _: Reals) -> Sums {
    whole(multiply(real(sums), scales))
  }
  @inlinable @inline(__always)
  public static func store(
    _: Sums, _: Sums, _: Sums, _: Sums, _: UnsafeMutablePointer<UInt8>, plane _: Int, _: CodeRange?
  ) {}
}

/// An instruction set for which sums of few outputs are best made of pixels side by side: lanes are sixteen pixels.
public protocol QuadInstructionSet: InstructionSet {
  /// Four bytes of each of sixteen pixels.
  static func quads(_ from: UnsafePointer<UInt8>) -> Pixels
  /// The four weights at `from` for every pixel.
  static func fourWeights(_ from: UnsafePointer<Int8>) -> Weights
  /// Sixteen pairs of samples, each pair two words of a sum.
  static func pairs(_ from: UnsafePointer<UInt8>) -> Sums
  static func pairs(_ from: UnsafePointer<UInt16>) -> Sums
  /// The first of each pair.
  static func even(_ pairs: Sums) -> Sums
  static func odd(_ pairs: Sums) -> Sums
  /// Stores values of `a` and `b` by turns, and of `c` and `d`, saturated to 0 ... 255.
  static func storePairs(
    _ a: Sums, _ b: Sums, _ c: Sums, _ d: Sums, _ upper: UnsafeMutablePointer<UInt8>,
    _ lower: UnsafeMutablePointer<UInt8>)
  /// Stores values of `a` and `b` by turns, saturated to 0 ... `maximum`.
  static func storePairs(_ a: Sums, _ b: Sums, _ to: UnsafeMutablePointer<UInt16>, maximum: Int32)
}

/// An instruction set that works on two pixels at a time, because its registers are few or short.
public protocol PairedInstructionSet: InstructionSet {
  /// As `store` of four, at `to` and `to + inner`.
  static func store(_ a: Sums, _ b: Sums, _ to: UnsafeMutablePointer<UInt8>, inner: Int)
  static func store(_ a: Sums, _ b: Sums, _ to: UnsafeMutablePointer<UInt8>, inner: Int, range: CodeRange)
}

extension PairedInstructionSet {
  @inlinable @inline(__always)
  public static func store(
    _ a: Sums, _ b: Sums, _ c: Sums, _ d: Sums, _ to: UnsafeMutablePointer<UInt8>, inner: Int, outer: Int
  ) {
    store(a, b, to, inner: inner)
    store(c, d, to + outer, inner: inner)
  }
  @inlinable @inline(__always)
  public static func store(
    _ a: Sums, _ b: Sums, _ c: Sums, _ d: Sums, _ to: UnsafeMutablePointer<UInt8>, inner: Int, outer: Int,
    range: CodeRange
  ) {
    store(a, b, to, inner: inner, range: range)
    store(c, d, to + outer, inner: inner, range: range)
  }
}

/// Where quantised values may lie: `zeroPoint` stands for 0, and an activation clips to `low ... high`.
public struct CodeRange: BitwiseCopyable {
  public var zeroPoint: Int16
  public var low: UInt8
  public var high: UInt8

  public init(zeroPoint: UInt8, low: UInt8, high: UInt8) {
    self.zeroPoint = Int16(zeroPoint)
    self.low = low
    self.high = high
  }
}

// What the hot loops are compiled for, one by one: types, so that each combination is a specialisation of its own in
// which addresses are constants.

/// The bytes from one pixel's place to the next's.
@usableFromInline protocol PixelStep {
  static func bytes(_ job: ConvolutionRow) -> Int
}

@usableFromInline enum Step1: PixelStep {
  @inlinable @inline(__always) static func bytes(_ job: ConvolutionRow) -> Int { 1 }
}

@usableFromInline enum Step16: PixelStep {
  @inlinable @inline(__always) static func bytes(_ job: ConvolutionRow) -> Int { 16 }
}

@usableFromInline enum Step32: PixelStep {
  @inlinable @inline(__always) static func bytes(_ job: ConvolutionRow) -> Int { 32 }
}

@usableFromInline enum AnyStep: PixelStep {
  @inlinable @inline(__always) static func bytes(_ job: ConvolutionRow) -> Int { job.inputStep }
}

/// What an entry of the list of taps holds.
@usableFromInline protocol TapShape {
  static var taps: Int { get }
  static func add<Tile: SumTile>(
    _ tile: inout Tile, _ from: UnsafePointer<UInt8>, step: Int, _ weights: UnsafePointer<Int8>)
}

@usableFromInline enum OneTap: TapShape {
  @inlinable @inline(__always) static var taps: Int { 1 }
  @inlinable @inline(__always)
  static func add<Tile: SumTile>(
    _ tile: inout Tile, _ from: UnsafePointer<UInt8>, step: Int, _ weights: UnsafePointer<Int8>
  ) { tile.tap(from, step: step, weights) }
}

@usableFromInline enum ThreeTaps: TapShape {
  @inlinable @inline(__always) static var taps: Int { 3 }
  @inlinable @inline(__always)
  static func add<Tile: SumTile>(
    _ tile: inout Tile, _ from: UnsafePointer<UInt8>, step: Int, _ weights: UnsafePointer<Int8>
  ) { tile.threeTaps(from, step: step, weights) }
}

@usableFromInline enum WideTap: TapShape {
  @inlinable @inline(__always) static var taps: Int { 1 }
  @inlinable @inline(__always)
  static func add<Tile: SumTile>(
    _ tile: inout Tile, _ from: UnsafePointer<UInt8>, step: Int, _ weights: UnsafePointer<Int8>
  ) { tile.wideTap(from, step: step, weights) }
}

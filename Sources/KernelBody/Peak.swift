/// Multiplies as fast as the instruction set can, from registers: what a level's kernels are measured against.
///
/// - Returns: the multiply-accumulates done; `sink`, 16 integers a pixel of the tile, keeps the compiler from dropping them.
@inlinable @inline(__always)
public func multiplyAtPeak<I: InstructionSet>(
  _: I.Type, pixels: UnsafePointer<UInt8>, weights: UnsafePointer<Int8>, sink: UnsafeMutablePointer<Int32>,
  iterations: Int
) -> Int {
  var tile = I.Tile(bias: UnsafePointer(sink), offset: 0)
  // Sums that are all the same would be computed once.
  tile.tap(pixels, step: 4, weights)
  var iteration = 0
  while iteration < iterations {
    tile.tap(pixels + (iteration & 31), step: I.peakStep, weights)
    iteration &+= 1
  }
  tile.storeSums(sink, step: 16)
  return iterations &* I.Tile.pixels &* 64 / I.elementBytes
}

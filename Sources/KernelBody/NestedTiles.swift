/// Two tiles side by side.
public struct Two<Part: SumTile>: SumTile {
  public typealias Instructions = Part.Instructions
  public typealias Rest = Part
  @usableFromInline var left, right: Part

  @inlinable @inline(__always) public static var pixels: Int { 2 * Part.pixels }
  @inlinable @inline(__always) public static var blocks: Int { Part.blocks }
  @inlinable @inline(__always) public static var gathers: Bool { Part.gathers }
  @inlinable @inline(__always) public static var tapBytes: Int { Part.tapBytes }

  @inlinable @inline(__always) public init(bias: UnsafePointer<Int32>, offset: Int32) {
    left = Part(bias: bias, offset: offset)
    right = Part(bias: bias, offset: offset)
  }

  @inlinable @inline(__always)
  public mutating func tap(_ from: UnsafePointer<UInt8>, step: Int, _ weights: UnsafePointer<Int8>) {
    left.tap(from, step: step, weights)
    right.tap(from + Part.pixels &* step, step: step, weights)
  }

  @inlinable @inline(__always)
  public mutating func threeTaps(_ from: UnsafePointer<UInt8>, step: Int, _ weights: UnsafePointer<Int8>) {
    left.threeTaps(from, step: step, weights)
    right.threeTaps(from + Part.pixels &* step, step: step, weights)
  }

  @inlinable @inline(__always)
  public mutating func twoTaps(_ from: UnsafePointer<UInt8>, step: Int, _ weights: UnsafePointer<Int8>) {
    left.twoTaps(from, step: step, weights)
    right.twoTaps(from + Part.pixels &* step, step: step, weights)
  }

  @inlinable @inline(__always)
  public func store(_ to: UnsafeMutablePointer<UInt8>, step: Int, plane: Int, _ output: Requantisation, plain: Bool) {
    left.store(to, step: step, plane: plane, output, plain: plain)
    right.store(to + Part.pixels &* step, step: step, plane: plane, output, plain: plain)
  }

  @inlinable @inline(__always)
  public func storeSums(_ to: UnsafeMutablePointer<Int32>, step: Int) {
    left.storeSums(to, step: step)
    right.storeSums(to + Part.pixels &* step, step: step)
  }
}

/// Three tiles side by side.
public struct Three<Part: SumTile>: SumTile {
  public typealias Instructions = Part.Instructions
  public typealias Rest = Part
  @usableFromInline var left, middle, right: Part

  @inlinable @inline(__always) public static var pixels: Int { 3 * Part.pixels }
  @inlinable @inline(__always) public static var blocks: Int { Part.blocks }
  @inlinable @inline(__always) public static var gathers: Bool { Part.gathers }
  @inlinable @inline(__always) public static var tapBytes: Int { Part.tapBytes }

  @inlinable @inline(__always) public init(bias: UnsafePointer<Int32>, offset: Int32) {
    left = Part(bias: bias, offset: offset)
    middle = Part(bias: bias, offset: offset)
    right = Part(bias: bias, offset: offset)
  }

  @inlinable @inline(__always)
  public mutating func tap(_ from: UnsafePointer<UInt8>, step: Int, _ weights: UnsafePointer<Int8>) {
    left.tap(from, step: step, weights)
    middle.tap(from + Part.pixels &* step, step: step, weights)
    right.tap(from + 2 &* Part.pixels &* step, step: step, weights)
  }

  @inlinable @inline(__always)
  public mutating func threeTaps(_ from: UnsafePointer<UInt8>, step: Int, _ weights: UnsafePointer<Int8>) {
    left.threeTaps(from, step: step, weights)
    middle.threeTaps(from + Part.pixels &* step, step: step, weights)
    right.threeTaps(from + 2 &* Part.pixels &* step, step: step, weights)
  }

  @inlinable @inline(__always)
  public mutating func twoTaps(_ from: UnsafePointer<UInt8>, step: Int, _ weights: UnsafePointer<Int8>) {
    left.twoTaps(from, step: step, weights)
    middle.twoTaps(from + Part.pixels &* step, step: step, weights)
    right.twoTaps(from + 2 &* Part.pixels &* step, step: step, weights)
  }

  @inlinable @inline(__always)
  public func store(_ to: UnsafeMutablePointer<UInt8>, step: Int, plane: Int, _ output: Requantisation, plain: Bool) {
    left.store(to, step: step, plane: plane, output, plain: plain)
    middle.store(to + Part.pixels &* step, step: step, plane: plane, output, plain: plain)
    right.store(to + 2 &* Part.pixels &* step, step: step, plane: plane, output, plain: plain)
  }

  @inlinable @inline(__always)
  public func storeSums(_ to: UnsafeMutablePointer<Int32>, step: Int) {
    left.storeSums(to, step: step)
    middle.storeSums(to + Part.pixels &* step, step: step)
    right.storeSums(to + 2 &* Part.pixels &* step, step: step)
  }
}

/// How much of a pixel one tap takes: four bytes for all lanes, or sixteen, four for each lane of a quarter.
public protocol PixelBytes {
  associatedtype Instructions: InstructionSet
  static var count: Int { get }
  static func load(_ from: UnsafePointer<UInt8>) -> Instructions.Pixels
  static func accumulate(
    _ sums: inout Instructions.Sums, _ pixels: Instructions.Pixels, _ weights: Instructions.Weights)
}

extension PixelBytes {
  @inlinable @inline(__always)
  public static func accumulate(
    _ sums: inout Instructions.Sums, _ pixels: Instructions.Pixels, _ weights: Instructions.Weights
  ) { Instructions.accumulate(&sums, pixels, weights) }
}

public enum FourBytes<I: InstructionSet>: PixelBytes {
  public typealias Instructions = I
  @inlinable @inline(__always) public static var count: Int { 4 }
  @inlinable @inline(__always) public static func load(_ from: UnsafePointer<UInt8>) -> I.Pixels { I.four(from) }
}

public enum SixteenBytes<I: InstructionSet>: PixelBytes {
  public typealias Instructions = I
  @inlinable @inline(__always) public static var count: Int { 16 }
  @inlinable @inline(__always) public static func load(_ from: UnsafePointer<UInt8>) -> I.Pixels { I.sixteen(from) }
}

/// Two numbers of 16 bits, whatever the elements of tensors are.
public enum TwoWords<I: WordInstructionSet>: PixelBytes {
  public typealias Instructions = I
  @inlinable @inline(__always) public static var count: Int { 4 }
  @inlinable @inline(__always) public static func load(_ from: UnsafePointer<UInt8>) -> I.Pixels { I.four(from) }
  @inlinable @inline(__always)
  public static func accumulate(_ sums: inout I.Sums, _ pixels: I.Pixels, _ weights: I.Weights) {
    I.accumulateWords(&sums, pixels, weights)
  }
}

/// Four pixels by sixteen channels; with taps of sixteen bytes by four channels, each in four parts that are added up
/// at the end, for layers whose few outputs would leave lanes idle otherwise.
public struct FourPixels<Bytes: PixelBytes>: SumTile {
  public typealias Instructions = Bytes.Instructions
  public typealias Rest = Self
  @usableFromInline typealias I = Instructions
  @usableFromInline var a, b, c, d: Instructions.Sums

  @inlinable @inline(__always) public static var pixels: Int { 4 }
  @inlinable @inline(__always) public static var blocks: Int { 1 }
  @inlinable @inline(__always) public static var gathers: Bool { Bytes.count == 16 }

  @inlinable @inline(__always) public init(bias: UnsafePointer<Int32>, offset: Int32) {
    a = I.add(I.sums(bias), I.splat(offset))
    b = a
    c = a
    d = a
  }

  @inlinable @inline(__always)
  public mutating func tap(_ from: UnsafePointer<UInt8>, step: Int, _ weights: UnsafePointer<Int8>) {
    let w = I.weights(weights)
    Bytes.accumulate(&a, Bytes.load(from), w)
    Bytes.accumulate(&b, Bytes.load(from + step), w)
    Bytes.accumulate(&c, Bytes.load(from + 2 &* step), w)
    Bytes.accumulate(&d, Bytes.load(from + 3 &* step), w)
  }

  @inlinable @inline(__always)
  public mutating func threeTaps(_ from: UnsafePointer<UInt8>, step: Int, _ weights: UnsafePointer<Int8>) {
    let u = I.weights(weights)
    let v = I.weights(weights + 64)
    let w = I.weights(weights + 128)
    let p0 = Bytes.load(from)
    let p1 = Bytes.load(from + step)
    let p2 = Bytes.load(from + 2 &* step)
    let p3 = Bytes.load(from + 3 &* step)
    let p4 = Bytes.load(from + 4 &* step)
    let p5 = Bytes.load(from + 5 &* step)
    Bytes.accumulate(&a, p0, u)
    Bytes.accumulate(&a, p1, v)
    Bytes.accumulate(&b, p1, u)
    Bytes.accumulate(&a, p2, w)
    Bytes.accumulate(&b, p2, v)
    Bytes.accumulate(&c, p2, u)
    Bytes.accumulate(&b, p3, w)
    Bytes.accumulate(&c, p3, v)
    Bytes.accumulate(&d, p3, u)
    Bytes.accumulate(&c, p4, w)
    Bytes.accumulate(&d, p4, v)
    Bytes.accumulate(&d, p5, w)
  }

  @inlinable @inline(__always)
  public mutating func twoTaps(_ from: UnsafePointer<UInt8>, step: Int, _ weights: UnsafePointer<Int8>) {
    let u = I.weights(weights)
    let v = I.weights(weights + 64)
    let p0 = Bytes.load(from)
    let p1 = Bytes.load(from + step)
    let p2 = Bytes.load(from + 2 &* step)
    let p3 = Bytes.load(from + 3 &* step)
    let p4 = Bytes.load(from + 4 &* step)
    Bytes.accumulate(&a, p0, u)
    Bytes.accumulate(&a, p1, v)
    Bytes.accumulate(&b, p1, u)
    Bytes.accumulate(&b, p2, v)
    Bytes.accumulate(&c, p2, u)
    Bytes.accumulate(&c, p3, v)
    Bytes.accumulate(&d, p3, u)
    Bytes.accumulate(&d, p4, v)
  }

  @inlinable @inline(__always)
  public func store(_ to: UnsafeMutablePointer<UInt8>, step: Int, plane: Int, _ output: Requantisation, plain: Bool) {
    let p = output.apply(a, I.self, channel: 0, plain: plain)
    let q = output.apply(b, I.self, channel: 0, plain: plain)
    let r = output.apply(c, I.self, channel: 0, plain: plain)
    let s = output.apply(d, I.self, channel: 0, plain: plain)
    if I.hasQuads && plane != 0 {
      I.store(p, q, r, s, to, plane: plane, plain ? nil : output.range)
    } else if plain {
      I.store(p, q, r, s, to, inner: step, outer: 2 &* step)
    } else {
      I.store(p, q, r, s, to, inner: step, outer: 2 &* step, range: output.range)
    }
  }

  @inlinable @inline(__always)
  public func storeSums(_ to: UnsafeMutablePointer<Int32>, step: Int) {
    guard !Self.gathers else { return I.store(I.gather(a, b, c, d), to) }
    I.store(a, to)
    I.store(b, to + step)
    I.store(c, to + 2 &* step)
    I.store(d, to + 3 &* step)
  }
}

/// Two pixels by sixteen channels: where a pixel's sums take more than one register.
public struct TwoPixels<Bytes: PixelBytes>: SumTile where Bytes.Instructions: PairedInstructionSet {
  public typealias Instructions = Bytes.Instructions
  public typealias Rest = Self
  @usableFromInline typealias I = Instructions
  @usableFromInline var a, b: Instructions.Sums

  @inlinable @inline(__always) public static var pixels: Int { 2 }
  @inlinable @inline(__always) public static var blocks: Int { 1 }

  @inlinable @inline(__always) public init(bias: UnsafePointer<Int32>, offset: Int32) {
    a = I.add(I.sums(bias), I.splat(offset))
    b = a
  }

  @inlinable @inline(__always)
  public mutating func tap(_ from: UnsafePointer<UInt8>, step: Int, _ weights: UnsafePointer<Int8>) {
    let w = I.weights(weights)
    Bytes.accumulate(&a, Bytes.load(from), w)
    Bytes.accumulate(&b, Bytes.load(from + step), w)
  }

  @inlinable @inline(__always)
  public mutating func threeTaps(_ from: UnsafePointer<UInt8>, step: Int, _ weights: UnsafePointer<Int8>) {
    tap(from, step: step, weights)
    tap(from + step, step: step, weights + 64)
    tap(from + 2 &* step, step: step, weights + 128)
  }

  @inlinable @inline(__always)
  public mutating func twoTaps(_ from: UnsafePointer<UInt8>, step: Int, _ weights: UnsafePointer<Int8>) {
    tap(from, step: step, weights)
    tap(from + step, step: step, weights + 64)
  }

  @inlinable @inline(__always)
  public func store(_ to: UnsafeMutablePointer<UInt8>, step: Int, plane: Int, _ output: Requantisation, plain: Bool) {
    let p = output.apply(a, I.self, channel: 0, plain: plain)
    let q = output.apply(b, I.self, channel: 0, plain: plain)
    if plain {
      I.store(p, q, to, inner: step)
    } else {
      I.store(p, q, to, inner: step, range: output.range)
    }
  }

  @inlinable @inline(__always)
  public func storeSums(_ to: UnsafeMutablePointer<Int32>, step: Int) {
    I.store(a, to)
    I.store(b, to + step)
  }
}

/// Two pixels by thirty-two channels.
public struct TwoWidePixels<Bytes: PixelBytes>: SumTile {
  public typealias Instructions = Bytes.Instructions
  public typealias Rest = Self
  @usableFromInline typealias I = Instructions
  /// Pixel, then block.
  @usableFromInline var a0, a1, b0, b1: Instructions.Sums

  @inlinable @inline(__always) public static var pixels: Int { 2 }
  @inlinable @inline(__always) public static var blocks: Int { 2 }

  @inlinable @inline(__always) public init(bias: UnsafePointer<Int32>, offset: Int32) {
    a0 = I.add(I.sums(bias), I.splat(offset))
    a1 = I.add(I.sums(bias + 16), I.splat(offset))
    b0 = a0
    b1 = a1
  }

  @inlinable @inline(__always)
  public mutating func tap(_ from: UnsafePointer<UInt8>, step: Int, _ weights: UnsafePointer<Int8>) {
    let w0 = I.weights(weights)
    let w1 = I.weights(weights + 64)
    let p0 = Bytes.load(from)
    let p1 = Bytes.load(from + step)
    Bytes.accumulate(&a0, p0, w0)
    Bytes.accumulate(&a1, p0, w1)
    Bytes.accumulate(&b0, p1, w0)
    Bytes.accumulate(&b1, p1, w1)
  }

  @inlinable @inline(__always)
  public mutating func threeTaps(_ from: UnsafePointer<UInt8>, step: Int, _ weights: UnsafePointer<Int8>) {
    tap(from, step: step, weights)
    tap(from + step, step: step, weights + 128)
    tap(from + 2 &* step, step: step, weights + 256)
  }

  @inlinable @inline(__always)
  public mutating func twoTaps(_ from: UnsafePointer<UInt8>, step: Int, _ weights: UnsafePointer<Int8>) {
    tap(from, step: step, weights)
    tap(from + step, step: step, weights + 128)
  }

  @inlinable @inline(__always)
  public func store(_ to: UnsafeMutablePointer<UInt8>, step: Int, plane: Int, _ output: Requantisation, plain: Bool) {
    let p = output.apply(a0, I.self, channel: 0, plain: plain)
    let q = output.apply(a1, I.self, channel: 16, plain: plain)
    let r = output.apply(b0, I.self, channel: 0, plain: plain)
    let s = output.apply(b1, I.self, channel: 16, plain: plain)
    if plain {
      I.store(p, q, r, s, to, inner: 16, outer: step)
    } else {
      I.store(p, q, r, s, to, inner: 16, outer: step, range: output.range)
    }
  }

  @inlinable @inline(__always)
  public func storeSums(_ to: UnsafeMutablePointer<Int32>, step: Int) {
    I.store(a0, to)
    I.store(a1, to + 16)
    I.store(b0, to + step)
    I.store(b1, to + step + 16)
  }
}

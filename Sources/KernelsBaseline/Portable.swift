#if !arch(x86_64) && !arch(arm64)
  import Foundation
  import KernelBody

  /// Plain Swift, for processors without kernels of their own.
  struct Portable: PairedInstructionSet {
    struct Sixteen<Lane: SIMDScalar> {
      var a, b, c, d: SIMD4<Lane>

      @inline(__always)
      func map<Other>(_ body: (SIMD4<Lane>) -> SIMD4<Other>) -> Sixteen<Other> {
        Sixteen<Other>(a: body(a), b: body(b), c: body(c), d: body(d))
      }
      @inline(__always)
      func zip(_ other: Sixteen, _ body: (SIMD4<Lane>, SIMD4<Lane>) -> SIMD4<Lane>) -> Sixteen {
        Sixteen(a: body(a, other.a), b: body(b, other.b), c: body(c, other.c), d: body(d, other.d))
      }
    }

    typealias Sums = Sixteen<Int32>
    typealias Reals = Sixteen<Float>
    /// One group of four pixels for each place in a quarter.
    struct Pixels { var groups: (SIMD4<Int32>, SIMD4<Int32>, SIMD4<Int32>, SIMD4<Int32>) }
    typealias Weights = UnsafePointer<Int8>
    typealias Tile = TwoPixels<FourBytes<Portable>>
    typealias WideTile = TwoPixels<FourBytes<Portable>>
    typealias FewTile = FourPixels<SixteenBytes<Portable>>
    typealias QuadTile = FewTile

    @inline(__always) static var elementBytes: Int { 1 }
    @inline(__always) static var peakStep: Int { 4 }

    @inline(__always) static func load<Lane: SIMDScalar>(_ from: UnsafePointer<Lane>) -> Sixteen<Lane> {
      let four = UnsafeRawPointer(from)
      let bytes = MemoryLayout<SIMD4<Lane>>.size
      return Sixteen(
        a: four.loadUnaligned(as: SIMD4<Lane>.self), b: (four + bytes).loadUnaligned(as: SIMD4<Lane>.self),
        c: (four + 2 * bytes).loadUnaligned(as: SIMD4<Lane>.self),
        d: (four + 3 * bytes).loadUnaligned(as: SIMD4<Lane>.self))
    }
    @inline(__always) static func lane(_ sums: Sums, _ index: Int) -> Int32 {
      switch index / 4 {
      case 0: sums.a[index % 4]
      case 1: sums.b[index % 4]
      case 2: sums.c[index % 4]
      default: sums.d[index % 4]
      }
    }

    @inline(__always) static func sums(_ from: UnsafePointer<Int32>) -> Sums { load(from) }
    @inline(__always) static func reals(_ from: UnsafePointer<Float>) -> Reals { load(from) }
    @inline(__always) static func store(_ sums: Sums, _ to: UnsafeMutablePointer<Int32>) {
      for index in 0..<16 { to[index] = lane(sums, index) }
    }
    @inline(__always) static func splat(_ value: Int32) -> Sums {
      Sums(
        a: .init(repeating: value), b: .init(repeating: value), c: .init(repeating: value), d: .init(repeating: value))
    }
    @inline(__always) static func splat(_ value: Float) -> Reals {
      Reals(
        a: .init(repeating: value), b: .init(repeating: value), c: .init(repeating: value), d: .init(repeating: value))
    }
    @inline(__always) static func weights(_ from: UnsafePointer<Int8>) -> Weights { from }
    @inline(__always) private static func group(_ from: UnsafePointer<UInt8>) -> SIMD4<Int32> {
      SIMD4(Int32(from[0]), Int32(from[1]), Int32(from[2]), Int32(from[3]))
    }
    @inline(__always) static func four(_ from: UnsafePointer<UInt8>) -> Pixels {
      let all = group(from)
      return Pixels(groups: (all, all, all, all))
    }
    @inline(__always) static func sixteen(_ from: UnsafePointer<UInt8>) -> Pixels {
      Pixels(groups: (group(from), group(from + 4), group(from + 8), group(from + 12)))
    }
    @inline(__always) static func accumulate(_ sums: inout Sums, _ pixels: Pixels, _ weights: Weights) {
      accumulate(&sums.a, pixels, weights)
      accumulate(&sums.b, pixels, weights + 16)
      accumulate(&sums.c, pixels, weights + 32)
      accumulate(&sums.d, pixels, weights + 48)
    }
    @inline(__always)
    private static func accumulate(_ sums: inout SIMD4<Int32>, _ pixels: Pixels, _ weights: Weights) {
      sums[0] &+= dot(pixels.groups.0, weights)
      sums[1] &+= dot(pixels.groups.1, weights + 4)
      sums[2] &+= dot(pixels.groups.2, weights + 8)
      sums[3] &+= dot(pixels.groups.3, weights + 12)
    }
    @inline(__always) private static func dot(_ pixels: SIMD4<Int32>, _ weights: Weights) -> Int32 {
      (pixels &* SIMD4(Int32(weights[0]), Int32(weights[1]), Int32(weights[2]), Int32(weights[3]))).wrappedSum()
    }

    @inline(__always) static func real(_ sums: Sums) -> Reals { sums.map { SIMD4<Float>($0) } }
    @inline(__always) static func whole(_ reals: Reals) -> Sums {
      reals.map { four in
        SIMD4(nearest(four[0]), nearest(four[1]), nearest(four[2]), nearest(four[3]))
      }
    }
    /// What x86 gives for what does not fit, so that not even nonsense differs between levels.
    @inline(__always) private static func nearest(_ value: Float) -> Int32 {
      Int32(exactly: value.rounded(.toNearestOrEven)) ?? .min
    }
    @inline(__always) static func rounded(_ reals: Reals) -> Reals { reals.map { $0.rounded(.toNearestOrEven) } }
    @inline(__always) static func multiply(_ a: Reals, _ b: Reals) -> Reals { a.zip(b) { $0 * $1 } }
    @inline(__always) static func add(_ a: Reals, _ b: Reals) -> Reals { a.zip(b) { $0 + $1 } }
    @inline(__always) static func least(_ a: Reals, _ b: Reals) -> Reals {
      a.zip(b) { $1.replacing(with: $0, where: $0 .< $1) }
    }
    @inline(__always) static func greatest(_ a: Reals, _ b: Reals) -> Reals {
      a.zip(b) { $1.replacing(with: $0, where: $0 .> $1) }
    }
    @inline(__always) static func add(_ a: Sums, _ b: Sums) -> Sums { a.zip(b) { $0 &+ $1 } }
    @inline(__always) static func shiftLeft(_ a: Sums, by count: Int32) -> Sums {
      a.map { $0 &<< SIMD4(repeating: count) }
    }
    @inline(__always) static func shiftRight(_ a: Sums, by count: Int32) -> Sums {
      a.map { $0 &>> SIMD4(repeating: count) }
    }

    @inline(__always) private static func code(_ value: Int32, _ range: CodeRange) -> UInt8 {
      let shifted = Int(value) + Int(range.zeroPoint)
      return UInt8(min(max(shifted, Int(range.low)), Int(range.high)))
    }
    @inline(__always)
    private static func store(_ a: Sums, _ to: UnsafeMutablePointer<UInt8>, _ range: CodeRange) {
      for index in 0..<16 { to[index] = code(lane(a, index), range) }
    }
    @inline(__always) static func store(_ a: Sums, _ b: Sums, _ to: UnsafeMutablePointer<UInt8>, inner: Int) {
      store(a, b, to, inner: inner, range: CodeRange(zeroPoint: 0, low: 0, high: 255))
    }
    @inline(__always)
    static func store(_ a: Sums, _ b: Sums, _ to: UnsafeMutablePointer<UInt8>, inner: Int, range: CodeRange) {
      store(a, to, range)
      store(b, to + inner, range)
    }

    @inline(__always) static func gather(_ a: Sums, _ b: Sums, _ c: Sums, _ d: Sums) -> Sums {
      func pixels(_ output: KeyPath<Sums, SIMD4<Int32>>) -> SIMD4<Int32> {
        SIMD4(
          a[keyPath: output].wrappedSum(), b[keyPath: output].wrappedSum(), c[keyPath: output].wrappedSum(),
          d[keyPath: output].wrappedSum())
      }
      return Sums(a: pixels(\.a), b: pixels(\.b), c: pixels(\.c), d: pixels(\.d))
    }
    @inline(__always) private static func pair(_ a: SIMD4<Int32>, _ b: SIMD4<Int32>) -> (SIMD4<Int32>, SIMD4<Int32>) {
      (SIMD4(a[0], b[0], a[1], b[1]), SIMD4(a[2], b[2], a[3], b[3]))
    }
    @inline(__always) static func upperRow(_ a: Sums, _ b: Sums) -> Sums {
      let (left, right) = (pair(a.a, a.b), pair(b.a, b.b))
      return Sums(a: left.0, b: left.1, c: right.0, d: right.1)
    }
    @inline(__always) static func lowerRow(_ a: Sums, _ b: Sums) -> Sums {
      let (left, right) = (pair(a.c, a.d), pair(b.c, b.d))
      return Sums(a: left.0, b: left.1, c: right.0, d: right.1)
    }
    @inline(__always)
    private static func twice<Sample: FixedWidthInteger & UnsignedInteger>(
      samples: UnsafePointer<Sample>
    ) -> Sums {
      func pair(_ index: Int) -> SIMD4<Int32> {
        let (left, right) = (Int32(samples[index]), Int32(samples[index + 1]))
        return SIMD4(left, left, right, right)
      }
      return Sums(a: pair(0), b: pair(2), c: pair(4), d: pair(6))
    }
    @inline(__always)
    private static func once<Sample: FixedWidthInteger & UnsignedInteger>(
      samples: UnsafePointer<Sample>
    ) -> Sums {
      func four(_ index: Int) -> SIMD4<Int32> {
        SIMD4(
          Int32(samples[index]), Int32(samples[index + 1]), Int32(samples[index + 2]), Int32(samples[index + 3]))
      }
      return Sums(a: four(0), b: four(4), c: four(8), d: four(12))
    }
    @inline(__always) static func once(_ from: UnsafePointer<UInt8>) -> Sums { once(samples: from) }
    @inline(__always) static func once(_ from: UnsafePointer<UInt16>) -> Sums { once(samples: from) }
    @inline(__always) static func twice(_ from: UnsafePointer<UInt8>) -> Sums { twice(samples: from) }
    @inline(__always) static func twice(_ from: UnsafePointer<UInt16>) -> Sums { twice(samples: from) }
    @inline(__always) static func store(_ sums: Sums, _ to: UnsafeMutablePointer<UInt8>, maximum: Int32) {
      for index in 0..<16 { to[index] = UInt8(min(max(lane(sums, index), 0), min(maximum, 255))) }
    }
    @inline(__always) static func store(_ sums: Sums, _ to: UnsafeMutablePointer<UInt16>, maximum: Int32) {
      for index in 0..<16 { to[index] = UInt16(min(max(lane(sums, index), 0), min(maximum, 65535))) }
    }
  }
#endif

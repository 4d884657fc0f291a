#if arch(arm64)
  import CKernelSupport
  import KernelBody

  /// What every 64-bit ARM processor has: 32 registers of 128 bits, four for sixteen lanes.
  struct NEON: WordInstructionSet {
    struct Sums { var a, b, c, d: SIMD4<Int32> }
    struct Reals { var a, b, c, d: SIMD4<Float> }
    /// Of each pair of elements that meets a pair of weights the first, and the second, for both halves of a register.
    struct Pixels { var first, second: SIMD8<Int16> }
    /// The same of weights, for eight outputs each.
    struct Weights { var first, second, laterFirst, laterSecond: SIMD8<Int16> }
    typealias Tile = FourPixels<FourBytes<NEON>>
    typealias WideTile = Tile
    typealias FewTile = FourPixels<SixteenBytes<NEON>>
    typealias QuadTile = FewTile
    typealias SquareTile = FourPixels<TwoWords<NEON>>
    struct Words { var a, b: SIMD8<Int16> }

    /// Products of unsigned with signed bytes are not among the instructions that all have.
    @inline(__always) static var elementBytes: Int { 2 }
    @inline(__always) static var peakStep: Int { 4 }

    @inline(__always)
    private static func each(_ v: Sums, _ body: (SIMD4<Int32>) -> SIMD4<Int32>) -> Sums {
      Sums(a: body(v.a), b: body(v.b), c: body(v.c), d: body(v.d))
    }
    @inline(__always)
    private static func each(
      _ v: Sums, _ w: Sums, _ body: (SIMD4<Int32>, SIMD4<Int32>) -> SIMD4<Int32>
    ) -> Sums {
      Sums(a: body(v.a, w.a), b: body(v.b, w.b), c: body(v.c, w.c), d: body(v.d, w.d))
    }
    @inline(__always)
    private static func each(_ v: Reals, _ w: Reals, _ body: (SIMD4<Float>, SIMD4<Float>) -> SIMD4<Float>) -> Reals {
      Reals(a: body(v.a, w.a), b: body(v.b, w.b), c: body(v.c, w.c), d: body(v.d, w.d))
    }
    @inline(__always) private static func load<Value: BitwiseCopyable>(
      _ from: UnsafeRawPointer, _: Value.Type = Value.self
    ) -> Value { from.loadUnaligned(as: Value.self) }
    @inline(__always) private static func store<Value: BitwiseCopyable>(_ value: Value, _ to: UnsafeMutableRawPointer) {
      to.storeBytes(of: value, as: Value.self)
    }

    @inline(__always) static func sums(_ from: UnsafePointer<Int32>) -> Sums {
      Sums(a: load(from), b: load(from + 4), c: load(from + 8), d: load(from + 12))
    }
    @inline(__always) static func store(_ sums: Sums, _ to: UnsafeMutablePointer<Int32>) {
      store(sums.a, UnsafeMutableRawPointer(to))
      store(sums.b, UnsafeMutableRawPointer(to + 4))
      store(sums.c, UnsafeMutableRawPointer(to + 8))
      store(sums.d, UnsafeMutableRawPointer(to + 12))
    }
    @inline(__always) static func splat(_ value: Int32) -> Sums {
      let all = vdupq_n_s32(value)
      return Sums(a: all, b: all, c: all, d: all)
    }
    @inline(__always) static func reals(_ from: UnsafePointer<Float>) -> Reals {
      Reals(a: load(from), b: load(from + 4), c: load(from + 8), d: load(from + 12))
    }
    @inline(__always) static func splat(_ value: Float) -> Reals {
      let all = vdupq_n_f32(value)
      return Reals(a: all, b: all, c: all, d: all)
    }
    @inline(__always) static func weights(_ from: UnsafePointer<Int8>) -> Weights {
      let (a, b) = (load(from, SIMD8<Int16>.self), load(from + 16, SIMD8<Int16>.self))
      let (c, d) = (load(from + 32, SIMD8<Int16>.self), load(from + 48, SIMD8<Int16>.self))
      return Weights(
        first: vuzp1q_s16(a, b), second: vuzp2q_s16(a, b), laterFirst: vuzp1q_s16(c, d), laterSecond: vuzp2q_s16(c, d))
    }
    @inline(__always) static func four(_ from: UnsafePointer<UInt8>) -> Pixels {
      Pixels(first: vdupq_n_s16(load(from)), second: vdupq_n_s16(load(from + 2)))
    }
    @inline(__always) static func sixteen(_ from: UnsafePointer<UInt8>) -> Pixels {
      let all = load(from, SIMD8<Int16>.self)
      return Pixels(first: vuzp1q_s16(all, all), second: vuzp2q_s16(all, all))
    }
    @inline(__always) static func accumulate(_ sums: inout Sums, _ pixels: Pixels, _ weights: Weights) {
      let (first, second) = (vget_low_s16(pixels.first), vget_low_s16(pixels.second))
      sums.a = vmlal_s16(vmlal_s16(sums.a, vget_low_s16(weights.first), first), vget_low_s16(weights.second), second)
      sums.b = vmlal_high_s16(
        vmlal_high_s16(sums.b, weights.first, pixels.first), weights.second, pixels.second)
      sums.c = vmlal_s16(
        vmlal_s16(sums.c, vget_low_s16(weights.laterFirst), first), vget_low_s16(weights.laterSecond), second)
      sums.d = vmlal_high_s16(
        vmlal_high_s16(sums.d, weights.laterFirst, pixels.first), weights.laterSecond, pixels.second)
    }

    @inline(__always) static func real(_ sums: Sums) -> Reals {
      Reals(a: vcvtq_f32_s32(sums.a), b: vcvtq_f32_s32(sums.b), c: vcvtq_f32_s32(sums.c), d: vcvtq_f32_s32(sums.d))
    }
    @inline(__always) static func whole(_ reals: Reals) -> Sums {
      Sums(
        a: vcvtnq_s32_f32(reals.a), b: vcvtnq_s32_f32(reals.b), c: vcvtnq_s32_f32(reals.c), d: vcvtnq_s32_f32(reals.d))
    }
    @inline(__always) static func rounded(_ reals: Reals) -> Reals {
      Reals(a: vrndnq_f32(reals.a), b: vrndnq_f32(reals.b), c: vrndnq_f32(reals.c), d: vrndnq_f32(reals.d))
    }
    // Swift never fuses a product with a sum: all levels round twice.
    @inline(__always) static func multiply(_ a: Reals, _ b: Reals) -> Reals { each(a, b) { $0 * $1 } }
    @inline(__always) static func add(_ a: Reals, _ b: Reals) -> Reals { each(a, b) { $0 + $1 } }
    @inline(__always) static func least(_ a: Reals, _ b: Reals) -> Reals { each(a, b) { vminq_f32($0, $1) } }
    @inline(__always) static func greatest(_ a: Reals, _ b: Reals) -> Reals { each(a, b) { vmaxq_f32($0, $1) } }
    @inline(__always) static func add(_ a: Sums, _ b: Sums) -> Sums { each(a, b) { $0 &+ $1 } }
    @inline(__always) static func subtract(_ a: Sums, _ b: Sums) -> Sums { each(a, b) { $0 &- $1 } }
    @inline(__always) static func multiply(_ a: Sums, by factor: Int32) -> Sums {
      each(a) { vmulq_s32($0, vdupq_n_s32(factor)) }
    }
    @inline(__always) static func words(_ from: UnsafePointer<Int16>) -> Words {
      Words(a: load(from), b: load(from + 8))
    }
    @inline(__always) static func store(_ words: Words, _ to: UnsafeMutablePointer<Int16>) {
      store(words.a, UnsafeMutableRawPointer(to))
      store(words.b, UnsafeMutableRawPointer(to + 8))
    }
    @inline(__always) static func add(_ a: Words, _ b: Words) -> Words { Words(a: a.a &+ b.a, b: a.b &+ b.b) }
    @inline(__always) static func subtract(_ a: Words, _ b: Words) -> Words { Words(a: a.a &- b.a, b: a.b &- b.b) }
    @inline(__always) static func fourTimes(_ a: Words) -> Words { Words(a: a.a &<< 2, b: a.b &<< 2) }
    @inline(__always) static func shiftLeft(_ a: Sums, by count: Int32) -> Sums {
      each(a) { vshlq_s32($0, vdupq_n_s32(count)) }
    }
    @inline(__always) static func shiftRight(_ a: Sums, by count: Int32) -> Sums {
      each(a) { vshlq_s32($0, vdupq_n_s32(0 &- count)) }
    }

    @inline(__always)
    private static func store(_ sums: Sums, _ to: UnsafeMutablePointer<UInt8>, zero: Int16, low: Int16, high: Int16) {
      func words(_ left: SIMD4<Int32>, _ right: SIMD4<Int32>) -> SIMD8<Int16> {
        let sum = vqaddq_s16(vcombine_s16(vqmovn_s32(left), vqmovn_s32(right)), vdupq_n_s16(zero))
        return vminq_s16(vmaxq_s16(sum, vdupq_n_s16(low)), vdupq_n_s16(high))
      }
      store(words(sums.a, sums.b), UnsafeMutableRawPointer(to))
      store(words(sums.c, sums.d), UnsafeMutableRawPointer(to + 16))
    }
    @inline(__always) static func store(_ a: Sums, _ b: Sums, _ to: UnsafeMutablePointer<UInt8>, inner: Int) {
      store(a, to, zero: 0, low: 0, high: 255)
      store(b, to + inner, zero: 0, low: 0, high: 255)
    }
    @inline(__always)
    static func store(_ a: Sums, _ b: Sums, _ to: UnsafeMutablePointer<UInt8>, inner: Int, range: CodeRange) {
      store(a, to, zero: range.zeroPoint, low: Int16(range.low), high: Int16(range.high))
      store(b, to + inner, zero: range.zeroPoint, low: Int16(range.low), high: Int16(range.high))
    }

    @inline(__always) static func gather(_ a: Sums, _ b: Sums, _ c: Sums, _ d: Sums) -> Sums {
      each(each(a, b) { vpaddq_s32($0, $1) }, each(c, d) { vpaddq_s32($0, $1) }) { vpaddq_s32($0, $1) }
    }
    @inline(__always) static func upperRow(_ a: Sums, _ b: Sums) -> Sums {
      Sums(a: vzip1q_s32(a.a, a.b), b: vzip2q_s32(a.a, a.b), c: vzip1q_s32(b.a, b.b), d: vzip2q_s32(b.a, b.b))
    }
    @inline(__always) static func lowerRow(_ a: Sums, _ b: Sums) -> Sums {
      Sums(a: vzip1q_s32(a.c, a.d), b: vzip2q_s32(a.c, a.d), c: vzip1q_s32(b.c, b.d), d: vzip2q_s32(b.c, b.d))
    }
    @inline(__always) private static func four(_ words: SIMD4<UInt16>) -> SIMD4<Int32> {
      vreinterpretq_s32_u32(vmovl_u16(words))
    }
    @inline(__always) private static func once(_ low: SIMD8<UInt16>, _ high: SIMD8<UInt16>) -> Sums {
      Sums(
        a: four(vget_low_u16(low)), b: four(vget_high_u16(low)), c: four(vget_low_u16(high)),
        d: four(vget_high_u16(high)))
    }
    @inline(__always) static func once(_ from: UnsafePointer<UInt8>) -> Sums {
      once(vmovl_u8(load(from)), vmovl_u8(load(from + 8)))
    }
    @inline(__always) static func once(_ from: UnsafePointer<UInt16>) -> Sums { once(load(from), load(from + 8)) }
    @inline(__always) private static func twice(_ words: SIMD8<UInt16>) -> Sums {
      let (low, high) = (four(vget_low_u16(words)), four(vget_high_u16(words)))
      return Sums(
        a: vzip1q_s32(low, low), b: vzip2q_s32(low, low), c: vzip1q_s32(high, high), d: vzip2q_s32(high, high))
    }
    @inline(__always) static func twice(_ from: UnsafePointer<UInt8>) -> Sums { twice(vmovl_u8(load(from))) }
    @inline(__always) static func twice(_ from: UnsafePointer<UInt16>) -> Sums { twice(load(from, SIMD8<UInt16>.self)) }
    @inline(__always) private static func words(_ a: SIMD4<Int32>, _ b: SIMD4<Int32>, _ maximum: Int32) -> SIMD8<UInt16>
    {
      let most = vdupq_n_s32(maximum)
      return vcombine_u16(vqmovun_s32(vminq_s32(a, most)), vqmovun_s32(vminq_s32(b, most)))
    }
    @inline(__always) static func store(_ sums: Sums, _ to: UnsafeMutablePointer<UInt8>, maximum: Int32) {
      let most = maximum < 255 ? maximum : 255
      store(
        vcombine_u8(vmovn_u16(words(sums.a, sums.b, most)), vmovn_u16(words(sums.c, sums.d, most))),
        UnsafeMutableRawPointer(to))
    }
    @inline(__always) static func store(_ sums: Sums, _ to: UnsafeMutablePointer<UInt16>, maximum: Int32) {
      store(words(sums.a, sums.b, maximum), UnsafeMutableRawPointer(to))
      store(words(sums.c, sums.d, maximum), UnsafeMutableRawPointer(to + 8))
    }
  }
#endif

#if arch(x86_64)
  import CKernelSupport
  import KernelBody

  /// What every x86-64 processor has: 128-bit registers, four for sixteen lanes.
  struct SSE2: WordInstructionSet {
    struct Sums { var a, b, c, d: SIMD2<Int64> }
    struct Reals { var a, b, c, d: SIMD4<Float> }
    typealias Pixels = SIMD2<Int64>
    typealias Weights = Sums
    typealias Tile = TwoPixels<FourBytes<SSE2>>
    typealias WideTile = Tile
    typealias FewTile = FourPixels<SixteenBytes<SSE2>>
    typealias QuadTile = FewTile
    typealias SquareTile = TwoPixels<TwoWords<SSE2>>
    struct Words { var a, b: SIMD2<Int64> }

    /// SSE2 has no products of bytes.
    @inline(__always) static var elementBytes: Int { 2 }
    @inline(__always) static var peakStep: Int { 4 }

    @inline(__always)
    private static func each(_ value: Sums, _ body: (SIMD2<Int64>) -> SIMD2<Int64>) -> Sums {
      Sums(a: body(value.a), b: body(value.b), c: body(value.c), d: body(value.d))
    }
    @inline(__always)
    private static func each(_ v: Reals, _ w: Reals, _ body: (SIMD4<Float>, SIMD4<Float>) -> SIMD4<Float>) -> Reals {
      Reals(a: body(v.a, w.a), b: body(v.b, w.b), c: body(v.c, w.c), d: body(v.d, w.d))
    }
    @inline(__always) private static func load(_ from: UnsafeRawPointer) -> SIMD2<Int64> {
      _mm_loadu_si128(from.assumingMemoryBound(to: __m128i.self))
    }
    @inline(__always) private static func store(_ value: SIMD2<Int64>, _ to: UnsafeMutableRawPointer) {
      _mm_storeu_si128(to.assumingMemoryBound(to: __m128i.self), value)
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
      let all = _mm_set1_epi32(value)
      return Sums(a: all, b: all, c: all, d: all)
    }
    @inline(__always) static func reals(_ from: UnsafePointer<Float>) -> Reals {
      Reals(a: _mm_loadu_ps(from), b: _mm_loadu_ps(from + 4), c: _mm_loadu_ps(from + 8), d: _mm_loadu_ps(from + 12))
    }
    @inline(__always) static func splat(_ value: Float) -> Reals {
      let all = _mm_set1_ps(value)
      return Reals(a: all, b: all, c: all, d: all)
    }
    @inline(__always) static func weights(_ from: UnsafePointer<Int8>) -> Weights {
      Sums(a: load(from), b: load(from + 16), c: load(from + 32), d: load(from + 48))
    }
    @inline(__always) static func four(_ from: UnsafePointer<UInt8>) -> Pixels { pipe_load_broadcast32_128(from) }
    @inline(__always) static func sixteen(_ from: UnsafePointer<UInt8>) -> Pixels { load(from) }
    @inline(__always) static func accumulate(_ sums: inout Sums, _ pixels: Pixels, _ weights: Weights) {
      sums.a = _mm_add_epi32(sums.a, _mm_madd_epi16(pixels, weights.a))
      sums.b = _mm_add_epi32(sums.b, _mm_madd_epi16(pixels, weights.b))
      sums.c = _mm_add_epi32(sums.c, _mm_madd_epi16(pixels, weights.c))
      sums.d = _mm_add_epi32(sums.d, _mm_madd_epi16(pixels, weights.d))
    }

    @inline(__always) static func real(_ sums: Sums) -> Reals {
      Reals(
        a: _mm_cvtepi32_ps(sums.a), b: _mm_cvtepi32_ps(sums.b), c: _mm_cvtepi32_ps(sums.c), d: _mm_cvtepi32_ps(sums.d))
    }
    @inline(__always) static func whole(_ reals: Reals) -> Sums {
      Sums(
        a: _mm_cvtps_epi32(reals.a), b: _mm_cvtps_epi32(reals.b), c: _mm_cvtps_epi32(reals.c),
        d: _mm_cvtps_epi32(reals.d))
    }
    @inline(__always) static func rounded(_ reals: Reals) -> Reals { real(whole(reals)) }
    @inline(__always) static func multiply(_ a: Reals, _ b: Reals) -> Reals { each(a, b) { _mm_mul_ps($0, $1) } }
    @inline(__always) static func add(_ a: Reals, _ b: Reals) -> Reals { each(a, b) { _mm_add_ps($0, $1) } }
    @inline(__always) static func least(_ a: Reals, _ b: Reals) -> Reals { each(a, b) { _mm_min_ps($0, $1) } }
    @inline(__always) static func greatest(_ a: Reals, _ b: Reals) -> Reals { each(a, b) { _mm_max_ps($0, $1) } }
    @inline(__always) static func add(_ a: Sums, _ b: Sums) -> Sums {
      Sums(
        a: _mm_add_epi32(a.a, b.a), b: _mm_add_epi32(a.b, b.b), c: _mm_add_epi32(a.c, b.c), d: _mm_add_epi32(a.d, b.d))
    }
    @inline(__always) static func subtract(_ a: Sums, _ b: Sums) -> Sums {
      Sums(
        a: _mm_sub_epi32(a.a, b.a), b: _mm_sub_epi32(a.b, b.b), c: _mm_sub_epi32(a.c, b.c), d: _mm_sub_epi32(a.d, b.d))
    }
    @inline(__always) static func multiply(_ a: Sums, by factor: Int32) -> Sums {
      let factor = _mm_set1_epi32(factor)
      return each(a) { pipe_multiply128($0, factor) }
    }
    @inline(__always) static func words(_ from: UnsafePointer<Int16>) -> Words {
      Words(a: load(from), b: load(from + 8))
    }
    @inline(__always) static func store(_ words: Words, _ to: UnsafeMutablePointer<Int16>) {
      store(words.a, UnsafeMutableRawPointer(to))
      store(words.b, UnsafeMutableRawPointer(to + 8))
    }
    @inline(__always) static func add(_ a: Words, _ b: Words) -> Words {
      Words(a: _mm_add_epi16(a.a, b.a), b: _mm_add_epi16(a.b, b.b))
    }
    @inline(__always) static func subtract(_ a: Words, _ b: Words) -> Words {
      Words(a: _mm_sub_epi16(a.a, b.a), b: _mm_sub_epi16(a.b, b.b))
    }
    @inline(__always) static func fourTimes(_ a: Words) -> Words {
      let two = _mm_cvtsi32_si128(2)
      return Words(a: _mm_sll_epi16(a.a, two), b: _mm_sll_epi16(a.b, two))
    }
    @inline(__always) static func shiftLeft(_ a: Sums, by count: Int32) -> Sums {
      each(a) { _mm_sll_epi32($0, _mm_cvtsi32_si128(count)) }
    }
    @inline(__always) static func shiftRight(_ a: Sums, by count: Int32) -> Sums {
      each(a) { _mm_sra_epi32($0, _mm_cvtsi32_si128(count)) }
    }

    @inline(__always)
    private static func store(_ sums: Sums, _ to: UnsafeMutablePointer<UInt8>, zero: Int16, low: Int16, high: Int16) {
      let zero = _mm_set1_epi16(zero)
      let (low, high) = (_mm_set1_epi16(low), _mm_set1_epi16(high))
      let left = _mm_adds_epi16(_mm_packs_epi32(sums.a, sums.b), zero)
      let right = _mm_adds_epi16(_mm_packs_epi32(sums.c, sums.d), zero)
      store(_mm_min_epi16(_mm_max_epi16(left, low), high), UnsafeMutableRawPointer(to))
      store(_mm_min_epi16(_mm_max_epi16(right, low), high), UnsafeMutableRawPointer(to + 16))
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
      Sums(
        a: gather(a.a, b.a, c.a, d.a), b: gather(a.b, b.b, c.b, d.b), c: gather(a.c, b.c, c.c, d.c),
        d: gather(a.d, b.d, c.d, d.d))
    }
    @inline(__always)
    private static func gather(
      _ a: SIMD2<Int64>, _ b: SIMD2<Int64>, _ c: SIMD2<Int64>, _ d: SIMD2<Int64>
    ) -> SIMD2<Int64> {
      let ab = _mm_add_epi32(_mm_unpacklo_epi32(a, b), _mm_unpackhi_epi32(a, b))
      let cd = _mm_add_epi32(_mm_unpacklo_epi32(c, d), _mm_unpackhi_epi32(c, d))
      return _mm_add_epi32(_mm_unpacklo_epi64(ab, cd), _mm_unpackhi_epi64(ab, cd))
    }
    @inline(__always) static func upperRow(_ a: Sums, _ b: Sums) -> Sums {
      Sums(
        a: _mm_unpacklo_epi32(a.a, a.b), b: _mm_unpackhi_epi32(a.a, a.b), c: _mm_unpacklo_epi32(b.a, b.b),
        d: _mm_unpackhi_epi32(b.a, b.b))
    }
    @inline(__always) static func lowerRow(_ a: Sums, _ b: Sums) -> Sums {
      Sums(
        a: _mm_unpacklo_epi32(a.c, a.d), b: _mm_unpackhi_epi32(a.c, a.d), c: _mm_unpacklo_epi32(b.c, b.d),
        d: _mm_unpackhi_epi32(b.c, b.d))
    }
    @inline(__always) static func once(_ from: UnsafePointer<UInt8>) -> Sums {
      let (bytes, zero) = (load(from), _mm_setzero_si128())
      return once(_mm_unpacklo_epi8(bytes, zero), _mm_unpackhi_epi8(bytes, zero))
    }
    @inline(__always) static func once(_ from: UnsafePointer<UInt16>) -> Sums { once(load(from), load(from + 8)) }
    @inline(__always) private static func once(_ low: SIMD2<Int64>, _ high: SIMD2<Int64>) -> Sums {
      let zero = _mm_setzero_si128()
      return Sums(
        a: _mm_unpacklo_epi16(low, zero), b: _mm_unpackhi_epi16(low, zero), c: _mm_unpacklo_epi16(high, zero),
        d: _mm_unpackhi_epi16(high, zero))
    }
    @inline(__always) static func twice(_ from: UnsafePointer<UInt8>) -> Sums {
      twice(
        _mm_unpacklo_epi8(
          _mm_loadl_epi64(UnsafeRawPointer(from).assumingMemoryBound(to: __m128i.self)), _mm_setzero_si128()))
    }
    @inline(__always) static func twice(_ from: UnsafePointer<UInt16>) -> Sums { twice(load(from)) }
    @inline(__always) private static func twice(_ words: SIMD2<Int64>) -> Sums {
      let low = _mm_unpacklo_epi16(words, _mm_setzero_si128())
      let high = _mm_unpackhi_epi16(words, _mm_setzero_si128())
      return Sums(
        a: pipe_twice_low128(low), b: pipe_twice_high128(low), c: pipe_twice_low128(high), d: pipe_twice_high128(high))
    }
    @inline(__always) static func store(_ sums: Sums, _ to: UnsafeMutablePointer<UInt8>, maximum: Int32) {
      store(
        _mm_packus_epi16(_mm_packs_epi32(sums.a, sums.b), _mm_packs_epi32(sums.c, sums.d)), UnsafeMutableRawPointer(to))
    }
    @inline(__always) static func store(_ sums: Sums, _ to: UnsafeMutablePointer<UInt16>, maximum: Int32) {
      let clipped = each(sums) { pipe_min128($0, _mm_set1_epi32(maximum)) }
      let above = each(clipped) { _mm_and_si128($0, _mm_cmpgt_epi32($0, _mm_setzero_si128())) }
      store(pipe_pack_unsigned128(above.a, above.b), UnsafeMutableRawPointer(to))
      store(pipe_pack_unsigned128(above.c, above.d), UnsafeMutableRawPointer(to + 8))
    }
  }
#endif

#if arch(x86_64)
  import CKernelSupport
  import KernelBody

  /// 256-bit registers, two for sixteen lanes, with AVX2; `dot` and `storesWords` are this module's own.
  ///
  /// This file serves two modules, one without and one with dot product instructions: each needs a type of its own.
  struct Registers256: WordInstructionSet {
    // Tuples: a structure would bring functions to copy it, which other modules might come to share.
    typealias Sums = (low: SIMD4<Int64>, high: SIMD4<Int64>)
    typealias Reals = (low: SIMD8<Float>, high: SIMD8<Float>)
    typealias Pixels = SIMD4<Int64>
    typealias Weights = (low: SIMD4<Int64>, high: SIMD4<Int64>)
    typealias Tile = Three<TwoPixels<FourBytes<Registers256>>>
    typealias WideTile = Tile
    typealias FewTile = FourPixels<SixteenBytes<Registers256>>
    typealias QuadTile = FewTile
    typealias Words = SIMD4<Int64>
    typealias SquareTile = FourPixels<TwoWords<Registers256>>

    @inline(__always) static var elementBytes: Int { storesWords ? 2 : 1 }
    @inline(__always) static var peakStep: Int { 4 }

    @inline(__always) private static func load(_ from: UnsafeRawPointer) -> SIMD4<Int64> {
      _mm256_loadu_si256(from.assumingMemoryBound(to: __m256i.self))
    }
    @inline(__always) static func sums(_ from: UnsafePointer<Int32>) -> Sums {
      (low: load(from), high: load(from + 8))
    }
    @inline(__always) static func store(_ sums: Sums, _ to: UnsafeMutablePointer<Int32>) {
      store(sums.low, UnsafeMutableRawPointer(to))
      store(sums.high, UnsafeMutableRawPointer(to + 8))
    }
    @inline(__always) private static func store(_ value: SIMD4<Int64>, _ to: UnsafeMutableRawPointer) {
      _mm256_storeu_si256(to.assumingMemoryBound(to: __m256i.self), value)
    }
    @inline(__always) private static func store(_ value: SIMD2<Int64>, _ to: UnsafeMutableRawPointer) {
      _mm_storeu_si128(to.assumingMemoryBound(to: __m128i.self), value)
    }
    @inline(__always) static func splat(_ value: Int32) -> Sums {
      (low: _mm256_set1_epi32(value), high: _mm256_set1_epi32(value))
    }
    @inline(__always) static func reals(_ from: UnsafePointer<Float>) -> Reals {
      (low: _mm256_loadu_ps(from), high: _mm256_loadu_ps(from + 8))
    }
    @inline(__always) static func splat(_ value: Float) -> Reals {
      (low: _mm256_set1_ps(value), high: _mm256_set1_ps(value))
    }
    @inline(__always) static func weights(_ from: UnsafePointer<Int8>) -> Weights {
      (low: load(from), high: load(from + 32))
    }
    @inline(__always) static func four(_ from: UnsafePointer<UInt8>) -> Pixels { pipe_load_broadcast32_256(from) }
    @inline(__always) static func sixteen(_ from: UnsafePointer<UInt8>) -> Pixels {
      _mm256_broadcastsi128_si256(_mm_loadu_si128(UnsafeRawPointer(from).assumingMemoryBound(to: __m128i.self)))
    }
    @inline(__always) static func accumulate(_ sums: inout Sums, _ pixels: Pixels, _ weights: Weights) {
      sums.low = dot(sums.low, pixels, weights.low)
      sums.high = dot(sums.high, pixels, weights.high)
    }

    @inline(__always) static var codesOffset: Int32 { 0x4B00_0000 }
    @inline(__always) static func codes(_ sums: Sums, _ scales: Reals, _ offsets: Reals) -> Sums {
      whole(
        (
          low: _mm256_fmadd_ps(_mm256_castsi256_ps(sums.low), scales.low, offsets.low),
          high: _mm256_fmadd_ps(_mm256_castsi256_ps(sums.high), scales.high, offsets.high)
        ))
    }
    @inline(__always) static func real(_ sums: Sums) -> Reals {
      (low: _mm256_cvtepi32_ps(sums.low), high: _mm256_cvtepi32_ps(sums.high))
    }
    @inline(__always) static func whole(_ reals: Reals) -> Sums {
      (low: _mm256_cvtps_epi32(reals.low), high: _mm256_cvtps_epi32(reals.high))
    }
    @inline(__always) static func rounded(_ reals: Reals) -> Reals {
      (low: pipe_round256(reals.low), high: pipe_round256(reals.high))
    }
    @inline(__always) static func multiply(_ a: Reals, _ b: Reals) -> Reals {
      (low: _mm256_mul_ps(a.low, b.low), high: _mm256_mul_ps(a.high, b.high))
    }
    @inline(__always) static func add(_ a: Reals, _ b: Reals) -> Reals {
      (low: _mm256_add_ps(a.low, b.low), high: _mm256_add_ps(a.high, b.high))
    }
    @inline(__always) static func least(_ a: Reals, _ b: Reals) -> Reals {
      (low: _mm256_min_ps(a.low, b.low), high: _mm256_min_ps(a.high, b.high))
    }
    @inline(__always) static func greatest(_ a: Reals, _ b: Reals) -> Reals {
      (low: _mm256_max_ps(a.low, b.low), high: _mm256_max_ps(a.high, b.high))
    }
    @inline(__always) static func add(_ a: Sums, _ b: Sums) -> Sums {
      (low: _mm256_add_epi32(a.low, b.low), high: _mm256_add_epi32(a.high, b.high))
    }
    @inline(__always) static func subtract(_ a: Sums, _ b: Sums) -> Sums {
      (low: _mm256_sub_epi32(a.low, b.low), high: _mm256_sub_epi32(a.high, b.high))
    }
    @inline(__always) static func multiply(_ a: Sums, by factor: Int32) -> Sums {
      let factor = _mm256_set1_epi32(factor)
      return (low: _mm256_mullo_epi32(a.low, factor), high: _mm256_mullo_epi32(a.high, factor))
    }
    @inline(__always) static func words(elements: UnsafePointer<UInt8>) -> Words {
      if storesWords { return load(elements) }
      return _mm256_cvtepu8_epi16(_mm_loadu_si128(UnsafeRawPointer(elements).assumingMemoryBound(to: __m128i.self)))
    }
    @inline(__always) static func words(_ from: UnsafePointer<Int16>) -> Words { load(from) }
    @inline(__always) static func store(_ words: Words, _ to: UnsafeMutablePointer<Int16>) {
      store(words, UnsafeMutableRawPointer(to))
    }
    @inline(__always) static func add(_ a: Words, _ b: Words) -> Words { _mm256_add_epi16(a, b) }
    @inline(__always) static func subtract(_ a: Words, _ b: Words) -> Words { _mm256_sub_epi16(a, b) }
    @inline(__always) static func fourTimes(_ a: Words) -> Words { _mm256_sll_epi16(a, _mm_cvtsi32_si128(2)) }
    @inline(__always) static func accumulateWords(_ sums: inout Sums, _ pixels: Pixels, _ weights: Weights) {
      sums.low = dotWords(sums.low, pixels, weights.low)
      sums.high = dotWords(sums.high, pixels, weights.high)
    }
    @inline(__always) static func shiftLeft(_ a: Sums, by count: Int32) -> Sums {
      let count = _mm_cvtsi32_si128(count)
      return (low: _mm256_sll_epi32(a.low, count), high: _mm256_sll_epi32(a.high, count))
    }
    @inline(__always) static func shiftRight(_ a: Sums, by count: Int32) -> Sums {
      let count = _mm_cvtsi32_si128(count)
      return (low: _mm256_sra_epi32(a.low, count), high: _mm256_sra_epi32(a.high, count))
    }

    @inline(__always) static func store(_ a: Sums, _ b: Sums, _ to: UnsafeMutablePointer<UInt8>, inner: Int) {
      if storesWords {
        store(words: a, to, zero: 0, low: 0, high: 255)
        return store(words: b, to + inner, zero: 0, low: 0, high: 255)
      }
      scatter(
        _mm256_packus_epi16(_mm256_packs_epi32(a.low, a.high), _mm256_packs_epi32(b.low, b.high)), to, inner: inner)
    }
    @inline(__always)
    static func store(_ a: Sums, _ b: Sums, _ to: UnsafeMutablePointer<UInt8>, inner: Int, range: CodeRange) {
      if storesWords {
        store(words: a, to, zero: range.zeroPoint, low: Int16(range.low), high: Int16(range.high))
        return store(words: b, to + inner, zero: range.zeroPoint, low: Int16(range.low), high: Int16(range.high))
      }
      let zero = _mm256_set1_epi16(range.zeroPoint)
      var bytes = _mm256_packus_epi16(
        _mm256_adds_epi16(_mm256_packs_epi32(a.low, a.high), zero),
        _mm256_adds_epi16(_mm256_packs_epi32(b.low, b.high), zero))
      bytes = _mm256_max_epu8(bytes, _mm256_set1_epi8(CChar(bitPattern: range.low)))
      bytes = _mm256_min_epu8(bytes, _mm256_set1_epi8(CChar(bitPattern: range.high)))
      scatter(bytes, to, inner: inner)
    }
    @inline(__always)
    private static func store(words: Sums, _ to: UnsafeMutablePointer<UInt8>, zero: Int16, low: Int16, high: Int16) {
      let sums = _mm256_adds_epi16(_mm256_packs_epi32(words.low, words.high), _mm256_set1_epi16(zero))
      let clipped = _mm256_min_epi16(_mm256_max_epi16(sums, _mm256_set1_epi16(low)), _mm256_set1_epi16(high))
      store(pipe_swap_middle(clipped), UnsafeMutableRawPointer(to))
    }
    /// Puts two pixels' packed bytes in order and stores them.
    @inline(__always) private static func scatter(_ packed: SIMD4<Int64>, _ to: UnsafeMutablePointer<UInt8>, inner: Int)
    {
      let bytes = _mm256_permutevar8x32_epi32(packed, pairsOrder)
      if inner == 16 {
        store(bytes, UnsafeMutableRawPointer(to))
      } else {
        store(_mm256_castsi256_si128(bytes), UnsafeMutableRawPointer(to))
        store(pipe_upper_half(bytes), UnsafeMutableRawPointer(to + inner))
      }
    }
    @inline(__always) private static var pairsOrder: SIMD4<Int64> { _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7) }

    @inline(__always) static func gather(_ a: Sums, _ b: Sums, _ c: Sums, _ d: Sums) -> Sums {
      (low: gather(a.low, b.low, c.low, d.low), high: gather(a.high, b.high, c.high, d.high))
    }
    @inline(__always)
    private static func gather(
      _ a: SIMD4<Int64>, _ b: SIMD4<Int64>, _ c: SIMD4<Int64>, _ d: SIMD4<Int64>
    ) -> SIMD4<Int64> {
      let ab = _mm256_add_epi32(_mm256_unpacklo_epi32(a, b), _mm256_unpackhi_epi32(a, b))
      let cd = _mm256_add_epi32(_mm256_unpacklo_epi32(c, d), _mm256_unpackhi_epi32(c, d))
      return _mm256_add_epi32(_mm256_unpacklo_epi64(ab, cd), _mm256_unpackhi_epi64(ab, cd))
    }
    @inline(__always) static func upperRow(_ a: Sums, _ b: Sums) -> Sums {
      (low: _mm256_permutevar8x32_epi32(a.low, pairsOrder), high: _mm256_permutevar8x32_epi32(b.low, pairsOrder))
    }
    @inline(__always) static func lowerRow(_ a: Sums, _ b: Sums) -> Sums {
      (low: _mm256_permutevar8x32_epi32(a.high, pairsOrder), high: _mm256_permutevar8x32_epi32(b.high, pairsOrder))
    }
    @inline(__always) static func once(_ from: UnsafePointer<UInt8>) -> Sums {
      (low: eight(from), high: eight(from + 8))
    }
    @inline(__always) static func once(_ from: UnsafePointer<UInt16>) -> Sums {
      (low: eight(from), high: eight(from + 8))
    }
    @inline(__always) private static func eight(_ from: UnsafePointer<UInt8>) -> SIMD4<Int64> {
      _mm256_cvtepu8_epi32(_mm_loadl_epi64(UnsafeRawPointer(from).assumingMemoryBound(to: __m128i.self)))
    }
    @inline(__always) private static func eight(_ from: UnsafePointer<UInt16>) -> SIMD4<Int64> {
      _mm256_cvtepu16_epi32(_mm_loadu_si128(UnsafeRawPointer(from).assumingMemoryBound(to: __m128i.self)))
    }
    @inline(__always) static func twice(_ from: UnsafePointer<UInt8>) -> Sums {
      twice(eight(from))
    }
    @inline(__always) static func twice(_ from: UnsafePointer<UInt16>) -> Sums {
      twice(eight(from))
    }
    @inline(__always) private static func twice(_ once: SIMD4<Int64>) -> Sums {
      (
        low: _mm256_permutevar8x32_epi32(once, _mm256_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3)),
        high: _mm256_permutevar8x32_epi32(once, _mm256_setr_epi32(4, 4, 5, 5, 6, 6, 7, 7))
      )
    }
    @inline(__always) static func store(_ sums: Sums, _ to: UnsafeMutablePointer<UInt8>, maximum: Int32) {
      let words = pipe_swap_middle(_mm256_packs_epi32(sums.low, sums.high))
      store(_mm_packus_epi16(_mm256_castsi256_si128(words), pipe_upper_half(words)), UnsafeMutableRawPointer(to))
    }
    @inline(__always) static func store(_ sums: Sums, _ to: UnsafeMutablePointer<UInt16>, maximum: Int32) {
      let most = _mm256_set1_epi32(maximum)
      let words = _mm256_packus_epi32(_mm256_min_epi32(sums.low, most), _mm256_min_epi32(sums.high, most))
      store(pipe_swap_middle(words), UnsafeMutableRawPointer(to))
    }
  }
#endif

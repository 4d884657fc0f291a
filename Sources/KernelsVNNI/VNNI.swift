#if arch(x86_64)
  import CKernelSupport
  import KernelBody

  /// AVX-512 with VNNI: sixteen lanes a register, 32 registers, 64 products an instruction.
  struct VNNI: QuadInstructionSet {
    typealias Sums = SIMD8<Int64>
    typealias Reals = SIMD16<Float>
    typealias Pixels = SIMD8<Int64>
    typealias Weights = SIMD8<Int64>
    typealias Tile = Three<Two<FourPixels<FourBytes<VNNI>>>>
    typealias WideTile = Three<Two<TwoWidePixels<FourBytes<VNNI>>>>
    typealias FewTile = Three<Two<FourPixels<SixteenBytes<VNNI>>>>
    typealias QuadTile = Three<Two<SixteenPixels<VNNI>>>

    @inline(__always) static var elementBytes: Int { 1 }
    @inline(__always) static var hasQuads: Bool { true }
    @inline(__always) static var peakStep: Int { 0 }

    @inline(__always) static func sums(_ from: UnsafePointer<Int32>) -> Sums { _mm512_loadu_si512(from) }
    @inline(__always) static func store(_ sums: Sums, _ to: UnsafeMutablePointer<Int32>) {
      _mm512_storeu_si512(to, sums)
    }
    @inline(__always) static func splat(_ value: Int32) -> Sums { _mm512_set1_epi32(value) }
    @inline(__always) static func reals(_ from: UnsafePointer<Float>) -> Reals { _mm512_loadu_ps(from) }
    @inline(__always) static func splat(_ value: Float) -> Reals { _mm512_set1_ps(value) }
    @inline(__always) static func weights(_ from: UnsafePointer<Int8>) -> Weights { _mm512_loadu_si512(from) }
    @inline(__always) static func four(_ from: UnsafePointer<UInt8>) -> Pixels { pipe_load_broadcast32(from) }
    @inline(__always) static func sixteen(_ from: UnsafePointer<UInt8>) -> Pixels {
      _mm512_broadcast_i32x4(_mm_loadu_si128(UnsafeRawPointer(from).assumingMemoryBound(to: __m128i.self)))
    }
    @inline(__always) static func quads(_ from: UnsafePointer<UInt8>) -> Pixels { _mm512_loadu_si512(from) }
    @inline(__always) static func fourWeights(_ from: UnsafePointer<Int8>) -> Weights { pipe_load_broadcast32(from) }
    @inline(__always) static func accumulate(_ sums: inout Sums, _ pixels: Pixels, _ weights: Weights) {
      sums = _mm512_dpbusd_epi32(sums, pixels, weights)
    }

    @inline(__always) static var codesOffset: Int32 { 0x4B00_0000 }
    /// `FusedScale` says what the sums, scales and offsets are: each result is the bits of 1.5 · 2^23 + code.
    @inline(__always) static func codes(_ sums: Sums, _ scales: Reals, _ offsets: Reals) -> Sums {
      _mm512_castps_si512(_mm512_fmadd_ps(_mm512_castsi512_ps(sums), scales, offsets))
    }
    @inline(__always) static func real(_ sums: Sums) -> Reals { _mm512_cvtepi32_ps(sums) }
    @inline(__always) static func whole(_ reals: Reals) -> Sums { _mm512_cvtps_epi32(reals) }
    @inline(__always) static func rounded(_ reals: Reals) -> Reals { pipe_round512(reals) }
    @inline(__always) static func multiply(_ a: Reals, _ b: Reals) -> Reals { _mm512_mul_ps(a, b) }
    @inline(__always) static func add(_ a: Reals, _ b: Reals) -> Reals { _mm512_add_ps(a, b) }
    @inline(__always) static func least(_ a: Reals, _ b: Reals) -> Reals { _mm512_min_ps(a, b) }
    @inline(__always) static func greatest(_ a: Reals, _ b: Reals) -> Reals { _mm512_max_ps(a, b) }
    @inline(__always) static func add(_ a: Sums, _ b: Sums) -> Sums { _mm512_add_epi32(a, b) }
    @inline(__always) static func shiftLeft(_ a: Sums, by count: Int32) -> Sums {
      _mm512_sll_epi32(a, _mm_cvtsi32_si128(count))
    }
    @inline(__always) static func shiftRight(_ a: Sums, by count: Int32) -> Sums {
      _mm512_sra_epi32(a, _mm_cvtsi32_si128(count))
    }

    @inline(__always)
    static func store(
      _ a: Sums, _ b: Sums, _ c: Sums, _ d: Sums, _ to: UnsafeMutablePointer<UInt8>, inner: Int, outer: Int
    ) {
      let bytes = _mm512_permutexvar_epi32(pipe_unpack_order512(), codeBytes(a, b, c, d))
      scatter(bytes, to, inner: inner, outer: outer)
    }

    @inline(__always)
    static func store(
      _ a: Sums, _ b: Sums, _ c: Sums, _ d: Sums, _ to: UnsafeMutablePointer<UInt8>, inner: Int, outer: Int,
      range: CodeRange
    ) {
      let bytes = _mm512_permutexvar_epi32(pipe_unpack_order512(), codeBytes(a, b, c, d, range))
      scatter(bytes, to, inner: inner, outer: outer)
    }
    @inline(__always)
    static func store(
      _ a: Sums, _ b: Sums, _ c: Sums, _ d: Sums, _ to: UnsafeMutablePointer<UInt8>, plane: Int, _ range: CodeRange?
    ) {
      let bytes = range.map { codeBytes(a, b, c, d, $0) } ?? codeBytes(a, b, c, d)
      pipe_store_quarter0(to, bytes)
      pipe_store_quarter1(to + plane, bytes)
      pipe_store_quarter2(to + 2 &* plane, bytes)
      pipe_store_quarter3(to + 3 &* plane, bytes)
    }

    /// In each quarter four bytes of `a`, `b`, `c` and `d`, in that order.
    @inline(__always) private static func codeBytes(_ a: Sums, _ b: Sums, _ c: Sums, _ d: Sums) -> Sums {
      pipe_part_bytes512(_mm512_packus_epi16(pipe_join_words512(a, b), pipe_join_words512(c, d)))
    }
    @inline(__always)
    private static func codeBytes(_ a: Sums, _ b: Sums, _ c: Sums, _ d: Sums, _ range: CodeRange) -> Sums {
      let zero = _mm512_set1_epi16(range.zeroPoint)
      let bytes = _mm512_packus_epi16(
        _mm512_adds_epi16(_mm512_packs_epi32(a, b), zero), _mm512_adds_epi16(_mm512_packs_epi32(c, d), zero))
      return _mm512_min_epu8(
        _mm512_max_epu8(bytes, _mm512_set1_epi8(CChar(bitPattern: range.low))),
        _mm512_set1_epi8(CChar(bitPattern: range.high)))
    }

    @inline(__always)
    private static func scatter(_ bytes: Sums, _ to: UnsafeMutablePointer<UInt8>, inner: Int, outer: Int) {
      if inner == 16 && outer == 32 {
        _mm512_storeu_si512(to, bytes)
      } else {
        pipe_store_quarter0(to, bytes)
        pipe_store_quarter1(to + inner, bytes)
        pipe_store_quarter2(to + outer, bytes)
        pipe_store_quarter3(to + outer + inner, bytes)
      }
    }

    @inline(__always)
    static func gather(_ a: Sums, _ b: Sums, _ c: Sums, _ d: Sums) -> Sums {
      let ab = _mm512_add_epi32(_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b))
      let cd = _mm512_add_epi32(_mm512_unpacklo_epi32(c, d), _mm512_unpackhi_epi32(c, d))
      return _mm512_add_epi32(_mm512_unpacklo_epi64(ab, cd), _mm512_unpackhi_epi64(ab, cd))
    }
    @inline(__always) static func upperRow(_ a: Sums, _ b: Sums) -> Sums {
      _mm512_permutex2var_epi32(a, pipe_upper_row_order(), b)
    }
    @inline(__always) static func lowerRow(_ a: Sums, _ b: Sums) -> Sums {
      _mm512_permutex2var_epi32(a, pipe_lower_row_order(), b)
    }
    @inline(__always) static func once(_ from: UnsafePointer<UInt8>) -> Sums {
      _mm512_cvtepu8_epi32(_mm_loadu_si128(UnsafeRawPointer(from).assumingMemoryBound(to: __m128i.self)))
    }
    @inline(__always) static func once(_ from: UnsafePointer<UInt16>) -> Sums {
      _mm512_cvtepu16_epi32(_mm256_loadu_si256(UnsafeRawPointer(from).assumingMemoryBound(to: __m256i.self)))
    }
    @inline(__always) static func twice(_ from: UnsafePointer<UInt8>) -> Sums {
      let once = _mm512_cvtepu8_epi64(_mm_loadl_epi64(UnsafeRawPointer(from).assumingMemoryBound(to: __m128i.self)))
      return _mm512_or_si512(once, _mm512_sll_epi64(once, _mm_cvtsi32_si128(32)))
    }
    @inline(__always) static func twice(_ from: UnsafePointer<UInt16>) -> Sums {
      let once = _mm512_cvtepu16_epi64(_mm_loadu_si128(UnsafeRawPointer(from).assumingMemoryBound(to: __m128i.self)))
      return _mm512_or_si512(once, _mm512_sll_epi64(once, _mm_cvtsi32_si128(32)))
    }
    @inline(__always) static func pairs(_ from: UnsafePointer<UInt8>) -> Sums {
      _mm512_cvtepu8_epi16(_mm256_loadu_si256(UnsafeRawPointer(from).assumingMemoryBound(to: __m256i.self)))
    }
    @inline(__always) static func pairs(_ from: UnsafePointer<UInt16>) -> Sums { _mm512_loadu_si512(from) }
    @inline(__always) static func even(_ pairs: Sums) -> Sums { _mm512_and_si512(pairs, _mm512_set1_epi32(0xFFFF)) }
    @inline(__always) static func odd(_ pairs: Sums) -> Sums { _mm512_srli_epi32(pairs, 16) }
    @inline(__always)
    static func storePairs(
      _ a: Sums, _ b: Sums, _ c: Sums, _ d: Sums, _ upper: UnsafeMutablePointer<UInt8>,
      _ lower: UnsafeMutablePointer<UInt8>
    ) {
      let bytes = pipe_pair_bytes512(_mm512_packus_epi16(_mm512_packs_epi32(a, b), _mm512_packs_epi32(c, d)))
      pipe_store_half0(upper, bytes)
      pipe_store_half1(lower, bytes)
    }
    @inline(__always)
    static func storePairs(_ a: Sums, _ b: Sums, _ to: UnsafeMutablePointer<UInt16>, maximum: Int32) {
      func clipped(_ sums: Sums) -> Sums {
        _mm512_min_epi32(_mm512_max_epi32(sums, _mm512_setzero_si512()), _mm512_set1_epi32(maximum))
      }
      _mm512_storeu_si512(to, _mm512_or_si512(clipped(a), _mm512_slli_epi32(clipped(b), 16)))
    }
    @inline(__always)
    static func store(_ sums: Sums, _ to: UnsafeMutablePointer<UInt8>, maximum: Int32) {
      let bytes = _mm512_cvtusepi32_epi8(_mm512_max_epi32(sums, _mm512_setzero_si512()))
      _mm_storeu_si128(UnsafeMutableRawPointer(to).assumingMemoryBound(to: __m128i.self), bytes)
    }
    @inline(__always)
    static func store(_ sums: Sums, _ to: UnsafeMutablePointer<UInt16>, maximum: Int32) {
      let clipped = _mm512_min_epi32(_mm512_max_epi32(sums, _mm512_setzero_si512()), _mm512_set1_epi32(maximum))
      _mm256_storeu_si256(
        UnsafeMutableRawPointer(to).assumingMemoryBound(to: __m256i.self), _mm512_cvtepi32_epi16(clipped))
    }
  }
#endif

#if arch(x86_64)
  import CKernelSupport
  import KernelBody

  /// Adds products of unsigned bytes and signed weights in groups of four. Pairs are added in 16 bits, which saturates
  /// unless the weights were packed so that they cannot: `TapList.splitPairs`.
  @inline(__always) func dot(_ sums: SIMD4<Int64>, _ pixels: SIMD4<Int64>, _ weights: SIMD4<Int64>) -> SIMD4<Int64> {
    _mm256_add_epi32(sums, _mm256_madd_epi16(_mm256_maddubs_epi16(pixels, weights), _mm256_set1_epi16(1)))
  }

  public func convolveAVX2(_ job: UnsafePointer<ConvolutionRow>) { convolve(Registers256.self, job) }
  public func finishAVX2(_ job: UnsafePointer<FinishingRow>) { finish(Registers256.self, job) }
  public func multiplyAtPeakAVX2(
    _ pixels: UnsafePointer<UInt8>, _ weights: UnsafePointer<Int8>, _ sink: UnsafeMutablePointer<Int32>,
    _ iterations: Int
  ) -> Int {
    multiplyAtPeak(Registers256.self, pixels: pixels, weights: weights, sink: sink, iterations: iterations)
  }
#endif

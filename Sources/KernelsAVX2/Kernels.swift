#if arch(x86_64)
  import CKernelSupport
  import KernelBody

  /// Products of bytes are added in 16 bits here, which overflow with weights of eight bits. Products of 16-bit numbers
  /// take as many multiplications, two for 64 bytes' worth, and are always exact.
  @inline(__always) var storesWords: Bool { true }

  @inline(__always) func dot(_ sums: SIMD4<Int64>, _ pixels: SIMD4<Int64>, _ weights: SIMD4<Int64>) -> SIMD4<Int64> {
    dotWords(sums, pixels, weights)
  }

  @inline(__always) func dotWords(_ sums: SIMD4<Int64>, _ a: SIMD4<Int64>, _ b: SIMD4<Int64>) -> SIMD4<Int64> {
    _mm256_add_epi32(sums, _mm256_madd_epi16(a, b))
  }

  public func convolveAVX2(_ job: UnsafePointer<ConvolutionRow>) { convolve(Registers256.self, job) }
  public func convolveSquaresAVX2(_ job: UnsafePointer<SquareRows>) { convolveSquares(Registers256.self, job) }
  public func finishAVX2(_ job: UnsafePointer<FinishingRow>) { finish(Registers256.self, job) }
  public func multiplyAtPeakAVX2(
    _ pixels: UnsafePointer<UInt8>, _ weights: UnsafePointer<Int8>, _ sink: UnsafeMutablePointer<Int32>,
    _ iterations: Int
  ) -> Int {
    multiplyAtPeak(Registers256.self, pixels: pixels, weights: weights, sink: sink, iterations: iterations)
  }
#endif

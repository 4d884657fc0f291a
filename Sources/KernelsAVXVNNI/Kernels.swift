#if arch(x86_64)
  import CKernelSupport
  import KernelBody

  @inline(__always) var storesWords: Bool { false }

  /// Adds products of unsigned bytes and signed weights in groups of four.
  @inline(__always) func dot(_ sums: SIMD4<Int64>, _ pixels: SIMD4<Int64>, _ weights: SIMD4<Int64>) -> SIMD4<Int64> {
    pipe_dot256(sums, pixels, weights)
  }

  @inline(__always) func dotWords(_ sums: SIMD4<Int64>, _ a: SIMD4<Int64>, _ b: SIMD4<Int64>) -> SIMD4<Int64> {
    pipe_dot_words256(sums, a, b)
  }

  public func convolveAVXVNNI(_ job: UnsafePointer<ConvolutionRow>) { convolve(Registers256.self, job) }
  public func convolveSquaresAVXVNNI(_ job: UnsafePointer<SquareRows>) { convolveSquares(Registers256.self, job) }
  public func finishAVXVNNI(_ job: UnsafePointer<FinishingRow>) { finish(Registers256.self, job) }
  public func multiplyAtPeakAVXVNNI(
    _ pixels: UnsafePointer<UInt8>, _ weights: UnsafePointer<Int8>, _ sink: UnsafeMutablePointer<Int32>,
    _ iterations: Int
  ) -> Int {
    multiplyAtPeak(Registers256.self, pixels: pixels, weights: weights, sink: sink, iterations: iterations)
  }
#endif

import KernelBody

#if arch(x86_64)
  public func convolveBaseline(_ job: UnsafePointer<ConvolutionRow>) { convolve(SSE2.self, job) }
  public func convolvePairsBaseline(_ job: UnsafePointer<ConvolutionRow>) { convolvePairs(SSE2.self, job) }
  public func spreadPairsBaseline(
    _ from: UnsafePointer<UInt8>, _ step: Int, _ to: UnsafeMutablePointer<UInt8>, _ pairs: Int
  ) { spreadPairs(SSE2.self, from, step: step, to, pairs: pairs) }
  public func finishBaseline(_ job: UnsafePointer<FinishingRow>) { finish(SSE2.self, job) }
  public func multiplyAtPeakBaseline(
    _ pixels: UnsafePointer<UInt8>, _ weights: UnsafePointer<Int8>, _ sink: UnsafeMutablePointer<Int32>,
    _ iterations: Int
  ) -> Int { multiplyAtPeak(SSE2.self, pixels: pixels, weights: weights, sink: sink, iterations: iterations) }
#else
  public func convolveBaseline(_ job: UnsafePointer<ConvolutionRow>) { convolve(Portable.self, job) }
  public func finishBaseline(_ job: UnsafePointer<FinishingRow>) { finish(Portable.self, job) }
  public func multiplyAtPeakBaseline(
    _ pixels: UnsafePointer<UInt8>, _ weights: UnsafePointer<Int8>, _ sink: UnsafeMutablePointer<Int32>,
    _ iterations: Int
  ) -> Int { multiplyAtPeak(Portable.self, pixels: pixels, weights: weights, sink: sink, iterations: iterations) }
#endif

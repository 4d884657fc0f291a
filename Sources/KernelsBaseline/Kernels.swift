import KernelBody

#if arch(x86_64)
  public func convolveBaseline(_ job: UnsafePointer<ConvolutionRow>) { convolve(SSE2.self, job) }
  public func finishBaseline(_ job: UnsafePointer<FinishingRow>) { finish(SSE2.self, job) }
  public func multiplyAtPeakBaseline(
    _ pixels: UnsafePointer<UInt8>, _ weights: UnsafePointer<Int8>, _ sink: UnsafeMutablePointer<Int32>,
    _ iterations: Int
  ) -> Int { multiplyAtPeak(SSE2.self, pixels: pixels, weights: weights, sink: sink, iterations: iterations) }
#endif

public func convolvePortable(_ job: UnsafePointer<ConvolutionRow>) { convolve(Portable.self, job) }
public func finishPortable(_ job: UnsafePointer<FinishingRow>) { finish(Portable.self, job) }
public func multiplyAtPeakPortable(
  _ pixels: UnsafePointer<UInt8>, _ weights: UnsafePointer<Int8>, _ sink: UnsafeMutablePointer<Int32>,
  _ iterations: Int
) -> Int { multiplyAtPeak(Portable.self, pixels: pixels, weights: weights, sink: sink, iterations: iterations) }

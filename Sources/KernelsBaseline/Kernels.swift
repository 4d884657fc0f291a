import KernelBody

#if arch(x86_64)
  typealias Baseline = SSE2
#elseif arch(arm64)
  typealias Baseline = NEON
#else
  typealias Baseline = Portable
#endif

public func convolveBaseline(_ job: UnsafePointer<ConvolutionRow>) { convolve(Baseline.self, job) }
public func finishBaseline(_ job: UnsafePointer<FinishingRow>) { finish(Baseline.self, job) }
public func multiplyAtPeakBaseline(
  _ pixels: UnsafePointer<UInt8>, _ weights: UnsafePointer<Int8>, _ sink: UnsafeMutablePointer<Int32>,
  _ iterations: Int
) -> Int { multiplyAtPeak(Baseline.self, pixels: pixels, weights: weights, sink: sink, iterations: iterations) }

#if arch(x86_64) || arch(arm64)
  public func convolveSquaresBaseline(_ job: UnsafePointer<SquareRows>) { convolveSquares(Baseline.self, job) }
#endif

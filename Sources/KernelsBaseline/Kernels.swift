import KernelBody

public func convolvePortable(_ job: UnsafePointer<ConvolutionRow>) { convolve(Portable.self, job) }
public func finishPortable(_ job: UnsafePointer<FinishingRow>) { finish(Portable.self, job) }
public func multiplyAtPeakPortable(
  _ pixels: UnsafePointer<UInt8>, _ weights: UnsafePointer<Int8>, _ sink: UnsafeMutablePointer<Int32>,
  _ iterations: Int
) -> Int { multiplyAtPeak(Portable.self, pixels: pixels, weights: weights, sink: sink, iterations: iterations) }

#if arch(x86_64)
  import KernelBody

  public func convolveVNNI(_ job: UnsafePointer<ConvolutionRow>) { convolve(VNNI.self, job) }
  public func finishVNNI(_ job: UnsafePointer<FinishingRow>) {
    if job.pointee.bySixteen { finishSixteen(VNNI.self, job) } else { finish(VNNI.self, job) }
  }
  public func multiplyAtPeakVNNI(
    _ pixels: UnsafePointer<UInt8>, _ weights: UnsafePointer<Int8>, _ sink: UnsafeMutablePointer<Int32>,
    _ iterations: Int
  ) -> Int { multiplyAtPeak(VNNI.self, pixels: pixels, weights: weights, sink: sink, iterations: iterations) }
#endif

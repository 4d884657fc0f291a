// What the hot loops are compiled for, one by one: types, so that each combination is a specialisation of its own in
// which addresses are constants.

/// The bytes from one pixel's place to the next's.
@usableFromInline protocol PixelStep {
  static func bytes(_ job: ConvolutionRow) -> Int
}

@usableFromInline enum Step1: PixelStep {
  @inlinable @inline(__always) static func bytes(_ job: ConvolutionRow) -> Int { 1 }
}

@usableFromInline enum Step16: PixelStep {
  @inlinable @inline(__always) static func bytes(_ job: ConvolutionRow) -> Int { 16 }
}

@usableFromInline enum Step32: PixelStep {
  @inlinable @inline(__always) static func bytes(_ job: ConvolutionRow) -> Int { 32 }
}

@usableFromInline enum AnyStep: PixelStep {
  @inlinable @inline(__always) static func bytes(_ job: ConvolutionRow) -> Int { job.inputStep }
}

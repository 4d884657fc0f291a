// What the hot loops are compiled for, one by one: types, so that each combination is a specialisation of its own in
// which addresses are constants.

/// The bytes from one pixel's place to the next's.
@usableFromInline protocol PixelStep {
  static func bytes(_ job: ConvolutionRow) -> Int
}

@usableFromInline enum Step1<I: InstructionSet>: PixelStep {
  @inlinable @inline(__always) static func bytes(_ job: ConvolutionRow) -> Int { I.elementBytes }
}

@usableFromInline enum Step4<I: InstructionSet>: PixelStep {
  @inlinable @inline(__always) static func bytes(_ job: ConvolutionRow) -> Int { 4 &* I.elementBytes }
}

@usableFromInline enum Step16<I: InstructionSet>: PixelStep {
  @inlinable @inline(__always) static func bytes(_ job: ConvolutionRow) -> Int { 16 &* I.elementBytes }
}

@usableFromInline enum Step32<I: InstructionSet>: PixelStep {
  @inlinable @inline(__always) static func bytes(_ job: ConvolutionRow) -> Int { 32 &* I.elementBytes }
}

@usableFromInline enum Step48<I: InstructionSet>: PixelStep {
  @inlinable @inline(__always) static func bytes(_ job: ConvolutionRow) -> Int { 48 &* I.elementBytes }
}

@usableFromInline enum Step64<I: InstructionSet>: PixelStep {
  @inlinable @inline(__always) static func bytes(_ job: ConvolutionRow) -> Int { 64 &* I.elementBytes }
}

@usableFromInline enum AnyStep: PixelStep {
  @inlinable @inline(__always) static func bytes(_ job: ConvolutionRow) -> Int { job.inputStep }
}

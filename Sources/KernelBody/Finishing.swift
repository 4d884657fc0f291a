/// Two rows of output samples from one row of a network's last sums: residual plus base, pixels shuffled out.
///
/// Sums lie [4 outputs][4 pixels], or [4 outputs][16 pixels]; outputs 0 and 1 make the upper row, 2 and 3 the lower.
public struct FinishingRow {
  public var sums: UnsafePointer<Int32>
  /// Whether sums lie [4 outputs][16 pixels], as `quads` leaves them.
  public var bySixteen: Bool
  /// The input's own samples; nil where the network does not add them.
  public var base: UnsafeRawPointer?
  /// Those for the lower row.
  public var lowerBase: UnsafeRawPointer
  public var wideBase: Bool
  /// Whether each sample of the base stands for two outputs in each direction; else for one.
  public var repeatsBase: Bool
  public var upper: UnsafeMutableRawPointer
  public var lower: UnsafeMutableRawPointer
  public var wideOutput: Bool
  /// Input pixels: a multiple of eight, or of sixteen.
  public var width: Int
  public var arithmetic: FinishingArithmetic
  /// Sixteen for the upper row and sixteen for the lower: outputs 0 1 0 1 …, then 2 3 2 3 ….
  public var scales: UnsafePointer<Float>

  public init(
    sums: UnsafePointer<Int32>, bySixteen: Bool, base: UnsafeRawPointer?, lowerBase: UnsafeRawPointer, wideBase: Bool,
    repeatsBase: Bool, upper: UnsafeMutableRawPointer, lower: UnsafeMutableRawPointer, wideOutput: Bool, width: Int,
    arithmetic: FinishingArithmetic, scales: UnsafePointer<Float>
  ) {
    self.sums = sums
    self.bySixteen = bySixteen
    self.base = base
    self.lowerBase = lowerBase
    self.wideBase = wideBase
    self.repeatsBase = repeatsBase
    self.upper = upper
    self.lower = lower
    self.wideOutput = wideOutput
    self.width = width
    self.arithmetic = arithmetic
    self.scales = scales
  }
}

/// From a sum to an output sample. `D` is the deeper of input and output depth.
///
///     r = float(sum) · scale                      levels of `D` bits, or codes where the model quantises here
///     r = clamp(round(r), codes) · codeStep       … with `codes`
///     integer path:  v = round(r) + (base << baseShift)
///     rounded path:  v = round(clamp(round(r + base · baseScale), finalCodes) · finalStep)
///     out = clamp((v + half) >> outputShift)
public struct FinishingArithmetic {
  public var quantisesResidual: Bool
  public var codeLow, codeHigh, codeStep: Float
  public var quantisesResult: Bool
  /// Whether `finalCodes` are less than what samples saturate to.
  public var clipsResult: Bool
  public var baseScale, finalLow, finalHigh, finalStep: Float
  public var baseShift: Int32
  public var outputShift: Int32
  public var maximum: Int32

  public init(
    quantisesResidual: Bool, codeLow: Float, codeHigh: Float, codeStep: Float,
    quantisesResult: Bool, clipsResult: Bool, baseScale: Float, finalLow: Float, finalHigh: Float, finalStep: Float,
    baseShift: Int32, outputShift: Int32, maximum: Int32
  ) {
    self.quantisesResidual = quantisesResidual
    self.codeLow = codeLow
    self.codeHigh = codeHigh
    self.codeStep = codeStep
    self.quantisesResult = quantisesResult
    self.clipsResult = clipsResult
    self.baseScale = baseScale
    self.finalLow = finalLow
    self.finalHigh = finalHigh
    self.finalStep = finalStep
    self.baseShift = baseShift
    self.outputShift = outputShift
    self.maximum = maximum
  }

  @inlinable @inline(__always)
  func apply<I: InstructionSet>(_: I.Type, _ sums: I.Sums, _ scales: I.Reals, base: I.Sums?) -> I.Sums {
    var value = I.multiply(I.real(sums), scales)
    if quantisesResidual {
      value = I.multiply(
        I.least(I.greatest(I.rounded(value), I.splat(codeLow)), I.splat(codeHigh)), I.splat(codeStep))
    }
    var whole: I.Sums
    if quantisesResult {
      if let base { value = I.add(value, I.multiply(I.real(base), I.splat(baseScale))) }
      value = I.rounded(value)
      if clipsResult { value = I.least(I.greatest(value, I.splat(finalLow)), I.splat(finalHigh)) }
      whole = I.whole(I.multiply(value, I.splat(finalStep)))
    } else {
      whole = I.whole(value)
      if let base { whole = I.add(whole, I.shiftLeft(base, by: baseShift)) }
    }
    if outputShift > 0 { whole = I.shiftRight(I.add(whole, I.splat(Int32(1) << (outputShift &- 1))), by: outputShift) }
    return whole
  }
}

@inlinable @inline(__always)
public func finish<I: InstructionSet>(_: I.Type, _ job: UnsafePointer<FinishingRow>) {
  let job = job.pointee
  let arithmetic = job.arithmetic
  var x = 0
  while x < job.width {
    let left = I.sums(job.sums + 4 &* x)
    let right = I.sums(job.sums + (4 &* x &+ 16))
    var upperBase: I.Sums?
    var lowerBase: I.Sums?
    if let samples = job.base {
      if job.repeatsBase {
        upperBase =
          job.wideBase
          ? I.twice((samples + 2 &* x).assumingMemoryBound(to: UInt16.self))
          : I.twice((samples + x).assumingMemoryBound(to: UInt8.self))
        lowerBase = upperBase
      } else if job.wideBase {
        upperBase = I.once((samples + 4 &* x).assumingMemoryBound(to: UInt16.self))
        lowerBase = I.once((job.lowerBase + 4 &* x).assumingMemoryBound(to: UInt16.self))
      } else {
        upperBase = I.once((samples + 2 &* x).assumingMemoryBound(to: UInt8.self))
        lowerBase = I.once((job.lowerBase + 2 &* x).assumingMemoryBound(to: UInt8.self))
      }
    }
    let upper = arithmetic.apply(I.self, I.upperRow(left, right), I.reals(job.scales), base: upperBase)
    let lower = arithmetic.apply(I.self, I.lowerRow(left, right), I.reals(job.scales + 16), base: lowerBase)
    if job.wideOutput {
      I.store(upper, (job.upper + 4 &* x).assumingMemoryBound(to: UInt16.self), maximum: arithmetic.maximum)
      I.store(lower, (job.lower + 4 &* x).assumingMemoryBound(to: UInt16.self), maximum: arithmetic.maximum)
    } else {
      I.store(upper, (job.upper + 2 &* x).assumingMemoryBound(to: UInt8.self), maximum: arithmetic.maximum)
      I.store(lower, (job.lower + 2 &* x).assumingMemoryBound(to: UInt8.self), maximum: arithmetic.maximum)
    }
    x &+= 8
  }
}

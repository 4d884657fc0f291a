import Kernels

/// How sums become samples of given depths: the definition that every kernel follows.
struct EndingArithmetic {
  /// From a sum to levels of the deeper of the two depths, or to codes where the model quantises.
  var scales: [Float]
  /// The rest, for the kernels.
  var template: FinishingArithmetic

  /// - Parameters: depths in bits, 8 to 16; the base of `sample(sum:channel:base:)` has `ending.baseDepth` of the input's.
  init(_ ending: IntegerNetwork.Ending, inputDepth: Int, outputDepth: Int) {
    let inputDepth = ending.baseDepth(inputDepth)
    let depth = max(inputDepth, outputDepth)
    let levels = Double(1 << (depth - 8))
    let one = 255 * levels
    var scales = ending.scales.map { $0 * levels }
    var (codeLow, codeHigh, codeStep) = (0.0, 0.0, 1.0)
    var (baseScale, finalLow, finalHigh, finalStep) = (0.0, 0.0, 0.0, 1.0)
    if let result = ending.result {
      let unit = Double(result.scale)
      scales = ending.scales.map { $0 / 255 / unit }
      baseScale = 1 / (255 * Double(1 << (inputDepth - 8)) * unit)
      finalLow = -Double(result.zeroPoint)
      finalHigh = 255 - Double(result.zeroPoint)
      finalStep = unit * one
    }
    if let residual = ending.residual {
      let unit = Double(residual.scale)
      scales = ending.scales.map { $0 / 255 / unit }
      codeLow = -Double(residual.zeroPoint)
      codeHigh = 255 - Double(residual.zeroPoint)
      codeStep = ending.result.map { unit / Double($0.scale) } ?? (unit * one)
    }
    self.scales = scales.map { Float($0) }
    let outputShift = Int32(depth - outputDepth)
    let maximum = Int32(1 << outputDepth - 1)
    let most = (max(-codeLow, codeHigh) * abs(codeStep) + Double(1 << inputDepth) * baseScale) * finalStep
    // The lowest code is 0 or less; the highest need not be the greatest sample or more, nor all before it fit 32 bits.
    let clips =
      ending.residual == nil || most >= 0x1p30 || finalHigh * finalStep < Double((maximum + 1) << outputShift)
    template = FinishingArithmetic(
      quantisesResidual: ending.residual != nil, codeLow: Float(codeLow),
      codeHigh: Float(codeHigh), codeStep: Float(codeStep), quantisesResult: ending.result != nil, clipsResult: clips,
      baseScale: Float(baseScale), finalLow: Float(finalLow), finalHigh: Float(finalHigh), finalStep: Float(finalStep),
      baseShift: Int32(depth - inputDepth), outputShift: outputShift, maximum: maximum)
  }

  /// The same for one sample, step by step.
  func sample(sum: Int32, channel: Int, base: Int32?) -> Int32 {
    var value = Float(sum) * scales[channel]
    if template.quantisesResidual {
      value = min(max(value.rounded(.toNearestOrEven), template.codeLow), template.codeHigh) * template.codeStep
    }
    var whole: Int32
    if template.quantisesResult {
      if let base { value = value + Float(base) * template.baseScale }
      value = min(max(value.rounded(.toNearestOrEven), template.finalLow), template.finalHigh)
      whole = EndingArithmetic.nearest(value * template.finalStep)
    } else {
      whole = EndingArithmetic.nearest(value)
      if let base { whole &+= base << template.baseShift }
    }
    if template.outputShift > 0 { whole = (whole &+ 1 << (template.outputShift - 1)) >> template.outputShift }
    return min(max(whole, 0), template.maximum)
  }

  private static func nearest(_ value: Float) -> Int32 {
    Int32(exactly: value.rounded(.toNearestOrEven)) ?? .min
  }
}

import Foundation
import Frames

/// Turns what was understood into the integer network, and proves that no sum can overflow.
extension Compiler {
  func emit(_ ending: EndingValue) throws(Failure) -> IntegerNetwork {
    var emission = Emission(compiler: self)
    let last = convolutions[ending.pending.convolution]
    guard last.outputChannels == ending.upscale * ending.upscale else {
      throw refuse("its output has \(last.outputChannels) channels where one plane is expected")
    }
    let fold = fold ?? 1
    guard ending.upscale % fold == 0 else {
      throw refuse("its output is smaller than the picture: folded by \(fold), unfolded by \(ending.upscale)")
    }
    let limits = ending.addsPicture ? (-Double.infinity, Double.infinity) : (0, 1)
    guard ending.pending.slopes == nil, ending.pending.low <= limits.0, ending.pending.high >= limits.1 else {
      throw refuse("an activation after the last convolution, '\(last.name)', is not supported")
    }
    for quantisation in [ending.residual, ending.result].compactMap({ $0 }) {
      guard (1e-6...1e6).contains(quantisation.scale) else {
        throw refuse("the scale \(quantisation.scale) of its last steps is impossible")
      }
    }
    let (convolution, sumScales) = try emission.convolution(ending.pending, output: nil)
    emission.operations.append(.convolution(convolution))
    let scales = zip(sumScales, ending.pending.gain).map { $0 * $1 * 255 }
    for (channel, scale) in scales.enumerated() {
      let units = max(256, [ending.residual, ending.result].compactMap { $0.map { 1 / Double($0.scale) } }.max() ?? 0)
      let largest = abs(scale) * Double(Emission.largestSum(convolution, channel)) * units
      guard largest < 0x1p30 else {
        throw refuse("the scales of '\(last.name)' make samples beyond any range")
      }
    }
    return IntegerNetwork(
      tensors: emission.tensors, operations: emission.operations,
      ending: .init(
        upscale: ending.upscale, addsPicture: ending.addsPicture, scales: scales, residual: ending.residual,
        result: ending.result), fold: fold, noiseLevel: noiseLevel)
  }
}

struct Emission {
  let compiler: Compiler
  var tensors: [IntegerNetwork.Tensor] = []
  var operations: [IntegerNetwork.Operation] = []
  private var totalWeights = 0
  /// Tensors made so far, by feature number and, for the picture, by how it is quantised.
  private var made: [Key: Int] = [:]

  private enum Key: Hashable {
    case feature(Int)
    case picture(Quantisation)
  }

  init(compiler: Compiler) { self.compiler = compiler }

  mutating func tensor(_ feature: Feature) throws(Failure) -> Int {
    let key: Key
    switch feature.source {
    case .picture: key = .picture(feature.quantisation)
    case .convolution, .mix: key = .feature(feature.number)
    }
    if let index = made[key] { return index }
    switch feature.source {
    case .picture:
      let index = append(feature)
      let codes = (0...255).map { feature.quantisation.code(Double($0) / 255) }
      operations.append(.picture(output: index, codes: codes))
      made[key] = index
      return index
    case .mix(let mixed):
      let mix = try mix(mixed, feature)
      operations.append(.mix(mix))
      made[key] = mix.output
      return mix.output
    case .convolution(let pending):
      var (convolution, sumScales) = try convolution(pending, output: feature.quantisation)
      let index = append(feature)
      convolution.output = index
      try requantise(&convolution, pending, sumScales, feature.quantisation)
      operations.append(.convolution(convolution))
      made[key] = index
      return index
    }
  }

  private mutating func mix(_ mixed: Mixed, _ feature: Feature) throws(Failure) -> IntegerNetwork.Mix {
    guard operations.count < Compiler.mostConvolutions else { throw compiler.refuse("the network is too large") }
    var parts: [[IntegerNetwork.Mix.Term]] = []
    for part in mixed.parts {
      var terms: [IntegerNetwork.Mix.Term] = []
      for input in part {
        let scale = mixed.factor * Double(input.quantisation.scale) / Double(feature.quantisation.scale)
        terms.append(.init(input: try tensor(input), scale: Float(scale)))
      }
      guard terms.allSatisfy({ $0.scale.isFinite && abs($0.scale) < 1e6 }) else {
        throw compiler.refuse("'\(mixed.name)': the scales of its inputs and its output are out of proportion")
      }
      parts.append(terms)
    }
    let slopes = (mixed.slopes ?? .init(repeating: 1, count: feature.channels)).map { Float($0) }
    guard slopes.allSatisfy({ abs($0) < 1e6 }) else {
      throw compiler.refuse("'\(mixed.name)': its slopes are impossible")
    }
    return IntegerNetwork.Mix(
      name: mixed.name, output: append(feature), parts: parts, slopes: slopes,
      low: mixed.low > -.infinity ? feature.quantisation.code(mixed.low) : 0,
      high: mixed.high < .infinity ? feature.quantisation.code(mixed.high) : 255)
  }

  private mutating func append(_ feature: Feature) -> Int {
    tensors.append(.init(channels: feature.channels, quantisation: feature.quantisation))
    return tensors.count - 1
  }

  /// The convolution with its integer bias, and the reals for one unit of its sums.
  mutating func convolution(
    _ pending: Pending, output: Quantisation?
  ) throws(Failure) -> (IntegerNetwork.Convolution, [Double]) {
    let raw = compiler.convolutions[pending.convolution]
    totalWeights += raw.weights.count
    guard totalWeights <= Compiler.mostWeights else {
      throw compiler.refuse("'\(raw.name)': its result is quantised in too many ways")
    }
    let input = try tensor(raw.input)
    var convolution = IntegerNetwork.Convolution(
      name: raw.name, input: input, output: nil, outputChannels: raw.outputChannels, inputChannels: raw.inputChannels,
      kernelHeight: raw.kernelHeight, kernelWidth: raw.kernelWidth, padTop: raw.padTop, padLeft: raw.padLeft,
      weights: raw.weights, bias: [], scales: [], negativeScales: nil, low: 0, high: 255, macs: raw.macs)
    var sumScales = raw.sumScales
    let zeroPoint = Int(raw.input.quantisation.zeroPoint)
    let window = raw.inputChannels * raw.kernelHeight * raw.kernelWidth
    for channel in 0..<raw.outputChannels {
      let weights = raw.weights[channel * window..<(channel + 1) * window]
      let sum = weights.reduce(0) { $0 + Int($1) }
      // The bias counts in units of the sum. A channel without weights may choose that unit.
      var unit = sumScales[channel] * pending.gain[channel]
      let bias = pending.bias[channel]
      if weights.allSatisfy({ $0 == 0 }) || unit == 0 {
        guard weights.allSatisfy({ $0 == 0 }) || bias == 0 || unit != 0 else {
          throw compiler.refuse("'\(raw.name)': channel \(channel) has weights but a scale of zero")
        }
        if weights.allSatisfy({ $0 == 0 }) && bias != 0 {
          unit = abs(bias) / 1_048_576
          sumScales[channel] = unit / pending.gain[channel]
          if pending.gain[channel] == 0 {
            throw compiler.refuse("'\(raw.name)': channel \(channel) has a factor of zero")
          }
          unit = sumScales[channel] * pending.gain[channel]
        }
      }
      let units = unit == 0 ? 0 : (bias / unit).rounded(.toNearestOrEven)
      guard units.isFinite, abs(units) < 0x1p30 else {
        throw compiler.refuse("'\(raw.name)': the bias of channel \(channel), \(bias), is beyond its scale")
      }
      convolution.bias.append(Int32(clamping: Int(units) - zeroPoint * sum))
      if let noise = pending.noise {
        let units = noise[channel] == 0 ? 0 : noise[channel] / unit
        guard units.isFinite, abs(units) < 0x1p30 else {
          throw compiler.refuse("'\(raw.name)': the noise level's part in channel \(channel) is beyond its scale")
        }
        convolution.noise = (convolution.noise ?? []) + [units]
      }
      guard Emission.largestSum(convolution, channel) < 1 << 31 else {
        throw compiler.refuse("'\(raw.name)': sums of channel \(channel) may exceed 32 bits")
      }
    }
    return (convolution, sumScales)
  }

  /// What no sum of a channel exceeds in magnitude.
  static func largestSum(_ convolution: IntegerNetwork.Convolution, _ channel: Int) -> Int {
    let window = convolution.inputChannels * convolution.kernelHeight * convolution.kernelWidth
    let weights = convolution.weights[channel * window..<(channel + 1) * window]
    let bias = abs(Int(convolution.bias[channel])) + Int(convolution.noise.map { abs($0[channel]).rounded(.up) } ?? 0)
    return weights.reduce(bias) { $0 + 255 * abs(Int($1)) }
  }

  private func requantise(
    _ convolution: inout IntegerNetwork.Convolution, _ pending: Pending, _ sumScales: [Double], _ output: Quantisation
  ) throws(Failure) {
    var negative: [Float] = []
    for channel in 0..<convolution.outputChannels {
      let scale = sumScales[channel] * pending.gain[channel] / Double(output.scale)
      let slope = pending.slopes?[channel] ?? 1
      // Which sums the slope is for depends on the factor's sign.
      convolution.scales.append(Float(scale >= 0 ? scale : scale * slope))
      negative.append(Float(scale >= 0 ? scale * slope : scale))
      let largest = abs(scale) * max(1, abs(slope)) * Double(Emission.largestSum(convolution, channel))
      guard largest < 0x1p30 else {
        throw compiler.refuse("'\(convolution.name)': the scales of channel \(channel) are out of proportion")
      }
    }
    if pending.slopes != nil { convolution.negativeScales = negative }
    convolution.low = pending.low > -.infinity ? output.code(pending.low) : 0
    convolution.high = pending.high < .infinity ? output.code(pending.high) : 255
  }
}

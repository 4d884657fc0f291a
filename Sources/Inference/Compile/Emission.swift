import Foundation
import Frames
import Kernels

/// Turns what was understood into the integer network, and proves that no sum can overflow.
extension Compiler {
  func emit(_ ending: EndingValue) throws(Failure) -> IntegerNetwork {
    let (planes, resolution) = (ending.pending.view.shape.channels, ending.pending.view.shape.resolution)
    guard (1...4).contains(planes) else {
      throw refuse("its output has \(planes) channels where one plane or three are expected")
    }
    guard resolution.down == 1 else { throw refuse("its output is smaller than the picture") }
    var emission = Emission(compiler: self)
    let name = convolutions[ending.pending.convolution].name
    let limits = ending.added == nil ? (0, 1) : (-Double.infinity, Double.infinity)
    guard ending.pending.slopes == nil, ending.pending.low <= limits.0, ending.pending.high >= limits.1 else {
      throw refuse("an activation after the last convolution, '\(name)', is not supported")
    }
    for quantisation in [ending.residual, ending.result].compactMap({ $0 }) {
      guard (1e-6...1e6).contains(quantisation.scale) else {
        throw refuse("the scale \(quantisation.scale) of its last steps is impossible")
      }
    }
    let upscale = grid * resolution.up
    try requireSize(upscale * upscale * planes, name)
    /// From [pixel][plane] to [plane][pixel].
    let order = (0..<upscale * upscale * planes).map { $0 % (upscale * upscale) * planes + $0 / (upscale * upscale) }
    if let added = ending.added { try requirePicture(added, at: upscale, order, planes) }
    let (whole, sumScales) = try emission.convolution(ending.pending, output: nil)
    let places = ending.pending.view.places(grid: grid)
    let outputs = order.map { places[$0] }
    let convolution = whole.picking(outputs)
    emission.operations.append(.convolution(convolution))
    let gains = ending.pending.gain
    let scales = outputs.map { sumScales[$0] * gains[$0 % gains.count] * 255 }
    for (channel, scale) in scales.enumerated() {
      let units = max(256, [ending.residual, ending.result].compactMap { $0.map { 1 / Double($0.scale) } }.max() ?? 0)
      let largest = abs(scale) * Double(Emission.largestSum(convolution, channel)) * units
      guard largest < 0x1p30 else { throw refuse("the scales of '\(name)' make samples beyond any range") }
    }
    return IntegerNetwork(
      tensors: emission.tensors, operations: emission.operations,
      ending: .init(
        upscale: upscale, planes: planes, addsPicture: ending.added != nil, interpolation: ending.added?.interpolation,
        scales: scales, residual: ending.residual, result: ending.result), fold: grid, noiseLevel: noiseLevel)
  }

  /// Refuses a picture that is not added to each output sample as the sample at the same place.
  private func requirePicture(
    _ added: PictureValue, at upscale: Int, _ order: [Int], _ planes: Int
  ) throws(Failure) {
    let places = added.view.places(grid: grid)
    let scale = upscale / grid
    let fits = order.indices.allSatisfy { index in
      let (plane, pixel) = (index / (upscale * upscale), index % (upscale * upscale))
      let from = pixel / upscale / scale * grid + pixel % upscale / scale
      return places[order[index]] == from * planes + plane
    }
    guard fits, added.view.made.channels == planes, added.interpolation == nil || scale == 2 else {
      throw refuse("the picture is added to its last convolution's result at other places than its samples'")
    }
  }

  func requireSize(_ channels: Int, _ name: String) throws(Failure) {
    guard channels <= Compiler.mostLaidOut else {
      throw refuse("'\(name)' would have \(channels) channels at the coarsest layer's size, more than can be run")
    }
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
      let index = try append(feature)
      let codes = (0...255).map { feature.quantisation.code(Double($0) / 255) }
      operations.append(.picture(output: index, codes: codes))
      made[key] = index
      return index
    case .mix(let mixed):
      if let interpolation = mixed.interpolation {
        let enlargement = try enlargement(mixed, interpolation, feature)
        operations.append(.enlargement(enlargement))
        made[key] = enlargement.output
        return enlargement.output
      }
      let mix = try mix(mixed, feature)
      operations.append(.mix(mix))
      made[key] = mix.output
      return mix.output
    case .convolution(let pending):
      var (convolution, sumScales) = try convolution(pending, output: feature.quantisation)
      let index = try append(feature)
      convolution.output = index
      try requantise(&convolution, pending, sumScales, feature.quantisation)
      operations.append(.convolution(convolution))
      made[key] = index
      return index
    }
  }

  private mutating func mix(_ mixed: Mixed, _ feature: Feature) throws(Failure) -> IntegerNetwork.Mix {
    guard operations.count < Compiler.mostConvolutions else { throw compiler.refuse("the network is too large") }
    let runs = try runs(mixed, output: feature.quantisation)
    let index = try append(feature)
    let count = mixed.view.made.channels
    let slopes = (0..<tensors[index].channels).map { Float(mixed.slopes?[$0 % count] ?? 1) }
    guard slopes.allSatisfy({ abs($0) < 1e6 }) else {
      throw compiler.refuse("'\(mixed.name)': its slopes are impossible")
    }
    return IntegerNetwork.Mix(
      name: mixed.name, output: index, parts: runs, slopes: slopes,
      low: mixed.low > -.infinity ? feature.quantisation.code(mixed.low) : 0,
      high: mixed.high < .infinity ? feature.quantisation.code(mixed.high) : 255)
  }

  private mutating func enlargement(
    _ mixed: Mixed, _ interpolation: Interpolation, _ feature: Feature
  ) throws(Failure) -> IntegerNetwork.Enlargement {
    guard operations.count < Compiler.mostConvolutions else { throw compiler.refuse("the network is too large") }
    let input = mixed.parts[0][0]
    let scale = Float(mixed.factor * Double(input.quantisation.scale) / Double(feature.quantisation.scale) / 16)
    let slopes = mixed.slopes?.map { Float($0) } ?? .init(repeating: 1, count: input.shape.channels)
    guard scale.isFinite, abs(scale) < 1e6, slopes.allSatisfy({ abs($0) < 1e6 }) else {
      throw compiler.refuse("'\(mixed.name)': the scales of its input and its output are out of proportion")
    }
    let source = try tensor(input)
    let resolution = input.shape.resolution
    return IntegerNetwork.Enlargement(
      name: mixed.name, input: source, output: try append(feature), interpolation: interpolation,
      side: compiler.grid * resolution.up / resolution.down, channels: input.shape.channels, scale: scale,
      slopes: slopes, low: mixed.low > -.infinity ? feature.quantisation.code(mixed.low) : 0,
      high: mixed.high < .infinity ? feature.quantisation.code(mixed.high) : 255)
  }

  /// Runs of channels that lie side by side in all inputs, in the order of the output's.
  private mutating func runs(_ mixed: Mixed, output: Quantisation) throws(Failure) -> [IntegerNetwork.Mix.Part] {
    var inputs: [[(term: IntegerNetwork.Mix.Term, places: [Int])]] = []
    for part in mixed.parts {
      var terms: [(term: IntegerNetwork.Mix.Term, places: [Int])] = []
      for input in part {
        let scale = Float(mixed.factor * Double(input.quantisation.scale) / Double(output.scale))
        guard scale.isFinite, abs(scale) < 1e6 else {
          throw compiler.refuse("'\(mixed.name)': the scales of its inputs and its output are out of proportion")
        }
        let shape = input.shape
        let side = compiler.grid * shape.resolution.up / shape.resolution.down
        try compiler.requireSize(side * side * shape.channels, mixed.name)
        terms.append((.init(input: try tensor(input), first: 0, scale: scale), input.view.places(grid: compiler.grid)))
      }
      inputs.append(terms)
    }
    var runs: [IntegerNetwork.Mix.Part] = []
    var last: (part: Int, ends: [Int])?
    let resolution = mixed.view.made.resolution
    let side = compiler.grid * resolution.up / resolution.down
    for pixel in 0..<side * side {
      for (number, part) in inputs.enumerated() {
        let channels = mixed.parts[number][0].shape.channels
        for channel in 0..<channels {
          let places = part.map { $0.places[pixel * channels + channel] }
          if let so = last, so.part == number, so.ends == places {
            runs[runs.count - 1].channels += 1
          } else {
            runs.append(
              .init(
                channels: 1,
                terms: zip(part, places).map { .init(input: $0.term.input, first: $1, scale: $0.term.scale) }))
          }
          last = (number, places.map { $0 + 1 })
        }
      }
    }
    return runs
  }

  private mutating func append(_ feature: Feature) throws(Failure) -> Int {
    let (channels, resolution) = (feature.view.made.channels, feature.view.made.resolution)
    let side = compiler.grid * resolution.up / resolution.down
    try compiler.requireSize(side * side * channels, "a tensor")
    tensors.append(.init(channels: side * side * channels, quantisation: feature.quantisation))
    return tensors.count - 1
  }

  /// The convolution with its integer bias, and the reals for one unit of its sums.
  mutating func convolution(
    _ pending: Pending, output: Quantisation?
  ) throws(Failure) -> (IntegerNetwork.Convolution, [Double]) {
    let own = compiler.convolutions[pending.convolution]
    let input = try tensor(own.input)
    let resolution = own.input.shape.resolution
    let side = compiler.grid * resolution.up / resolution.down
    try compiler.requireSize(side * side * own.inputChannels, own.name)
    try compiler.requireSize(side * side * own.outputChannels, own.name)
    totalWeights += side * side * own.outputChannels * tensors[input].channels * own.kernelHeight * own.kernelWidth
    guard totalWeights <= Compiler.mostWeights else { throw compiler.refuse("'\(own.name)': the network is too large") }
    let raw = own.expanded(
      side: side, places: own.input.view.places(grid: compiler.grid), channels: tensors[input].channels)
    /// A channel's number among those of the convolution as the model has it.
    let count = own.outputChannels
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
      var unit = sumScales[channel] * pending.gain[channel % count]
      let bias = pending.bias[channel % count]
      if weights.allSatisfy({ $0 == 0 }) || unit == 0 {
        guard weights.allSatisfy({ $0 == 0 }) || bias == 0 || unit != 0 else {
          throw compiler.refuse("'\(raw.name)': channel \(channel) has weights but a scale of zero")
        }
        if weights.allSatisfy({ $0 == 0 }) && bias != 0 {
          unit = abs(bias) / 1_048_576
          sumScales[channel] = unit / pending.gain[channel % count]
          if pending.gain[channel % count] == 0 {
            throw compiler.refuse("'\(raw.name)': channel \(channel) has a factor of zero")
          }
          unit = sumScales[channel] * pending.gain[channel % count]
        }
      }
      let units = unit == 0 ? 0 : (bias / unit).rounded(.toNearestOrEven)
      guard units.isFinite, abs(units) < 0x1p30 else {
        throw compiler.refuse("'\(raw.name)': the bias of channel \(channel), \(bias), is beyond its scale")
      }
      convolution.bias.append(Int32(clamping: Int(units) - zeroPoint * sum))
      if let noise = pending.noise {
        let units = noise[channel % count] == 0 ? 0 : noise[channel % count] / unit
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
    let count = pending.gain.count
    for channel in 0..<convolution.outputChannels {
      let scale = sumScales[channel] * pending.gain[channel % count] / Double(output.scale)
      let slope = pending.slopes?[channel % count] ?? 1
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
    if convolution.onlySaturates && output.zeroPoint == 0 {
      convolution.scales = convolution.scales.enumerated().map { channel, scale in
        FusedScale.scale(near: scale, largestSum: Emission.largestSum(convolution, channel))
      }
    }
  }
}

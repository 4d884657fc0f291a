import Frames

/// What may stand between a convolution and its rounding: folded into the convolution's scales and limits.
extension Compiler {
  mutating func clip(_ node: OnnxNode) throws(Failure) -> Value {
    var (low, high) = (-Double.infinity, Double.infinity)
    if node.optionalInput(1) != nil { low = try limit(node, 1) }
    if node.optionalInput(2) != nil { high = try limit(node, 2) }
    if node.proto.input.count == 1 {
      low = try node.float("min", default: -.infinity)
      high = try node.float("max", default: .infinity)
    }
    return try clip(node, low: low, high: high)
  }

  mutating func clip(_ node: OnnxNode, low: Double, high: Double) throws(Failure) -> Value {
    guard low <= high else { throw node.refuse("it clips to \(low) ... \(high), which is empty") }
    if case .levels(let feature) = try value(node, 0), feature.quantisation.keeps(low: low, high: high) {
      return .levels(feature)
    }
    switch try unrounded(node, 0) {
    case .pending(var pending):
      pending.low = min(max(pending.low, low), high)
      pending.high = max(min(pending.high, high), low)
      return .pending(pending)
    case .mixed(var mixed):
      mixed.low = min(max(mixed.low, low), high)
      mixed.high = max(min(mixed.high, high), low)
      return .mixed(mixed)
    case .ending(let ending) where low <= 0 && high >= 1:
      return .ending(ending)  // Samples are clipped to what they can hold in any case.
    default: throw node.refuse("it does not follow a convolution")
    }
  }

  private func limit(_ node: OnnxNode, _ index: Int) throws(Failure) -> Double {
    guard let value = try constantTensor(node, index).scalar, !value.isNaN else {
      throw node.refuse("its limit \(index) is not a number")
    }
    return value
  }

  mutating func slope(_ node: OnnxNode, _ slopes: [Double]) throws(Failure) -> Value {
    switch try unrounded(node, 0) {
    case .pending(var pending) where !pending.hasActivation:
      pending.slopes = try spread(node, slopes, over: pending)
      return .pending(pending)
    case .mixed(var mixed) where !mixed.hasActivation:
      let each = try spread(node, slopes, over: mixed.view.shape.channels)
      if let first = each.first, each.allSatisfy({ $0 == first }) {
        mixed.slopes = .init(repeating: first, count: mixed.view.made.channels)
      } else {
        guard mixed.view.steps.isEmpty else { throw node.refuse("it must stand before the folding of its input") }
        mixed.slopes = each
      }
      return .mixed(mixed)
    default: throw node.refuse("it follows neither a convolution nor a sum directly")
    }
  }

  mutating func multiply(_ node: OnnxNode) throws(Failure) -> Value {
    switch (try value(node, 0), try value(node, 1)) {
    case (.noise(let factors), _): return try noise(node, factors, times: constantValues(node, 1))
    case (_, .noise(let factors)): return try noise(node, factors, times: constantValues(node, 0))
    case (.constant, _), (.scaled, _): return try multiply(node, unrounded(node, 1), constantValues(node, 0))
    default: return try multiply(node, unrounded(node, 0), constantValues(node, 1))
    }
  }

  /// Folded into what the convolution before it is multiplied by and what is added.
  mutating func normalise(_ node: OnnxNode) throws(Failure) -> Value {
    guard case .pending(var pending) = try unrounded(node, 0), !pending.hasActivation else {
      throw node.refuse("it does not follow a convolution directly")
    }
    try node.require("training_mode", [0], default: 0)
    let epsilon = try node.float("epsilon", default: 1e-5)
    var parameters: [[Double]] = []
    for index in 1...4 { parameters.append(try spread(node, constantValues(node, index), over: pending)) }
    for channel in pending.gain.indices {
      let deviation = (parameters[3][channel] + epsilon).squareRoot()
      let factor = parameters[0][channel] / deviation
      guard deviation > 0, factor.isFinite else {
        throw node.refuse("the variance of channel \(channel) is impossible")
      }
      pending.scale(channel, by: factor)
      pending.bias[channel] += parameters[1][channel] - parameters[2][channel] * factor
    }
    return .pending(pending)
  }

  private func multiply(_ node: OnnxNode, _ value: Value, _ factors: [Double]) throws(Failure) -> Value {
    if case .mixed(var mixed) = value {
      guard let factor = factors.first, factors.allSatisfy({ $0 == factor }), factor > 0 || !mixed.hasActivation else {
        throw node.refuse(
          "after a sum only one factor for all channels is supported, after an activation a positive one")
      }
      mixed.factor *= factor
      if mixed.low > -.infinity { mixed.low *= factor }
      if mixed.high < .infinity { mixed.high *= factor }
      return .mixed(mixed)
    }
    guard case .pending(var pending) = value else { throw node.refuse("it does not follow a convolution") }
    let factors = try spread(node, factors, over: pending)
    if pending.low > -.infinity || pending.high < .infinity {
      guard let factor = factors.first, factor > 0, factors.allSatisfy({ $0 == factor }) else {
        throw node.refuse("after an activation only one positive factor for all channels is supported")
      }
      pending.low *= factor
      pending.high *= factor
    } else if pending.slopes != nil {
      guard factors.allSatisfy({ $0 > 0 }) else {
        throw node.refuse("after an activation only positive factors are supported")
      }
    }
    for channel in factors.indices { pending.scale(channel, by: factors[channel]) }
    return .pending(pending)
  }

  /// An input to which activations and factors can be added. A byte tensor becomes the result of a convolution that
  /// leaves everything as it is, so that whatever may follow a convolution may follow it.
  mutating func unrounded(_ node: OnnxNode, _ index: Int) throws(Failure) -> Value {
    let found = try value(node, index)
    guard case .levels = found else { return found }
    let feature = try self.feature(node, index)
    let channels = feature.shape.channels
    var weights = [Int8](repeating: 0, count: channels * channels)
    for channel in 0..<channels { weights[channel * channels + channel] = 64 }
    // A sum counts in 64ths of a code, so that what is added is hardly rounded.
    let scale = Double(feature.quantisation.scale) / 64
    return try pending(
      node,
      RawConvolution(
        name: node.label, input: feature, outputChannels: channels, inputChannels: channels, kernelHeight: 1,
        kernelWidth: 1, padTop: 0, padLeft: 0, weights: weights, macs: 0,
        sumScales: .init(repeating: scale, count: channels)), bias: .init(repeating: 0, count: channels))
  }

  /// Values by the channels of what became of a convolution, as values by the convolution's own.
  func spread(_ node: OnnxNode, _ values: [Double], over pending: Pending) throws(Failure) -> [Double] {
    if values.count == 1 { return .init(repeating: values[0], count: pending.gain.count) }
    guard let channels = pending.channels else { throw node.refuse("it must stand before the folding of its input") }
    let each = try spread(node, values, over: pending.view.shape.channels)
    return channels.map { each[$0] }
  }

  /// One value for each channel of [1, channels, 1, 1], or one for all.
  func spread(_ node: OnnxNode, _ values: [Double], over channels: Int) throws(Failure) -> [Double] {
    if values.count == channels { return values }
    guard values.count == 1 else { throw node.refuse("\(values.count) values for \(channels) channels") }
    return .init(repeating: values[0], count: channels)
  }
}

extension Quantisation {
  /// Whether no code stands for a real outside `low ... high`.
  func keeps(low: Double, high: Double) -> Bool {
    Double(-Int(zeroPoint)) * Double(scale) >= low && Double(255 - Int(zeroPoint)) * Double(scale) <= high
  }
}

import Frames

/// What may stand between a convolution and its rounding: folded into the convolution's scales and limits.
extension Compiler {
  func clip(_ node: OnnxNode) throws(Failure) -> Value {
    var (low, high) = (-Double.infinity, Double.infinity)
    if node.optionalInput(1) != nil { low = try limit(node, 1) }
    if node.optionalInput(2) != nil { high = try limit(node, 2) }
    if node.proto.input.count == 1 {
      low = try node.float("min", default: -.infinity)
      high = try node.float("max", default: .infinity)
    }
    return try clip(node, low: low, high: high)
  }

  func clip(_ node: OnnxNode, low: Double, high: Double) throws(Failure) -> Value {
    guard low <= high else { throw node.refuse("it clips to \(low) ... \(high), which is empty") }
    switch try value(node, 0) {
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
    case .levels(let feature) where feature.quantisation.keeps(low: low, high: high):
      return .levels(feature)
    default: throw node.refuse("it does not follow a convolution")
    }
  }

  private func limit(_ node: OnnxNode, _ index: Int) throws(Failure) -> Double {
    guard let value = try constantTensor(node, index).scalar, !value.isNaN else {
      throw node.refuse("its limit \(index) is not a number")
    }
    return value
  }

  func slope(_ node: OnnxNode, _ slopes: [Double]) throws(Failure) -> Value {
    guard case .pending(var pending) = try value(node, 0), !pending.hasActivation else {
      throw node.refuse("it does not follow a convolution directly")
    }
    pending.slopes = try spread(node, slopes, over: pending.gain.count)
    return .pending(pending)
  }

  func multiply(_ node: OnnxNode) throws(Failure) -> Value {
    let first = try value(node, 0)
    if case .noise(let factors) = first { return try noise(node, factors, times: constantValues(node, 1)) }
    if case .noise(let factors) = try value(node, 1) { return try noise(node, factors, times: constantValues(node, 0)) }
    if case .pending = first { return try multiply(node, first, constantValues(node, 1)) }
    return try multiply(node, value(node, 1), constantValues(node, 0))
  }

  private func multiply(_ node: OnnxNode, _ value: Value, _ factors: [Double]) throws(Failure) -> Value {
    guard case .pending(var pending) = value else { throw node.refuse("it does not follow a convolution") }
    let factors = try spread(node, factors, over: pending.gain.count)
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
    for channel in factors.indices {
      pending.gain[channel] *= factors[channel]
      pending.bias[channel] *= factors[channel]
      pending.noise?[channel] *= factors[channel]
    }
    return .pending(pending)
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

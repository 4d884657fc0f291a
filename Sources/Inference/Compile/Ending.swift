import Frames

/// The last steps: the residual, the picture it is added to, and the shuffle from channels to pixels.
extension Compiler {
  mutating func asEnding(_ value: Value) -> EndingValue? {
    switch value {
    case .ending(let ending): return ending
    case .pending(let pending): return EndingValue(pending: pending)
    case .levels(let feature):
      guard case .convolution(var pending) = feature.source else { return nil }
      pending.view = feature.view
      return EndingValue(pending: pending, residual: feature.quantisation)
    default: return nil
    }
  }

  mutating func add(_ node: OnnxNode) throws(Failure) -> Value {
    switch (try value(node, 0), try value(node, 1)) {
    case (.picture(let picture), let other), (let other, .picture(let picture)):
      return try add(node, picture, to: other)
    case (.pending(var pending), .noise(let factors)), (.noise(let factors), .pending(var pending)):
      return try add(node, noise: factors, to: &pending)
    case (.pending(var pending), .constant), (.pending(var pending), .scaled):
      return try add(node, constantValues(node, 1), to: &pending)
    case (.constant, .pending(var pending)), (.scaled, .pending(var pending)):
      return try add(node, constantValues(node, 0), to: &pending)
    case (.levels, .constant), (.levels, .scaled):
      guard case .pending(var pending) = try unrounded(node, 0) else { break }
      return try add(node, constantValues(node, 1), to: &pending)
    case (.constant, .levels), (.scaled, .levels):
      guard case .pending(var pending) = try unrounded(node, 1) else { break }
      return try add(node, constantValues(node, 0), to: &pending)
    case (.levels(let a), .levels(let b)): return try mixed(node, [[a, b]])
    case (.mixed(let mixed), .levels(let feature)), (.levels(let feature), .mixed(let mixed)):
      guard mixed.parts.count == 1, !mixed.hasActivation, mixed.factor == 1, mixed.interpolation == nil else {
        throw node.refuse(
          "its inputs must be quantised first", advice: "put QuantizeLinear and DequantizeLinear before")
      }
      return try self.mixed(node, [mixed.parts[0] + [feature]])
    case (.pending, .levels), (.levels, .pending), (.pending, .pending):
      throw node.refuse(
        "a convolution's result must be quantised before it is added to another",
        advice: "put QuantizeLinear and DequantizeLinear between")
    default: break
    }
    throw node.refuse("these two values cannot be added")
  }

  /// The picture, or a convolution's result, less something that has not been rounded yet.
  mutating func subtract(_ node: OnnxNode) throws(Failure) -> Value {
    switch (try value(node, 0), try value(node, 1)) {
    case (.picture(let picture), .pending(let pending)) where !pending.hasActivation:
      return try add(node, picture, to: .pending(pending.negated))
    case (.picture(let picture), .ending(var ending))
    where !ending.pending.hasActivation && ending.residual == nil && ending.result == nil:
      ending.pending = ending.pending.negated
      return try add(node, picture, to: .ending(ending))
    case (.pending(var pending), .constant), (.pending(var pending), .scaled):
      return try add(node, constantValues(node, 1).map { -$0 }, to: &pending)
    default: throw node.refuse("only a convolution's result can be taken off the picture, or a constant off it")
    }
  }

  private mutating func add(_ node: OnnxNode, _ picture: PictureValue, to other: Value) throws(Failure) -> Value {
    guard var ending = asEnding(other), ending.added == nil, ending.result == nil, !picture.isCode else {
      throw node.refuse("the picture can be added to the last convolution's result only")
    }
    var added = picture
    let shape = ending.pending.view.shape
    if added.view.shape.channels == 1 && shape.channels > 1 { _ = added.view.take(.repeat(shape.channels)) }
    guard added.view.shape == shape else { throw node.refuse("the picture and the residual differ in size") }
    ending.added = added
    return .ending(ending)
  }

  func mixed(_ node: OnnxNode, _ parts: [[Feature]]) throws(Failure) -> Value {
    guard
      parts.allSatisfy({ part in
        part.allSatisfy { $0.shape == part[0].shape } && part[0].shape.resolution == parts[0][0].shape.resolution
      })
    else {
      throw node.refuse("its inputs differ in size")
    }
    let mixed = Mixed(name: node.label, parts: parts)
    guard featureCount < Compiler.mostFeatures else { throw node.refuse("the network is too large") }
    guard mixed.view.shape.channels <= Compiler.mostChannels, parts.reduce(0, { $0 + $1.count }) <= Compiler.mostTerms
    else {
      throw node.refuse(
        "\(mixed.view.shape.channels) channels are more than the engine takes (\(Compiler.mostChannels))")
    }
    return .mixed(mixed)
  }

  private func add(_ node: OnnxNode, _ values: [Double], to pending: inout Pending) throws(Failure) -> Value {
    guard !pending.hasActivation else { throw node.refuse("a constant cannot be added after an activation") }
    let values = try spread(node, values, over: pending)
    for channel in values.indices { pending.bias[channel] += values[channel] }
    return .pending(pending)
  }
}

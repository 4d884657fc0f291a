import Frames

/// The last steps: the residual, the picture it is added to, and the shuffle from channels to pixels.
extension Compiler {
  func asEnding(_ value: Value) -> EndingValue? {
    switch value {
    case .ending(let ending): return ending
    case .pending(let pending): return EndingValue(pending: pending)
    case .levels(let feature):
      guard case .convolution(let pending) = feature.source else { return nil }
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
      guard mixed.parts.count == 1, !mixed.hasActivation, mixed.factor == 1 else {
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
  func subtract(_ node: OnnxNode) throws(Failure) -> Value {
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

  private func add(_ node: OnnxNode, _ picture: PictureValue, to other: Value) throws(Failure) -> Value {
    guard var ending = asEnding(other), !ending.addsPicture, ending.result == nil, !picture.isCode else {
      throw node.refuse("the picture can be added to the last convolution's result only")
    }
    let channels = convolutions[ending.pending.convolution].outputChannels
    let fold = fold ?? 1
    let fits =
      if ending.upscale > 1 || channels == 1 {
        picture.repeats == 1 && picture.fold == 1 && picture.upscale * fold == ending.upscale
      } else if fold > 1 {
        picture.repeats == 1 && picture.fold == fold && picture.upscale == 1 && channels == fold * fold
      } else {
        picture.repeats == channels && picture.fold == 1 && picture.upscale == 1
      }
    guard fits else { throw node.refuse("the picture and the residual differ in size") }
    ending.addsPicture = true
    return .ending(ending)
  }

  private func mixed(_ node: OnnxNode, _ parts: [[Feature]]) throws(Failure) -> Value {
    guard parts.allSatisfy({ part in part.allSatisfy { $0.channels == part[0].channels } }) else {
      throw node.refuse("its inputs differ in channels")
    }
    let mixed = Mixed(name: node.label, parts: parts)
    guard featureCount < Compiler.mostFeatures else { throw node.refuse("the network is too large") }
    guard mixed.channels <= Compiler.mostChannels, parts.reduce(0, { $0 + $1.count }) <= Compiler.mostTerms else {
      throw node.refuse("\(mixed.channels) channels are more than the engine takes (\(Compiler.mostChannels))")
    }
    return .mixed(mixed)
  }

  private func add(_ node: OnnxNode, _ values: [Double], to pending: inout Pending) throws(Failure) -> Value {
    guard !pending.hasActivation else { throw node.refuse("a constant cannot be added after an activation") }
    let values = try spread(node, values, over: pending.bias.count)
    for channel in values.indices { pending.bias[channel] += values[channel] }
    return .pending(pending)
  }

  func concatenate(_ node: OnnxNode) throws(Failure) -> Value {
    try node.require("axis", [1, -3], default: 1)
    var features: [Feature] = []
    for name in node.proto.input { if case .levels(let feature)? = values[name] { features.append(feature) } }
    if !features.isEmpty {
      guard features.count == node.proto.input.count else {
        throw node.refuse("its inputs must all be quantised, or all be the picture")
      }
      return try mixed(node, features.map { [$0] })
    }
    var whole: PictureValue?
    for index in node.proto.input.indices {
      guard case .picture(let part) = try value(node, index), part.upscale == 1, part.fold == 1 else {
        throw node.refuse("only repeats of the picture can be joined")
      }
      if var so = whole {
        guard so.isCode == part.isCode, so.quantisation == part.quantisation else {
          throw node.refuse("its inputs are quantised differently")
        }
        so.repeats += part.repeats
        whole = so
      } else {
        whole = part
      }
    }
    guard let whole else { throw node.refuse("it has no inputs") }
    return .picture(whole)
  }

  func tile(_ node: OnnxNode) throws(Failure) -> Value {
    let repeats = try constantTensor(node, 1).values
    guard case .picture(var picture) = try value(node, 0), picture.upscale == 1, picture.fold == 1, repeats.count == 4,
      repeats[0] == 1, repeats[2] == 1, repeats[3] == 1, (1...1024).contains(repeats[1])
    else { throw node.refuse("only repeats of the picture along the channels are supported") }
    picture.repeats *= Int(repeats[1])
    guard picture.repeats <= Compiler.mostChannels else { throw node.refuse("too many repeats") }
    return .picture(picture)
  }

  func resize(_ node: OnnxNode) throws(Failure) -> Value {
    guard case .picture(var picture) = try value(node, 0), picture.fold == 1 else {
      throw node.refuse("only the picture itself can be resized")
    }
    let mode = node.string("mode", default: "nearest")
    guard mode == "nearest" else { throw node.refuse("attribute 'mode' = \(mode) is not supported") }
    guard node.optionalInput(2) != nil else { throw node.refuse("it gives no scales") }
    let scales = try constantTensor(node, 2).values
    guard scales.count == 4, scales[0] == 1, scales[1] == 1, scales[2] == scales[3], (1...8).contains(scales[2]),
      scales[2] == scales[2].rounded()
    else { throw node.refuse("scales \(scales.prefix(4)) are not supported") }
    picture.upscale *= Int(scales[2])
    guard picture.upscale <= 8 else { throw node.refuse("it enlarges too often") }
    return .picture(picture)
  }

  func spaceToDepth(_ node: OnnxNode) throws(Failure) -> Value {
    guard case .picture(var picture) = try value(node, 0), picture.fold == 1, picture.repeats == 1, picture.upscale == 1
    else { throw node.refuse("only the picture itself can be folded") }
    let size = try node.int("blocksize", default: 0)
    guard (1...8).contains(size) else { throw node.refuse("attribute 'blocksize' = \(size) is not supported") }
    picture.fold = size
    return .picture(picture)
  }

  func depthToSpace(_ node: OnnxNode) throws(Failure) -> Value {
    guard var ending = asEnding(try value(node, 0)), ending.upscale == 1 else {
      throw node.refuse("it does not follow the last convolution")
    }
    let size = try node.int("blocksize", default: 0)
    let channels = convolutions[ending.pending.convolution].outputChannels
    guard (1...8).contains(size), channels == size * size else {
      throw node.refuse("attribute 'blocksize' = \(size) does not make one plane of \(channels) channels")
    }
    ending.upscale = size
    return .ending(ending)
  }
}

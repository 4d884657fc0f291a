import Frames

/// What moves values between pixels and channels, or repeats them: views of the same tensors.
extension Compiler {
  mutating func spaceToDepth(_ node: OnnxNode) throws(Failure) -> Value {
    let size = try node.int("blocksize", default: 0)
    return try reshape(node, .fold(size), "attribute 'blocksize' = \(size) is not supported")
  }

  mutating func depthToSpace(_ node: OnnxNode) throws(Failure) -> Value {
    let size = try node.int("blocksize", default: 0)
    let mode = node.string("mode", default: "DCR")
    guard mode == "DCR" || mode == "CRD" else { throw node.refuse("attribute 'mode' = \(mode) is not supported") }
    return try reshape(
      node, .unfold(size, planar: mode == "CRD"), "attribute 'blocksize' = \(size) does not fit its input's channels")
  }

  mutating func tile(_ node: OnnxNode) throws(Failure) -> Value {
    let repeats = try constantTensor(node, 1).values
    guard repeats.count == 4, repeats[0] == 1, repeats[2] == 1, repeats[3] == 1,
      let count = Int(exactly: repeats[1])
    else { throw node.refuse("only repeats along the channels are supported") }
    return try reshape(node, .repeat(count), "\(count) repeats are not supported")
  }

  mutating func resize(_ node: OnnxNode) throws(Failure) -> Value {
    guard node.optionalInput(2) != nil else { throw node.refuse("it gives no constant scales") }
    let scales = try constantTensor(node, 2).values
    guard scales.count == 4, scales[0] == 1, scales[1] == 1, scales[2] == scales[3], let size = Int(exactly: scales[2])
    else { throw node.refuse("scales \(scales.prefix(4)) are not supported") }
    try node.require("antialias", [0], default: 0)
    let mode = node.string("mode", default: "nearest")
    let coordinates = node.string("coordinate_transformation_mode", default: "half_pixel")
    let refused = "scales \(scales) are not supported"
    if mode == "nearest" {
      let rounding = node.string("nearest_mode", default: "round_prefer_floor")
      guard Compiler.repeats(size, coordinates, rounding) else {
        throw node.refuse(
          "attributes 'coordinate_transformation_mode' = \(coordinates) and 'nearest_mode' = \(rounding) are not "
            + "supported: they do not repeat every pixel \(size) times")
      }
      return try reshape(node, .enlarge(size), refused)
    }
    guard mode == "linear" else { throw node.refuse("attribute 'mode' = \(mode) is not supported") }
    guard let interpolation = Interpolation(coordinates) else {
      throw node.refuse("attribute 'coordinate_transformation_mode' = \(coordinates) is not supported")
    }
    guard size == 2 else { throw node.refuse("attribute 'mode' = linear is supported for twice the size alone") }
    return try interpolate(node, interpolation)
  }

  private mutating func interpolate(_ node: OnnxNode, _ interpolation: Interpolation) throws(Failure) -> Value {
    let value = try value(node, 0)
    if case .picture(var picture) = value, picture.view.steps.isEmpty, !picture.isCode, picture.view.take(.enlarge(2)) {
      picture.interpolation = interpolation
      picture.interpolated = picture.quantisation ?? .samples
      picture.quantisation = nil
      return .picture(picture)
    }
    switch value {
    case .levels, .picture: break
    default:
      throw node.refuse(
        "what it interpolates must be quantised first", advice: "put QuantizeLinear and DequantizeLinear before")
    }
    var feature = try feature(node, 0)
    guard feature.shape.resolution.times(2, by: 1).up <= View.most else {
      throw node.refuse("the picture is enlarged too often")
    }
    if !feature.view.steps.isEmpty {
      // Its values in the places where they are looked for.
      let moved = Mixed(name: node.label, parts: [[feature]])
      feature = newFeature(.mix(moved), moved.view, feature.quantisation)
    }
    let mixed = Mixed(name: node.label, feature, interpolation: interpolation)
    guard featureCount < Compiler.mostFeatures else { throw node.refuse("the network is too large") }
    grid = mixed.view.shape.resolution.grid(with: grid)
    return .mixed(mixed)
  }

  /// Whether enlarging so many times by the nearest pixel makes each a block.
  static func repeats(_ size: Int, _ coordinates: String, _ rounding: String) -> Bool {
    guard (1...8).contains(size) else { return true }  // Refused for its size.
    return (0..<4 * size).allSatisfy { output in
      // The place among four pixels, in `2 · size`ths of one; half a pixel is `size`.
      let place: Int
      switch coordinates {
      case "half_pixel", "pytorch_half_pixel": place = 2 * output + 1 - size
      case "asymmetric": place = 2 * output
      default: return false
      }
      let unit = 2 * size
      let floor = place >= 0 ? place / unit : -1
      let rest = place - floor * unit
      let nearest: Int
      switch rounding {
      case "floor": nearest = floor
      case "ceil": nearest = rest > 0 ? floor + 1 : floor
      case "round_prefer_floor": nearest = rest > size ? floor + 1 : floor
      case "round_prefer_ceil": nearest = rest >= size ? floor + 1 : floor
      default: return false
      }
      return min(max(nearest, 0), 3) == output / size
    }
  }

  private mutating func reshape(_ node: OnnxNode, _ step: View.Step, _ refusal: String) throws(Failure) -> Value {
    var done: Bool
    let result: Value
    let resolution: Resolution
    switch try value(node, 0) {
    case .picture(var picture):
      done = picture.view.take(step)
      result = .picture(picture)
      resolution = picture.view.shape.resolution
    case .pending(var pending):
      done = pending.take(step)
      result = .pending(pending)
      resolution = pending.view.shape.resolution
    case .mixed(var mixed):
      done = mixed.view.take(step)
      result = .mixed(mixed)
      resolution = mixed.view.shape.resolution
    case .levels(var feature):
      done = feature.view.take(step)
      result = .levels(feature)
      resolution = feature.shape.resolution
    case .ending(var ending):
      done = ending.pending.take(step)
      if var added = ending.added {
        done = added.view.take(step) && done
        ending.added = added
      }
      result = .ending(ending)
      resolution = ending.pending.view.shape.resolution
    default: throw node.refuse("it follows neither the picture nor a convolution")
    }
    guard done else { throw node.refuse(refusal) }
    // Every view has whole pixels in a block of the grid, at every step.
    grid = resolution.grid(with: grid)
    guard grid <= 8 else { throw node.refuse("the picture is folded too often") }
    return result
  }

  mutating func concatenate(_ node: OnnxNode) throws(Failure) -> Value {
    try node.require("axis", [1, -3], default: 1)
    var values: [Value] = []
    for index in node.proto.input.indices { values.append(try value(node, index)) }
    let pictures = values.compactMap { if case .picture(let picture) = $0 { picture } else { nil } }
    if let first = pictures.first, pictures.count == values.count {
      var whole = first
      guard
        pictures.allSatisfy({
          $0.view == first.view && $0.isCode == first.isCode && $0.quantisation == first.quantisation
            && $0.interpolation == first.interpolation
        }), whole.view.take(.repeat(pictures.count))
      else { throw node.refuse("only repeats of the picture can be joined") }
      return .picture(whole)
    }
    guard !values.isEmpty else { throw node.refuse("it has no inputs") }
    var parts: [[Feature]] = []
    for index in values.indices { parts.append([try feature(node, index)]) }
    return try mixed(node, parts)
  }
}

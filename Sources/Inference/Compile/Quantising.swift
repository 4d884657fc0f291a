import Frames

/// QuantizeLinear and DequantizeLinear: where reals become codes and back.
extension Compiler {
  mutating func quantize(_ node: OnnxNode) throws(Failure) -> Value {
    let quantisation = try self.quantisation(node)
    switch try value(node, 0) {
    case .picture(var picture):
      guard !picture.isCode else { throw node.refuse("its input is quantised already") }
      picture.isCode = true
      picture.quantisation = quantisation
      return .picture(picture)
    case .pending(let pending):
      return .codes(newFeature(.convolution(pending), pending.view, quantisation))
    case .mixed(let mixed):
      return .codes(newFeature(.mix(mixed), mixed.view, quantisation))
    case .levels(let feature) where feature.quantisation == quantisation:
      return .codes(feature)
    case .levels(let feature):
      let mixed = Mixed(name: node.label, parts: [[feature]])
      return .codes(newFeature(.mix(mixed), mixed.view, quantisation))
    case .ending(var ending):
      guard ending.result == nil || ending.result == quantisation else {
        throw node.refuse("the result is quantised twice, differently")
      }
      ending.result = quantisation
      return .endingCodes(ending)
    default: throw node.refuse("its input is not a convolution's result, nor the picture")
    }
  }

  mutating func dequantize(_ node: OnnxNode) throws(Failure) -> Value {
    let input = try value(node, 0)
    if case .constant(let tensor) = input { return .scaled(try scaled(node, tensor)) }
    let quantisation = try self.quantisation(node)
    switch input {
    case .picture(var picture) where picture.isCode && picture.quantisation == quantisation:
      picture.isCode = false
      return .picture(picture)
    case .codes(let feature) where feature.quantisation == quantisation: return .levels(feature)
    case .endingCodes(let ending) where ending.result == quantisation: return .ending(ending)
    default: throw node.refuse("it does not undo the QuantizeLinear that made its input")
    }
  }

  /// The scale and zero point of inputs 1 and 2, in terms of unsigned codes.
  private func quantisation(_ node: OnnxNode) throws(Failure) -> Quantisation {
    guard let real = try constantTensor(node, 1).scalar else {
      throw node.refuse("activations have one scale, not one for each channel")
    }
    let scale = Float(real)
    guard scale.isFinite, scale > 1e-30, scale < 1e30 else { throw node.refuse("scale \(real) is impossible") }
    guard node.optionalInput(2) != nil else { return Quantisation(scale: scale, zeroPoint: 0) }
    let zero = try constantTensor(node, 2)
    guard let point = zero.scalar else { throw node.refuse("it has several zero points") }
    switch zero.element {
    case .uint8 where (0...255).contains(point): return Quantisation(scale: scale, zeroPoint: UInt8(point))
    case .int8 where (-128...127).contains(point): return Quantisation(scale: scale, zeroPoint: UInt8(point + 128))
    default: throw node.refuse("activations must be 8-bit integers")
    }
  }

  private func scaled(_ node: OnnxNode, _ tensor: OnnxTensor) throws(Failure) -> ScaledConstant {
    let scales = try constantTensor(node, 1).values
    guard !scales.isEmpty, scales.allSatisfy({ $0.isFinite && $0 >= 0 && $0 < 1e30 }) else {
      throw node.refuse("its scales are not finite")
    }
    var axis = try node.int("axis", default: 1)
    if axis < 0 { axis += tensor.shape.count }
    if scales.count > 1 {
      guard tensor.shape.indices.contains(axis), tensor.shape[axis] == scales.count else {
        throw node.refuse("attribute 'axis' = \(axis) does not fit its \(scales.count) scales")
      }
    }
    var zeros = [0.0]
    if node.optionalInput(2) != nil { zeros = try constantTensor(node, 2).values }
    guard zeros.count == 1 || zeros.count == scales.count else {
      throw node.refuse("\(zeros.count) zero points do not fit its \(scales.count) scales")
    }
    guard tensor.element == .uint8 || tensor.element == .int8 || tensor.element == .int32 else {
      throw node.refuse("its input is not made of integers")
    }
    let inner = tensor.shape.indices.contains(axis) ? max(tensor.shape[(axis + 1)...].reduce(1, *), 1) : 1
    return ScaledConstant(
      integers: tensor.values.indices.map { index in
        Int(tensor.values[index] - (zeros.count == 1 ? zeros[0] : zeros[index / inner % zeros.count]))
      }, shape: tensor.shape, scales: scales, axis: axis)
  }
}

/// Rows of tensors that are interpolated to twice the size.
extension Band {
  func enlarge(_ layer: IntegerNetwork.Enlargement, y: Int, height: Int, _ rings: [Ring]) {
    if plan.table.elementBytes == 1 {
      self.enlarge(layer, y: y, height: height, rings, as: UInt8.self)
    } else {
      self.enlarge(layer, y: y, height: height, rings, as: UInt16.self)
    }
  }

  /// Makes row `y` of blocks, `2 · side` rows of pixels.
  @inline(__always)
  private func enlarge<Element: FixedWidthInteger>(
    _ layer: IntegerNetwork.Enlargement, y: Int, height: Int, _ rings: [Ring], as _: Element.Type
  ) {
    let (side, channels) = (layer.side, layer.channels)
    let (input, output) = (rings[layer.input], rings[layer.output])
    let inputStep = input.step / input.elementBytes
    let outputStep = output.step / output.elementBytes
    let tensors = plan.network.tensors
    let arithmetic = MixArithmetic(
      low: layer.low, high: layer.high, zeroPoint: tensors[layer.output].quantisation.zeroPoint)
    let zero = 16 * Int32(tensors[layer.input].quantisation.zeroPoint)
    let own = columns[layer.output]
    let to = UnsafeMutableRawPointer(output.row(y)).assumingMemoryBound(to: Element.self)
    let origin = columns[layer.input].lowerBound

    /// The first pixel in a row of pixels.
    func pixels(_ row: Int) -> UnsafePointer<Element> {
      let row = min(max(row, 0), height * side - 1)
      let block = UnsafeRawPointer(input.row(row / side)).assumingMemoryBound(to: Element.self)
      return block + row % side * side * channels
    }
    /// Where a pixel lies from there.
    func place(_ column: Int) -> Int {
      let column = min(max(column, 0), strips.width * side - 1)
      return (column / side - origin) * inputStep + column % side * channels
    }

    layer.slopes.withUnsafeBufferPointer { slopes in
      for line in 0..<2 * side {
        let down = layer.interpolation.neighbours(2 * side * y + line)
        let (first, second) = (pixels(down.first), pixels(down.second))
        for column in 2 * side * own.lowerBound..<2 * side * own.upperBound {
          let across = layer.interpolation.neighbours(column)
          let (left, right) = (place(across.first), place(across.second))
          let (a, b) = (first + left, first + right)
          let (c, d) = (second + left, second + right)
          let pixel =
            to + (column / (2 * side) - own.lowerBound) * outputStep + (line * 2 * side + column % (2 * side))
            * channels
          let (p, q) = (down.weights.0 &* across.weights.0, down.weights.0 &* across.weights.1)
          let (r, s) = (down.weights.1 &* across.weights.0, down.weights.1 &* across.weights.1)
          for channel in 0..<channels {
            let upper = Int32(truncatingIfNeeded: a[channel]) &* p &+ Int32(truncatingIfNeeded: b[channel]) &* q
            let lower = Int32(truncatingIfNeeded: c[channel]) &* r &+ Int32(truncatingIfNeeded: d[channel]) &* s
            let sum = Float(upper &+ lower &- zero) * layer.scale
            pixel[channel] = Element(truncatingIfNeeded: arithmetic.code(sum, slope: slopes[channel]))
          }
        }
      }
    }
  }
}

/// Rows added or laid side by side.
extension Band {
  func mix(_ mix: IntegerNetwork.Mix, y: Int, _ rings: [Ring]) {
    if plan.table.elementBytes == 1 {
      self.mix(mix, y: y, rings, as: UInt8.self)
    } else {
      self.mix(mix, y: y, rings, as: UInt16.self)
    }
  }

  @inline(__always)
  private func mix<Element: FixedWidthInteger>(
    _ mix: IntegerNetwork.Mix, y: Int, _ rings: [Ring], as _: Element.Type
  ) {
    let tensors = plan.network.tensors
    let output = rings[mix.output]
    let outputStep = output.step / output.elementBytes
    let arithmetic = MixArithmetic(
      low: mix.low, high: mix.high, zeroPoint: tensors[mix.output].quantisation.zeroPoint)
    let to = UnsafeMutableRawPointer(output.row(y)).assumingMemoryBound(to: Element.self)
    let own = columns[mix.output]
    var first = 0
    mix.slopes.withUnsafeBufferPointer { slopes in
      for part in mix.parts {
        let channels = part.channels
        let terms = part.terms.map { term in
          (
            row: UnsafeRawPointer(pixel(own.lowerBound, of: term.input, y: y)).assumingMemoryBound(to: Element.self)
              + term.first,
            step: rings[term.input].step / output.elementBytes, scale: term.scale,
            zero: Float(tensors[term.input].quantisation.zeroPoint)
          )
        }
        for x in 0..<own.count {
          let pixel = to + x * outputStep + first
          if terms.count == 2 {
            let (a, b) = (terms[0], terms[1])
            let (left, right) = (a.row + x * a.step, b.row + x * b.step)
            for channel in 0..<channels {
              let sum = (Float(left[channel]) - a.zero) * a.scale + (Float(right[channel]) - b.zero) * b.scale
              pixel[channel] = Element(truncatingIfNeeded: arithmetic.code(sum, slope: slopes[first + channel]))
            }
          } else {
            for channel in 0..<channels {
              var sum: Float = 0
              for term in terms { sum += (Float(term.row[x * term.step + channel]) - term.zero) * term.scale }
              pixel[channel] = Element(truncatingIfNeeded: arithmetic.code(sum, slope: slopes[first + channel]))
            }
          }
        }
        first += channels
      }
    }
  }
}

/// How sums of tensors become codes: the definition.
struct MixArithmetic {
  private let zeroPoint: Float
  private let low: Float
  private let high: Float

  init(low: UInt8, high: UInt8, zeroPoint: UInt8) {
    self.zeroPoint = Float(zeroPoint)
    self.low = Float(low) - self.zeroPoint
    self.high = Float(high) - self.zeroPoint
  }

  @inline(__always) func code(_ sum: Float, slope: Float) -> Int32 {
    let sum = sum < 0 ? sum * slope : sum
    // Within 2^22, to add and take off 1.5 · 2^23 rounds to the nearest whole number, ties to even.
    let clipped = min(max(sum, -1024), 1024)
    let rounded = (clipped + 12_582_912) - 12_582_912
    return Int32(min(max(rounded, low), high) + zeroPoint)
  }
}

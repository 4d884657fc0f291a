import Frames

/// The network over a whole picture in the plainest way, one loop for each index: what every kernel is held against.
struct Reference {
  let network: IntegerNetwork

  /// - Parameters:
  ///   - picture: [plane][y][x]
  ///   - noiseLevel: 0 to 1; matters to denoisers only.
  /// - Returns: [plane][y][x], `(upscale / fold)²` times as many samples a plane.
  func run(
    _ picture: [UInt16], width: Int, height: Int, depth: Int, outputDepth: Int, noiseLevel: Double = 0
  ) -> [UInt16] {
    let arithmetic = EndingArithmetic(network.ending, inputDepth: depth, outputDepth: outputDepth)
    let fold = network.fold
    let planes = picture.count / (width * height)
    let (columns, rows) = ((width + fold - 1) / fold, (height + fold - 1) / fold)
    /// [channel][y][x]
    var tensors = [[UInt8]](repeating: [], count: network.tensors.count)
    var output: [UInt16] = []
    for operation in network.operations {
      switch operation {
      case .picture(let index, let codes):
        for channel in 0..<fold * fold * planes {
          let (pixel, plane) = (channel / planes, channel % planes)
          for y in 0..<rows {
            for x in 0..<columns {
              let row = plane * height + min(y * fold + pixel / fold, height - 1)
              let sample = picture[row * width + min(x * fold + pixel % fold, width - 1)]
              tensors[index].append(
                depth == 8 ? codes[Int(sample)] : codes[min((Int(sample) + 1 << (depth - 9)) >> (depth - 8), 255)])
            }
          }
        }
      case .mix(let mix):
        let zero = network.tensors[mix.output].quantisation.zeroPoint
        for part in mix.parts {
          let first = tensors[mix.output].count / (columns * rows)
          for index in 0..<part.channels * columns * rows {
            var sum: Float = 0
            for term in part.terms {
              let inputZero = network.tensors[term.input].quantisation.zeroPoint
              let code = tensors[term.input][term.first * columns * rows + index]
              sum += (Float(code) - Float(inputZero)) * term.scale
            }
            if sum < 0 { sum *= mix.slopes[first + index / (columns * rows)] }
            let code = sum.rounded(.toNearestOrEven) + Float(zero)
            tensors[mix.output].append(UInt8(min(max(code, Float(mix.low)), Float(mix.high))))
          }
        }
      case .enlargement(let layer):
        tensors[layer.output] = enlarged(layer, tensors[layer.input], width: columns, height: rows)
      case .convolution(let layer):
        let sums = sums(
          layer, bias: layer.bias(noiseLevel: noiseLevel), tensors[layer.input], width: columns, height: rows)
        if let index = layer.output {
          tensors[index] = sums.indices.map { code(layer, sums[$0], channel: $0 / (columns * rows)) }
        } else {
          output = samples(sums, picture, width: width, height: height, depth: depth, arithmetic)
        }
      }
    }
    return output
  }

  private func sums(
    _ layer: IntegerNetwork.Convolution, bias: [Int32], _ input: [UInt8], width: Int, height: Int
  ) -> [Int32] {
    let zero = Int(network.tensors[layer.input].quantisation.zeroPoint)
    var sums: [Int32] = []
    for output in 0..<layer.outputChannels {
      for y in 0..<height {
        for x in 0..<width {
          var sum = Int(bias[output])
          for channel in 0..<layer.inputChannels {
            for tapY in 0..<layer.kernelHeight {
              for tapX in 0..<layer.kernelWidth {
                let (fromY, fromX) = (y + tapY - layer.padTop, x + tapX - layer.padLeft)
                let inside = (0..<height).contains(fromY) && (0..<width).contains(fromX)
                let code = inside ? Int(input[(channel * height + fromY) * width + fromX]) : zero
                sum += code * Int(layer.weight(output, channel, tapY, tapX))
              }
            }
          }
          sums.append(Int32(sum))
        }
      }
    }
    return sums
  }

  private func enlarged(
    _ layer: IntegerNetwork.Enlargement, _ input: [UInt8], width: Int, height: Int
  ) -> [UInt8] {
    let (side, count) = (layer.side, layer.channels)
    let zero = Int(network.tensors[layer.input].quantisation.zeroPoint)
    let (even, odd) = layer.interpolation.weights
    var output: [UInt8] = []
    for channel in 0..<4 * side * side * count {
      let (pixel, plane) = (channel / count, channel % count)
      for y in 0..<height {
        for x in 0..<width {
          let (row, column) = (y * 2 * side + pixel / (2 * side), x * 2 * side + pixel % (2 * side))
          var sum = 0
          for down in 0..<3 {
            for across in 0..<3 {
              let fromY = min(max(row / 2 + down - 1, 0), height * side - 1)
              let fromX = min(max(column / 2 + across - 1, 0), width * side - 1)
              let from = (fromY % side * side + fromX % side) * count + plane
              let weight = (row % 2 == 0 ? even : odd)[down] * (column % 2 == 0 ? even : odd)[across]
              sum += Int(weight) * Int(input[(from * height + fromY / side) * width + fromX / side])
            }
          }
          var value = Float(sum - 16 * zero) * layer.scale
          if value < 0 { value *= layer.slopes[plane] }
          let code =
            value.rounded(.toNearestOrEven) + Float(network.tensors[layer.output].quantisation.zeroPoint)
          output.append(UInt8(min(max(code, Float(layer.low)), Float(layer.high))))
        }
      }
    }
    return output
  }

  private func code(_ layer: IntegerNetwork.Convolution, _ sum: Int32, channel: Int) -> UInt8 {
    guard let output = layer.output else { return 0 }
    let scale = sum < 0 ? layer.negativeScales?[channel] ?? layer.scales[channel] : layer.scales[channel]
    let code = (Float(sum) * scale).rounded(.toNearestOrEven) + Float(network.tensors[output].quantisation.zeroPoint)
    return UInt8(min(max(code, Float(layer.low)), Float(layer.high)))
  }

  private func samples(
    _ sums: [Int32], _ picture: [UInt16], width: Int, height: Int, depth: Int, _ arithmetic: EndingArithmetic
  ) -> [UInt16] {
    let (upscale, fold) = (network.ending.upscale, network.fold)
    let scale = upscale / fold
    let (columns, rows) = ((width + fold - 1) / fold, (height + fold - 1) / fold)
    var samples: [UInt16] = []
    for plane in 0..<network.ending.planes {
      for y in 0..<height * scale {
        for x in 0..<width * scale {
          var base: Int32?
          if network.ending.addsPicture {
            let luma = picture.dropFirst(plane * width * height).prefix(width * height)
            if let interpolation = network.ending.interpolation {
              base = interpolated(luma, width: width, height: height, depth, interpolation, x: x, y: y)
            } else {
              base = Int32(luma[luma.startIndex + y / scale * width + x / scale])
            }
          }
          let channel = (plane * upscale + y % upscale) * upscale + x % upscale
          let sum = sums[(channel * rows + y / upscale) * columns + x / upscale]
          samples.append(UInt16(arithmetic.sample(sum: sum, channel: channel, base: base)))
        }
      }
    }
    return samples
  }

  private func interpolated(
    _ plane: ArraySlice<UInt16>, width: Int, height: Int, _ depth: Int, _ interpolation: Interpolation, x: Int, y: Int
  ) -> Int32 {
    let (even, odd) = interpolation.weights
    var sum = 0
    for (down, weight) in (y % 2 == 0 ? even : odd).enumerated() {
      for (across, factor) in (x % 2 == 0 ? even : odd).enumerated() {
        let row = min(max(y / 2 + down - 1, 0), height - 1)
        let column = min(max(x / 2 + across - 1, 0), width - 1)
        sum += Int(weight) * Int(factor) * Int(plane[plane.startIndex + row * width + column])
      }
    }
    let shift = depth + 4 - Interpolation.depth(of: depth)
    return Int32((sum + (1 << shift) / 2) >> shift)
  }
}

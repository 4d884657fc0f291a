/// A float tensor of one picture: [channel][y][x].
struct FloatTensor {
  var channels: Int
  var height: Int
  var width: Int
  var values: [Float]

  func map(_ body: (Float) -> Float) -> FloatTensor {
    FloatTensor(channels: channels, height: height, width: width, values: values.map(body))
  }

  /// With a value of its own for each channel, or one for all.
  func map(_ parameters: [Float], _ body: (Float, Float) -> Float) -> FloatTensor {
    let plane = height * width
    return FloatTensor(
      channels: channels, height: height, width: width,
      values: values.indices.map { body(values[$0], parameters[parameters.count == 1 ? 0 : $0 / plane]) })
  }

  /// Values moved or repeated as a view has it.
  ///
  /// - Returns: nil where that step cannot be taken.
  func taking(_ step: View.Step) -> FloatTensor? {
    var view = View(Shape(channels: channels))
    guard view.take(step) else { return nil }
    let (up, down) = (view.shape.resolution.up, view.shape.resolution.down)
    guard height % down == 0, width % down == 0 else { return nil }
    // Over blocks of `down`² pixels, each of which becomes `up`².
    let places = view.places(grid: down)
    var result = FloatTensor(
      channels: view.shape.channels, height: height / down * up, width: width / down * up, values: [])
    for channel in 0..<result.channels {
      for y in 0..<result.height {
        for x in 0..<result.width {
          let place = places[(y % up * up + x % up) * result.channels + channel]
          let (pixel, from) = (place / channels, place % channels)
          let (row, column) = (y / up * down + pixel / down, x / up * down + pixel % down)
          result.values.append(values[(from * height + row) * width + column])
        }
      }
    }
    return result
  }

  /// Twice as large, interpolated; outside lies the edge.
  func doubled(_ interpolation: Interpolation) -> FloatTensor {
    var result = FloatTensor(channels: channels, height: 2 * height, width: 2 * width, values: [])
    result.values.reserveCapacity(4 * values.count)
    for channel in 0..<channels {
      for y in 0..<2 * height {
        let down = interpolation.neighbours(y)
        for x in 0..<2 * width {
          let across = interpolation.neighbours(x)
          func value(_ row: Int, _ column: Int) -> Float {
            let (row, column) = (min(max(row, 0), height - 1), min(max(column, 0), width - 1))
            return values[(channel * height + row) * width + column]
          }
          func between(_ row: Int) -> Float {
            (value(row, across.first) * Float(across.weights.0) + value(row, across.second) * Float(across.weights.1))
              / 4
          }
          result.values.append(
            (between(down.first) * Float(down.weights.0) + between(down.second) * Float(down.weights.1)) / 4)
        }
      }
    }
    return result
  }

  /// A convolution that keeps the size; zeros lie outside.
  ///
  /// - Parameter weights: [output][input / groups][y][x]
  func convolved(
    _ weights: [Float], bias: [Float], outputs: Int, kernel: (height: Int, width: Int), pad: (top: Int, left: Int),
    groups: Int
  ) -> FloatTensor {
    let plane = height * width
    var result = [Float](repeating: 0, count: outputs * plane)
    let inputs = channels / groups
    result.withUnsafeMutableBufferPointer { result in
      values.withUnsafeBufferPointer { values in
        for output in 0..<outputs {
          let row0 = output * plane
          for index in row0..<row0 + plane { result[index] = bias[output] }
          for input in 0..<inputs {
            let from0 = (output / (outputs / groups) * inputs + input) * plane
            for tapY in 0..<kernel.height {
              for tapX in 0..<kernel.width {
                let weight = weights[((output * inputs + input) * kernel.height + tapY) * kernel.width + tapX]
                guard weight != 0 else { continue }
                let (dy, dx) = (tapY - pad.top, tapX - pad.left)
                let columns = max(0, -dx)..<max(max(0, -dx), min(width, width - dx))
                for y in max(0, -dy)..<max(max(0, -dy), min(height, height - dy)) {
                  let (to, from) = (row0 + y * width, from0 + (y + dy) * width + dx)
                  for x in columns { result[to + x] += weight * values[from + x] }
                }
              }
            }
          }
        }
      }
    }
    return FloatTensor(channels: outputs, height: height, width: width, values: result)
  }
}

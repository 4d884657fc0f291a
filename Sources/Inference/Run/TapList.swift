import Kernels

/// A convolution's non-zero weights as a list of taps, as `ConvolutionRow` describes it.
///
/// A row of the window is `kernelWidth · inputStep` neighbouring bytes, cut into groups of four, or of sixteen where a
/// layer has few outputs. That holds for any number of channels, one included.
struct TapList {
  let shape: ConvolutionRow.Shape
  let blocks: Int
  let firstChannel: Int
  var rowEnds: [Int32] = []
  var offsets: [Int32] = []
  var weights: [Int8] = []

  /// nil where the layer has not this shape.
  ///
  /// - Parameter joined: whether taps one pixel apart are put together.
  init?(
    _ layer: IntegerNetwork.Convolution, inputStep: Int, shape: ConvolutionRow.Shape, firstChannel: Int, blocks: Int,
    joined: Bool
  ) {
    self.shape = shape
    self.firstChannel = firstChannel
    self.blocks = blocks
    let group = shape == .few ? 16 : 4
    if shape == .few && (layer.outputChannels > 4 || inputStep % 16 != 0) { return nil }
    let joined = joined && inputStep % 4 == 0
    for y in 0..<layer.kernelHeight {
      // Entries of one, two and three taps: where they begin, and their weights.
      var entries: [[(place: Int, weights: [Int8])]] = [[], [], []]
      if joined {
        for part in stride(from: 0, to: inputStep, by: 4) {
          var x = 0
          while x < layer.kernelWidth {
            var weights: [Int8] = []
            let start = x
            while x < layer.kernelWidth, x < start + 3 {
              let tap = vector(layer, y: y, from: part + x * inputStep, inputStep: inputStep)
              guard tap.contains(where: { $0 != 0 }) else { break }
              weights += tap
              x += 1
            }
            if x == start { x += 1 } else { entries[x - start - 1].append((part + start * inputStep, weights)) }
          }
        }
      } else {
        for place in stride(from: 0, to: layer.kernelWidth * inputStep, by: group) {
          let tap = vector(layer, y: y, from: place, inputStep: inputStep)
          if tap.contains(where: { $0 != 0 }) { entries[0].append((place, tap)) }
        }
      }
      for taps in shape == .few ? [0] : [2, 1, 0] {
        for entry in entries[taps] {
          offsets.append(Int32(entry.place - layer.padLeft * inputStep))
          weights += entry.weights
        }
        rowEnds.append(Int32(offsets.count))
      }
    }
  }

  /// The weights for the bytes from `place` on of a window's row.
  private func vector(_ layer: IntegerNetwork.Convolution, y: Int, from place: Int, inputStep: Int) -> [Int8] {
    (0..<64 * blocks).map { index in
      // Lanes are outputs of four bytes each; where they are few, of sixteen bytes each.
      let (output, byte) = shape == .few ? (index / 16, place + index % 16) : (index / 4, place + index % 4)
      let (x, input) = (byte / inputStep, byte % inputStep)
      guard firstChannel + output < layer.outputChannels, x < layer.kernelWidth, input < layer.inputChannels else {
        return 0
      }
      return layer.weight(firstChannel + output, input, y, x)
    }
  }

  /// Multiply instructions for one pixel and block.
  var cost: Int { weights.count / (64 * blocks) }

  /// Of a list whose taps are not joined, for kernels that add pairs of products in 16 bits: where two weights of a pair might overflow them, the second
  /// moves to a tap of its own.
  func splitPairs() -> TapList {
    var list = self
    list.offsets = []
    list.weights = []
    list.rowEnds = []
    var entry = 0
    for end in rowEnds {
      while entry < Int(end) {
        var first = Array(weights[entry * 64 * blocks..<(entry + 1) * 64 * blocks])
        var second = [Int8](repeating: 0, count: first.count)
        for index in stride(from: 0, to: first.count, by: 2) where abs(Int(first[index]) + Int(first[index + 1])) > 128
        {
          second[index + 1] = first[index + 1]
          first[index + 1] = 0
        }
        list.offsets.append(offsets[entry])
        list.weights += first
        if second.contains(where: { $0 != 0 }) {
          list.offsets.append(offsets[entry])
          list.weights += second
        }
        entry += 1
      }
      list.rowEnds.append(Int32(list.offsets.count))
    }
    return list
  }
}

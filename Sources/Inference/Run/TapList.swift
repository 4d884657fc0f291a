import Kernels

/// A convolution's non-zero weights as a list of taps, as `ConvolutionRow` describes it.
///
/// A row of the window is `kernelWidth · inputStep` neighbouring bytes, cut into groups of four, or of sixteen where a
/// layer has few outputs. Where channels lie in groups of four, each group is a row of its own, of four bytes a pixel.
/// That holds for any number of channels, one included.
struct TapList {
  let shape: ConvolutionRow.Shape
  let blocks: Int
  let firstChannel: Int
  var rowEnds: [Int32] = []
  var offsets: [Int32] = []
  var weights: [Int8] = []
  private let elementBytes: Int

  /// - Parameters:
  ///   - inputStep: in bytes; for `few` and `quads`, which have four outputs, a multiple of 16.
  ///   - elementBytes: of the input's elements and of the weights.
  ///   - joined: whether taps one pixel apart are put together.
  init(
    _ layer: IntegerNetwork.Convolution, inputStep: Int, elementBytes: Int, shape: ConvolutionRow.Shape,
    firstChannel: Int, blocks: Int, joined: Bool
  ) {
    self.elementBytes = elementBytes
    self.shape = shape
    self.firstChannel = firstChannel
    self.blocks = blocks
    let group = shape == .few ? 16 : 4
    let joined = joined && inputStep % group == 0
    // Entries of one, two and three taps: where they begin, and their weights.
    var entries: [[(place: Int, weights: [Int8])]] = [[], [], []]
    func endRow() {
      for taps in [2, 1, 0] {
        for entry in entries[taps] {
          offsets.append(Int32(entry.place))
          weights += entry.weights
        }
        rowEnds.append(Int32(offsets.count))
        entries[taps] = []
      }
    }
    for y in 0..<layer.kernelHeight {
      if joined {
        for part in stride(from: 0, to: inputStep, by: group) {
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
            let column = start - layer.padLeft
            let place = shape == .quads ? column * group : part + column * inputStep
            if x == start { x += 1 } else { entries[x - start - 1].append((place, weights)) }
          }
          if shape == .quads { endRow() }
        }
      } else {
        for place in stride(from: 0, to: layer.kernelWidth * inputStep, by: group) {
          let tap = vector(layer, y: y, from: place, inputStep: inputStep)
          if tap.contains(where: { $0 != 0 }) { entries[0].append((place - layer.padLeft * inputStep, tap)) }
        }
      }
      if shape != .quads { endRow() }
    }
  }

  /// The weights for the bytes from `place` on of a window's row.
  private func vector(_ layer: IntegerNetwork.Convolution, y: Int, from place: Int, inputStep: Int) -> [Int8] {
    (0..<(shape == .quads ? 16 : 64 * blocks)).map { index in
      // Lanes are outputs of four bytes each; where they are few, of sixteen bytes each.
      let (output, byte) = shape == .few ? (index / 16, place + index % 16) : (index / 4, place + index % 4)
      let (x, input) = (byte / inputStep, byte % inputStep / elementBytes)
      guard firstChannel + output < layer.outputChannels, x < layer.kernelWidth, input < layer.inputChannels else {
        return 0
      }
      let weight = layer.weight(firstChannel + output, input, y, x)
      // The first byte of a wide weight is itself, the second its sign.
      return byte % elementBytes == 0 ? weight : weight >> 7
    }
  }

  /// Multiply instructions for one pixel and block.
  var cost: Int { weights.count / (64 * blocks) }
}

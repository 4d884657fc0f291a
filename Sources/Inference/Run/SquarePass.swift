import Kernels

/// The weights of neighbouring blocks of sixteen outputs that have the same inputs, as `SquareRows` reads them.
struct SquarePass {
  // These point into the plan's arena.
  var firstInput: Int
  /// Input channels, in whole sixteens.
  var channels: Int
  var firstChannel: Int
  var blocks: Int
  var weights: UnsafePointer<Int8>
  var bias: UnsafeMutablePointer<Int32>
  var requantisations: UnsafePointer<Requantisation>

  /// Whether a layer can be computed by squares.
  ///
  /// - Parameter inputStep: elements of a pixel.
  static func suits(_ layer: IntegerNetwork.Convolution, inputStep: Int) -> Bool {
    layer.output != nil && layer.kernelHeight == 3 && layer.kernelWidth == 3 && layer.padTop == 1
      && layer.padLeft == 1 && inputStep % 16 == 0
      && (0..<layer.outputChannels).allSatisfy { Emission.largestSum(layer, $0) < SquareRows.limit }
  }

  /// Blocks, as ranges, and the input channels, in whole sixteens, that each range's weights are not all zero for.
  static func ranges(_ layer: IntegerNetwork.Convolution) -> [(blocks: Range<Int>, inputs: Range<Int>)] {
    var ranges: [(blocks: Range<Int>, inputs: Range<Int>)] = []
    for block in 0..<(layer.outputChannels + 15) / 16 {
      let used = (0..<layer.inputChannels).filter { input in
        (16 * block..<min(16 * block + 16, layer.outputChannels)).contains { output in
          (0..<9).contains { layer.weight(output, input, $0 / 3, $0 % 3) != 0 }
        }
      }
      let inputs = (used.first ?? 0) / 16 * 16..<((used.last ?? 0) / 16 + 1) * 16
      if let last = ranges.last, last.inputs == inputs {
        ranges[ranges.count - 1].blocks = last.blocks.lowerBound..<block + 1
      } else {
        ranges.append((block..<block + 1, inputs))
      }
    }
    return ranges
  }

  /// Multiply instructions for a pixel, and what takes as long.
  static func cost(_ ranges: [(blocks: Range<Int>, inputs: Range<Int>)], _ squares: KernelTable.Squares) -> Double {
    let whole = ranges.reduce(0) { cost, range in
      let products = SquareRows.parts * range.inputs.count / 2
      let inputs = range.inputs.count / 16 * squares.inputCost
      return cost + inputs + range.blocks.count * (products + squares.outputCost)
    }
    return Double(whole) / 16
  }

  init(
    _ layer: IntegerNetwork.Convolution, blocks: Range<Int>, inputs: Range<Int>, requantisations: [Requantisation],
    _ arena: Arena
  ) {
    (firstInput, channels) = (inputs.lowerBound, inputs.count)
    (firstChannel, self.blocks) = (16 * blocks.lowerBound, blocks.count)
    let (pairs, parts) = (inputs.count / 2, SquareRows.parts)
    let weights = arena.make(Int16.self, count: blocks.count * parts * pairs * 32)
    for output in firstChannel..<min(firstChannel + 16 * blocks.count, layer.outputChannels) {
      let (block, lane) = ((output - firstChannel) / 16, output % 16)
      for input in inputs.lowerBound..<min(inputs.upperBound, layer.inputChannels) {
        let (pair, half) = ((input - inputs.lowerBound) / 2, input % 2)
        let taps = (0..<9).map { Int(layer.weight(output, input, $0 / 3, $0 % 3)) }
        for (part, weight) in SquareRows.transformed(taps).enumerated() {
          weights[((block * parts + part) * pairs + pair) * 32 + 2 * lane + half] = Int16(weight)
        }
      }
    }
    self.weights = UnsafeRawPointer(weights).assumingMemoryBound(to: Int8.self)
    bias = arena.make(Int32.self, count: 16 * blocks.count + 16)
    self.requantisations = arena.copy(requantisations)
  }

  func writeBias(_ bias: [Int32]) {
    for lane in 0..<16 * blocks where firstChannel + lane < bias.count {
      self.bias[lane] = SquareRows.multiple &* bias[firstChannel + lane]
    }
  }
}

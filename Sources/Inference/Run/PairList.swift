/// The weights of sixteen outputs of a convolution three pixels wide, as `convolvePairs` reads them: four lists, one for
/// each part of a transformed pair, of entries of two channels.
struct PairList {
  var rowEnds: [Int32] = []
  var offsets: [Int32] = []
  /// 16-bit weights, low byte first.
  var weights: [Int8] = []

  /// nil where the layer is not of this kind, or twice its sums might not fit 32 bits.
  ///
  /// - Parameter inputStep: bytes of a pixel before it is transformed.
  init?(_ layer: IntegerNetwork.Convolution, inputStep: Int, firstChannel: Int) {
    guard layer.output != nil, layer.kernelWidth == 3, layer.padLeft == 1, inputStep % 32 == 0,
      (0..<layer.outputChannels).allSatisfy({ Emission.largestSum(layer, $0) < 1 << 30 })
    else { return nil }
    for part in 0..<4 {
      let before = offsets.count
      for y in 0..<layer.kernelHeight {
        rowEnds += [Int32(offsets.count - before), Int32(offsets.count - before)]
        for input in stride(from: 0, to: layer.inputChannels, by: 2) {
          let entry = (0..<32).flatMap { index -> [Int8] in
            let (output, input) = (firstChannel + index / 2, input + index % 2)
            guard output < layer.outputChannels, input < layer.inputChannels else { return [0, 0] }
            let weight = PairList.weight(layer, output, input, y, part)
            return [Int8(truncatingIfNeeded: weight), Int8(truncatingIfNeeded: weight >> 8)]
          }
          guard entry.contains(where: { $0 != 0 }) else { continue }
          offsets.append(Int32(part * inputStep + input * 2))
          weights += entry
        }
        rowEnds.append(Int32(offsets.count - before))
      }
    }
  }

  private static func weight(
    _ layer: IntegerNetwork.Convolution, _ output: Int, _ input: Int, _ y: Int, _ part: Int
  ) -> Int {
    let taps = (0..<3).map { Int(layer.weight(output, input, y, $0)) }
    return switch part {
    case 0: 2 * taps[0]
    case 1: taps[0] + taps[1] + taps[2]
    case 2: taps[0] - taps[1] + taps[2]
    default: 2 * taps[2]
    }
  }

  /// Entries for one pixel.
  var cost: Double { Double(offsets.count) / 2 }
}

import Kernels

/// A convolution's weights in the order in which one level's kernels read them.
struct PackedConvolution {
  /// One or two blocks of sixteen output channels, or few outputs, computed in one go over a row.
  struct Pass {
    // These point into the plan's arena.
    var blocks: Int
    var firstChannel: Int
    var rowEnds: UnsafePointer<Int32>
    var offsets: UnsafePointer<Int32>
    var weights: UnsafePointer<Int8>
    var bias: UnsafeMutablePointer<Int32>
    var requantisation: Requantisation
    /// Products an output pixel costs, zeros left out.
    var products: Int
  }

  var shape: ConvolutionRow.Shape
  /// Whether it reads pairs of pixels, transformed.
  var readsPairs = false
  var passes: [Pass]
  /// Integers a pixel in the buffer of sums, where the output goes there.
  var sumStep: Int

  /// - Parameter planes: of the network's output, whose channels few may be.
  init(
    _ layer: IntegerNetwork.Convolution, inputStep: Int, zeroPoint: UInt8, planes: Int, table: KernelTable, arena: Arena
  ) {
    let lists = PackedConvolution.lists(layer, inputStep: inputStep, planes: planes, table: table)
    shape = lists.first?.shape ?? .taps
    sumStep = shape == .few ? 4 : (layer.outputChannels + 15) / 16 * 16
    let pairs = table.pairs == nil ? [] : PackedConvolution.pairLists(layer, inputStep: inputStep)
    let plainCost = lists.reduce(0) { $0 + $1.cost * $1.blocks }
    // To transform and to add up costs a little, too.
    if !pairs.isEmpty && pairs.reduce(0, { $0 + $1.cost }) * 1.1 < Double(plainCost) {
      readsPairs = true
      passes = pairs.enumerated().map { PackedConvolution.pass(layer, $1, firstChannel: $0 * 16, zeroPoint, arena) }
    } else {
      passes = lists.map { PackedConvolution.pass(layer, $0, zeroPoint, arena) }
    }
    writeBias(layer.bias)
  }

  /// Replaces what every sum begins at, by output channel.
  func writeBias(_ bias: [Int32]) {
    for pass in passes {
      if readsPairs {
        // Twice the bias, in the part that both outputs of a pair have.
        for lane in 0..<16 where pass.firstChannel + lane < bias.count {
          pass.bias[16 + lane] = 2 &* bias[pass.firstChannel + lane]
        }
        continue
      }
      for lane in 0..<16 * pass.blocks {
        // Where outputs are few, a quarter of each one's sum has the bias.
        let channel = pass.firstChannel + (shape == .few ? lane / 4 : lane)
        let begins = channel < bias.count && (shape != .few || lane % 4 == 0)
        pass.bias[lane] = begins ? bias[channel] : 0
      }
    }
  }

  /// The lists that cost least: gathered outputs where there are few, else those that leave out zeros where it pays.
  private static func lists(
    _ layer: IntegerNetwork.Convolution, inputStep: Int, planes: Int, table: KernelTable
  ) -> [TapList] {
    if layer.output == nil && layer.outputChannels <= 4 * planes && inputStep % 16 == 0 {
      return stride(from: 0, to: layer.outputChannels, by: 4).map {
        TapList(
          layer, inputStep: inputStep, elementBytes: table.elementBytes, shape: .few, firstChannel: $0, blocks: 1,
          joined: false)
      }
    }
    let blocks = (layer.outputChannels + 15) / 16
    func all(width: Int) -> [TapList] {
      stride(from: 0, to: blocks, by: width).map {
        TapList(
          layer, inputStep: inputStep, elementBytes: table.elementBytes, shape: .taps, firstChannel: $0 * 16,
          blocks: min(width, blocks - $0), joined: table.joinsTaps)
      }
    }
    func cost(_ lists: [TapList]) -> Int { lists.reduce(0) { $0 + $1.cost * $1.blocks } }
    let dense = all(width: table.widestBlocks)
    // Single blocks leave more zeros out, but load more for each product.
    let sparse = all(width: 1)
    guard cost(dense) * 15 <= cost(sparse) * 16 else { return sparse }
    return dense
  }

  private static func pairLists(_ layer: IntegerNetwork.Convolution, inputStep: Int) -> [PairList] {
    stride(from: 0, to: layer.outputChannels, by: 16).compactMap {
      PairList(layer, inputStep: inputStep, firstChannel: $0)
    }
  }

  private static func pass(
    _ layer: IntegerNetwork.Convolution, _ list: PairList, firstChannel: Int, _ zeroPoint: UInt8, _ arena: Arena
  ) -> Pass {
    /// Sums are twice what they stand for.
    func halves(_ scales: [Float]) -> UnsafePointer<Float> {
      arena.copy((0..<16).map { firstChannel + $0 < scales.count ? scales[firstChannel + $0] / 2 : 0 })
    }
    return Pass(
      blocks: 1, firstChannel: firstChannel, rowEnds: arena.copy(list.rowEnds), offsets: arena.copy(list.offsets),
      weights: arena.copy(list.weights), bias: arena.make(Int32.self, count: 64),
      requantisation: Requantisation(
        scales: halves(layer.scales), negativeScales: layer.negativeScales.map(halves),
        range: CodeRange(zeroPoint: zeroPoint, low: layer.low, high: layer.high)),
      products: list.weights.count)
  }

  private static func pass(
    _ layer: IntegerNetwork.Convolution, _ taps: TapList, _ zeroPoint: UInt8, _ arena: Arena
  ) -> Pass {
    let lanes = 16 * taps.blocks
    let bias = arena.make(Int32.self, count: lanes)
    var scales = [Float](repeating: 0, count: lanes)
    var negative = scales
    for lane in 0..<lanes {
      let channel = taps.firstChannel + (taps.shape == .few ? lane / 4 : lane)
      guard channel < layer.outputChannels else { continue }
      if !layer.scales.isEmpty { scales[lane] = layer.scales[channel] }
      if let slopes = layer.negativeScales { negative[lane] = slopes[channel] }
    }
    return Pass(
      blocks: taps.blocks, firstChannel: taps.firstChannel, rowEnds: arena.copy(taps.rowEnds),
      offsets: arena.copy(taps.offsets), weights: arena.copy(taps.weights), bias: bias,
      requantisation: Requantisation(
        scales: arena.copy(scales), negativeScales: layer.negativeScales == nil ? nil : arena.copy(negative),
        range: CodeRange(zeroPoint: zeroPoint, low: layer.low, high: layer.high)),
      products: taps.weights.count)
  }
}

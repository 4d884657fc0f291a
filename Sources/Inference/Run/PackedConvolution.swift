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
    /// Of each lane, where sums begin beside the bias.
    var shifts: UnsafePointer<Int32>
    var requantisation: Requantisation
  }

  // All plain numbers and pointers: a row would pay for counting references.

  let input: Int
  let output: Int?
  let kernelHeight: Int
  let padTop: Int

  let shape: ConvolutionRow.Shape
  /// Over one row; none where it is computed by squares.
  let passes: UnsafeBufferPointer<Pass>
  /// Over four rows.
  let squares: UnsafeBufferPointer<SquarePass>
  /// Of the multiply-accumulates that it states for a pixel those that are made; padding counts for none.
  let multiplied: Int
  /// Integers a pixel in the buffer of sums, where the output goes there.
  let sumStep: Int

  /// - Parameters:
  ///   - inputPlanes: `Ring.planes` of its input.
  ///   - planes: of the network's output, whose channels few may be.
  init(
    _ layer: IntegerNetwork.Convolution, inputStep: Int, inputPlanes: Int, zeroPoint: UInt8, planes: Int,
    table: KernelTable, arena: Arena
  ) {
    let elementBytes = table.elementBytes
    let lists = PackedConvolution.lists(
      layer, inputStep: inputStep, inputPlanes: inputPlanes, planes: planes, table: table)
    shape = lists.first?.shape ?? .taps
    sumStep = shape != .taps ? 4 : (layer.outputChannels + 15) / 16 * 16
    let plainCost = lists.reduce(0) { $0 + $1.cost * $1.blocks }
    var squares: [SquarePass] = []
    if let table = table.squares, SquarePass.suits(layer, inputStep: inputStep / elementBytes) {
      let ranges = SquarePass.ranges(layer)
      if SquarePass.cost(ranges, table) < Double(plainCost) {
        squares = ranges.map { range in
          let requantisations = range.blocks.map { block in
            PackedConvolution.requantisation(
              layer, (0..<16).map { 16 * block + $0 }, dividedBy: SquareRows.scaleDivisor, zeroPoint, arena)
          }
          return SquarePass(
            layer, blocks: range.blocks, inputs: range.inputs, requantisations: requantisations, arena)
        }
      }
    }
    let products =
      squares.isEmpty
      ? 64 / elementBytes * plainCost : squares.reduce(0) { $0 + SquareRows.parts * $1.channels * $1.blocks }
    multiplied = min(layer.macs, products)
    let passes = squares.isEmpty ? lists.map { PackedConvolution.pass(layer, $0, zeroPoint, table, arena) } : []
    self.passes = UnsafeBufferPointer(start: arena.copy(passes), count: passes.count)
    self.squares = UnsafeBufferPointer(start: arena.copy(squares), count: squares.count)
    (input, output, kernelHeight, padTop) = (layer.input, layer.output, layer.kernelHeight, layer.padTop)
    writeBias(layer.bias)
  }

  /// Replaces what every sum begins at, by output channel.
  func writeBias(_ bias: [Int32]) {
    for pass in squares { pass.writeBias(bias) }
    for pass in passes {
      for lane in 0..<16 * pass.blocks {
        // Where outputs are few, a quarter of each one's sum has the bias.
        let channel = pass.firstChannel + (shape == .taps ? lane : lane / 4)
        let begins = channel < bias.count && (shape == .taps || lane % 4 == 0)
        pass.bias[lane] = (begins ? bias[channel] : 0) &+ pass.shifts[lane]
      }
    }
  }

  /// The lists that cost least: gathered outputs where there are few, else those that leave out zeros where it pays.
  private static func lists(
    _ layer: IntegerNetwork.Convolution, inputStep: Int, inputPlanes: Int, planes: Int,
    table: KernelTable
  ) -> [TapList] {
    if layer.output == nil && layer.outputChannels <= 4 * planes && inputStep % 16 == 0 {
      return stride(from: 0, to: layer.outputChannels, by: 4).map {
        TapList(
          layer, inputStep: inputStep, elementBytes: table.elementBytes, shape: inputPlanes > 1 ? .quads : .few,
          firstChannel: $0, blocks: 1,
          joined: table.joinsTaps)
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

  private static func pass(
    _ layer: IntegerNetwork.Convolution, _ taps: TapList, _ zeroPoint: UInt8, _ table: KernelTable, _ arena: Arena
  ) -> Pass {
    let lanes = 16 * taps.blocks
    let channels = (0..<lanes).map { taps.firstChannel + (taps.shape == .taps ? $0 : $0 / 4) }
    let fused = table.fusesScales ? fusedScales(layer, channels, zeroPoint) : nil
    var requantisation = requantisation(layer, channels, zeroPoint, arena)
    if table.fusesScales { requantisation.plainOffsets = fused.map { arena.copy($0.map(\.offset)) } }
    return Pass(
      blocks: taps.blocks, firstChannel: taps.firstChannel, rowEnds: arena.copy(taps.rowEnds),
      offsets: arena.copy(taps.offsets), weights: arena.copy(taps.weights),
      bias: arena.make(Int32.self, count: lanes),
      shifts: arena.copy(fused?.map(\.shift) ?? .init(repeating: 0, count: lanes)), requantisation: requantisation)
  }

  /// - Parameters:
  ///   - channels: of the lanes; beyond the layer's they have a scale of zero.
  ///   - divisor: a power of two, so that the scales stay exact.
  private static func requantisation(
    _ layer: IntegerNetwork.Convolution, _ channels: [Int], dividedBy divisor: Float = 1, _ zeroPoint: UInt8,
    _ arena: Arena
  ) -> Requantisation {
    func lanes(_ scales: [Float]) -> [Float] { channels.map { $0 < scales.count ? scales[$0] / divisor : 0 } }
    let scales = lanes(layer.scales)
    let isPlain =
      layer.onlySaturates && zeroPoint == 0 && scales.allSatisfy { $0 >= 0 }
      && channels.allSatisfy { $0 >= layer.outputChannels || Emission.largestSum(layer, $0) < 1 << 23 }
    return Requantisation(
      scales: arena.copy(scales), negativeScales: layer.negativeScales.map { arena.copy(lanes($0)) },
      range: CodeRange(zeroPoint: zeroPoint, low: layer.low, high: layer.high),
      plainOffsets: isPlain ? arena.copy(scales.map { $0 * -0x1p23 }) : nil)
  }

  /// Nil where one of the channels' cannot be fused, and for sums that stay what they are.
  private static func fusedScales(
    _ layer: IntegerNetwork.Convolution, _ channels: [Int], _ zeroPoint: UInt8
  ) -> [FusedScale]? {
    guard layer.output != nil, layer.onlySaturates, zeroPoint == 0 else { return nil }
    let scales = channels.compactMap { channel in
      channel < layer.scales.count
        ? FusedScale(layer.scales[channel], largestSum: Emission.largestSum(layer, channel)) : .zero
    }
    return scales.count == channels.count ? scales : nil
  }
}

import Kernels

/// A network laid out for one level's kernels: packed weights, and how many rows of each tensor have to live.
///
/// Unchecked: it changes between runs only, and the arena it points into lives as long.
final class Plan: @unchecked Sendable {
  let network: IntegerNetwork
  let table: KernelTable
  let arena = Arena()
  /// One for each operation; nil for those that are no convolution.
  let packed: [PackedConvolution?]
  /// Bytes that a pixel of each tensor takes.
  let steps: [Int]
  /// The parts of each tensor's rows, `Ring.planes`.
  let planes: [Int]
  /// Rows of each tensor that are alive at once.
  let capacities: [Int]
  /// Rows of each tensor, above and below, that one output row depends on.
  let reach: [(above: Int, below: Int)]
  /// Rows of output that a step makes: four where some layer is computed by squares.
  let stepRows: Int
  /// Columns by which strips are ahead in each tensor, `Strips` says why.
  let leads: [Int]
  /// Columns left of a strip's own that are read of each tensor.
  let carried: [Int]
  /// Pixels left and right of each tensor's rows that are read beyond the picture.
  let margins: [Int]

  /// Whether the picture's codes are its samples.
  let readsSamples: Bool

  /// Rows of the folded picture, above and below, that one row of the output depends on.
  let pictureReach: (above: Int, below: Int)

  /// How many of the first rows of each tensor that a run of rows makes the run above it reads, if every tensor of that
  /// one ends where this one's begins (`Loan`).
  let lentRows: [Int]
  /// Whether rows are lent: not where operations other than convolutions read rows, which look in rings alone.
  let lends: Bool

  init(_ network: IntegerNetwork, table: KernelTable) {
    self.network = network
    self.table = table
    readsSamples = network.operations.allSatisfy {
      if case .picture(_, let codes) = $0 { codes == (0...255).map { UInt8($0) } } else { true }
    }
    steps = Plan.steps(network).map { $0 * table.elementBytes }
    planes = network.tensors.indices.map { table.hasQuads && Plan.goesToTheEndingAlone($0, network) ? 4 : 1 }
    var packed: [PackedConvolution?] = []
    var margins = [Int](repeating: 0, count: network.tensors.count)
    for operation in network.operations {
      switch operation {
      case .picture, .mix, .enlargement: packed.append(nil)
      case .convolution(let layer):
        let zeroPoint = layer.output.map { network.tensors[$0].quantisation.zeroPoint } ?? 0
        packed.append(
          PackedConvolution(
            layer, inputStep: steps[layer.input], inputPlanes: planes[layer.input], zeroPoint: zeroPoint,
            planes: network.ending.planes, table: table, arena: arena))
        margins[layer.input] = max(margins[layer.input], layer.kernelWidth - 1)
      }
    }
    self.packed = packed
    self.margins = margins
    stepRows = packed.contains { $0?.squares.isEmpty == false } ? 4 : 1
    (leads, carried) = Plan.leads(network)
    var reach = [(above: Int, below: Int)](repeating: (0, 0), count: network.tensors.count)
    for operation in network.operations.reversed() {
      if case .mix(let mix) = operation {
        for input in mix.inputs {
          reach[input].above = max(reach[input].above, reach[mix.output].above)
          reach[input].below = max(reach[input].below, reach[mix.output].below)
        }
      }
      if case .enlargement(let layer) = operation {
        reach[layer.input].above = max(reach[layer.input].above, reach[layer.output].above + 1)
        reach[layer.input].below = max(reach[layer.input].below, reach[layer.output].below + 1)
      }
      guard case .convolution(let layer) = operation else { continue }
      let output = layer.output.map { reach[$0] } ?? (above: 0, below: 0)
      reach[layer.input].above = max(reach[layer.input].above, output.above + layer.padTop)
      reach[layer.input].below = max(reach[layer.input].below, output.below + layer.kernelHeight - 1 - layer.padTop)
    }
    self.reach = reach
    // To interpolate takes the rows beside.
    let least = network.ending.interpolation == nil ? 0 : 1
    pictureReach = (above: max(reach.map(\.above).max() ?? 0, least), below: max(reach.map(\.below).max() ?? 0, least))
    // After a step every tensor has been made as far as the furthest reader needs; before the next, each reader
    // stands where it was. Between the two lie the rows that must be kept.
    var capacities = [Int](repeating: stepRows, count: network.tensors.count)
    for operation in network.operations {
      if case .mix(let mix) = operation {
        for input in mix.inputs {
          capacities[input] = max(capacities[input], reach[input].below - reach[mix.output].below + stepRows)
        }
      }
      if case .enlargement(let layer) = operation {
        capacities[layer.input] = max(
          capacities[layer.input], reach[layer.input].below - reach[layer.output].below + stepRows + 1)
      }
      guard case .convolution(let layer) = operation else { continue }
      let readerBelow = layer.output.map { reach[$0].below } ?? 0
      capacities[layer.input] = max(
        capacities[layer.input], reach[layer.input].below - readerBelow + layer.padTop + stepRows)
    }
    self.capacities = capacities
    lentRows = Plan.lentRows(network, reach)
    lends = network.operations.allSatisfy {
      switch $0 {
      case .picture, .convolution: true
      case .mix, .enlargement: false
      }
    }
    if let level = network.noiseLevel { setNoiseLevel(level) }
  }

  private static func lentRows(_ network: IntegerNetwork, _ reach: [(above: Int, below: Int)]) -> [Int] {
    var lent = [Int](repeating: 0, count: network.tensors.count)
    for case .convolution(let layer) in network.operations {
      // The reader's own rows end so far above the cut.
      let above = layer.output.map { reach[$0].above } ?? 0
      let below = layer.kernelHeight - 1 - layer.padTop
      lent[layer.input] = max(lent[layer.input], reach[layer.input].above - above + below)
    }
    return lent
  }

  /// Whether a tensor is sixteen channels that one convolution makes and another alone reads, for the ending's few sums.
  private static func goesToTheEndingAlone(_ tensor: Int, _ network: IntegerNetwork) -> Bool {
    let readers = network.operations.filter { $0.inputs.contains(tensor) }
    guard network.tensors[tensor].channels <= 16, readers.count == 1, case .convolution(let last) = readers[0],
      last.output == nil, last.outputChannels <= 4 * network.ending.planes
    else { return false }
    return network.operations.contains {
      if case .convolution(let layer) = $0 { layer.output == tensor } else { false }
    }
  }

  /// In elements. Kernels write sixteen channels at a time; the picture, which they only read, lies closer.
  private static func steps(_ network: IntegerNetwork) -> [Int] {
    var steps = network.tensors.map { ($0.channels + 15) / 16 * 16 }
    for case .picture(let output, _) in network.operations {
      let channels = network.tensors[output].channels
      steps[output] = channels == 1 ? 1 : (channels + 3) / 4 * 4
    }
    return steps
  }

  /// How far strips are ahead in each tensor, and what they read left of that.
  private static func leads(_ network: IntegerNetwork) -> (leads: [Int], carried: [Int]) {
    var leads = [Int](repeating: 0, count: network.tensors.count)
    var carried = leads
    /// Once all readers of the reader's output are seen.
    func read(_ input: Int, by output: Int?, left: Int, right: Int) {
      leads[input] = max(leads[input], Strips.rounded((output.map { leads[$0] } ?? 0) + right))
    }
    func carry(_ input: Int, by output: Int?, left: Int, right: Int) {
      carried[input] = max(carried[input], leads[input] - (output.map { leads[$0] } ?? 0) + left)
    }
    for step in [read, carry] {
      for operation in network.operations.reversed() {
        switch operation {
        case .picture: break
        case .mix(let mix): for input in mix.inputs { step(input, mix.output, 0, 0) }
        case .enlargement(let layer): step(layer.input, layer.output, 1, 1)
        case .convolution(let layer):
          step(layer.input, layer.output, layer.padLeft, layer.kernelWidth - 1 - layer.padLeft)
        }
      }
    }
    return (leads, carried)
  }

  /// Bytes that a strip's rows of all tensors take for each column.
  var bytesPerColumn: Int { zip(steps, capacities).reduce(0) { $0 + $1.0 * $1.1 } }

  /// By how many columns a strip is ahead in the mean of all work.
  var meanLead: Int {
    var (work, ahead) = (1.0, 0.0)
    for case .convolution(let layer) in network.operations {
      work += Double(layer.macs)
      ahead += Double(layer.macs) * Double(layer.output.map { leads[$0] } ?? 0)
    }
    return Int(ahead / work)
  }

  /// Tells a denoiser the noise level, 0 to 1. Not while a run goes on.
  func setNoiseLevel(_ level: Double) {
    for (operation, packed) in zip(network.operations, packed) {
      guard case .convolution(let layer) = operation, layer.noise != nil else { continue }
      packed?.writeBias(layer.bias(noiseLevel: level))
    }
  }
}

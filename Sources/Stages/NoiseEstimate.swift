import Frames

/// The standard deviation of a plane's noise, measured in its flattest blocks.
///
/// Immerkær's estimate (1996) is the mean of a Laplacian difference that takes out edges and slopes; texture raises it,
/// so it is taken from the blocks that are flattest at a coarse scale, where noise hardly shows: what selects a block
/// is not what is measured in it. Blocks near black or white, where noise is clipped, do not count. A difference of
/// colours does not show where that is: it is measured in the blocks of the plane of their mean.
///
/// All sums are integers: the same estimate everywhere.
struct NoiseEstimate {
  /// In levels of eight bits.
  var sigma: Double
  /// Means of the measured blocks, in levels of eight bits: what the picture shows, to tell one shot from the next.
  var means: [Double]
  /// The blocks that were measured.
  let blocks: [Int]

  private static let side = 16
  private static let cell = 4
  /// More blocks than this tell nothing new.
  private static let mostBlocks = 4096
  /// The share of blocks that is trusted, and how far in sigmas from the extremes they have to stay.
  private static let share = 10
  private static let margin = 3.5

  private struct Block {
    /// Sum of absolute differences, 256 of them.
    var differences = 0
    /// Of the samples.
    var sum = 0
    /// How much the means of the 4x4 cells vary.
    var structure = 0
  }

  /// nil where the plane is too small to tell.
  ///
  /// - Parameter chosen: the blocks of another plane of this size to measure, instead of the flattest.
  init?(_ plane: Plane, depth: Int, in chosen: [Int]? = nil) {
    let measured =
      depth > 8 ? NoiseEstimate.measure(plane, UInt16.self) : NoiseEstimate.measure(plane, UInt8.self)
    guard let (blocks, low, high) = measured else { return nil }
    let samples = Double(NoiseEstimate.side * NoiseEstimate.side)
    let level = Double(1 << (depth - 8))
    /// The mean absolute value of a normal variable is sqrt(2 / pi) of its deviation, and the mask's norm is 6.
    func deviation(_ chosen: [Int]) -> Double {
      let differences = chosen.map { blocks[$0].differences }.sorted()
      return Double(differences[differences.count / 2]) / samples * (Double.pi / 2).squareRoot() / 6
    }
    means = blocks.map { Double($0.sum) / samples / level }
    if let chosen {
      self.blocks = chosen
    } else {
      let flattest = blocks.indices.sorted { (blocks[$0].structure, $0) < (blocks[$1].structure, $1) }
      let count = max(8, blocks.count / NoiseEstimate.share)
      var chosen = Array(flattest.prefix(count))
      for _ in 0..<2 {
        let margin = NoiseEstimate.margin * deviation(chosen)
        let (bottom, top) = (Double(low) + margin, Double(high) - margin)
        let inside = flattest.lazy.filter { (bottom...max(bottom, top)).contains(Double(blocks[$0].sum) / samples) }
        guard inside.prefix(8).count == 8 else { break }
        chosen = Array(inside.prefix(count))
      }
      self.blocks = chosen
    }
    sigma = deviation(self.blocks) / level
  }

  private static func measure<Sample: FixedWidthInteger & UnsignedInteger>(
    _ plane: Plane, _: Sample.Type
  ) -> (blocks: [Block], low: Int, high: Int)? {
    // A sample's neighbours lie in the plane, too.
    let across = (plane.width - 2) / side, down = (plane.height - 2) / side
    guard plane.width > 2, plane.height > 2, across > 0, down > 0 else { return nil }
    let step = (across * down + mostBlocks - 1) / mostBlocks
    var blocks: [Block] = []
    var (low, high) = (Int.max, 0)
    for index in stride(from: 0, to: across * down, by: step) {
      let (x, y) = (1 + index % across * side, 1 + index / across * side)
      blocks.append(block(plane, x, y, &low, &high, Sample.self))
    }
    return (blocks, low, high)
  }

  private static func block<Sample: FixedWidthInteger & UnsignedInteger>(
    _ plane: Plane, _ left: Int, _ top: Int, _ low: inout Int, _ high: inout Int, _: Sample.Type
  ) -> Block {
    var block = Block()
    var cells = [16 of Int32](repeating: 0)
    var (least, most) = (Sample.max, Sample.min)
    for y in 0..<side {
      let above = plane.row(top + y - 1, as: Sample.self) + left
      let row = plane.row(top + y, as: Sample.self) + left
      let below = plane.row(top + y + 1, as: Sample.self) + left
      var differences: Int32 = 0
      for x in 0..<side {
        let corners = Int32(above[x - 1]) + Int32(above[x + 1]) + Int32(below[x - 1]) + Int32(below[x + 1])
        let sides = Int32(above[x]) + Int32(below[x]) + Int32(row[x - 1]) + Int32(row[x + 1])
        differences += abs(corners - 2 * sides + 4 * Int32(row[x]))
        cells[y / cell * cell + x / cell] += Int32(row[x])
        least = min(least, row[x])
        most = max(most, row[x])
      }
      block.differences += Int(differences)
    }
    for index in cells.indices { block.sum += Int(cells[index]) }
    // 16 times the sum of squared distances from the mean.
    for index in cells.indices {
      let distance = 16 * Int(cells[index]) - block.sum
      block.structure += distance * distance
    }
    low = min(low, Int(least))
    high = max(high, Int(most))
    return block
  }
}

/// Keeps the noise level of one plane steady while a shot lasts: results that change from frame to frame would pump.
struct NoiseTracker {
  private var estimates: [Double] = []
  private var means: [Double] = []
  private(set) var level = 0.0

  /// Frames whose estimates are weighed.
  private static let memory = 25
  /// The mean change of a block, in levels of eight bits, that makes a new shot.
  private static let cut = 16.0

  /// The level to use for a frame with this estimate.
  mutating func update(_ estimate: NoiseEstimate) -> Double {
    if isNewShot(estimate.means) { estimates = [] }
    means = estimate.means
    estimates.append(estimate.sigma)
    if estimates.count > NoiseTracker.memory { estimates.removeFirst() }
    let median = estimates.sorted()[estimates.count / 2]
    if estimates.count == 1 || abs(median - level) > 0.3 + 0.15 * level { level = median }
    return level
  }

  private func isNewShot(_ now: [Double]) -> Bool {
    guard now.count == means.count else { return true }
    let change = zip(now, means).reduce(0) { $0 + abs($1.0 - $1.1) }
    return change > NoiseTracker.cut * Double(now.count)
  }
}

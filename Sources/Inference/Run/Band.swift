import Foundation
import Frames
import Kernels

/// One thread's share of a picture: a band of rows, run depth-first, strip by strip.
///
/// Of every tensor only the rows that are still needed exist, in a ring; one step makes one row of output, or
/// four, and before it each layer's next ones. A band makes the few rows above that it depends on itself, and those below
/// unless another lends them.
final class Band {
  let plan: Plan
  /// Their columns are those of every tensor: the picture's, or its blocks where the network folds it.
  let strips: Strips
  private let seam: Seam
  private let rings: [Ring]
  let sums: UnsafeMutablePointer<Int32>
  private let rows: UnsafeMutablePointer<UnsafePointer<UInt8>>
  private let outputRows: UnsafeMutablePointer<UnsafeMutablePointer<UInt8>>
  private let squareScratch: UnsafeMutableRawPointer
  let scratch: UnsafeMutableRawPointer
  let finishScales: UnsafeMutablePointer<Float>
  /// For rows of a block that lie below the picture.
  let spareRow: UnsafeMutableRawPointer
  /// Sums that four outputs of a row take.
  let sumsOfFour: Int
  /// Two rows of the enlarged picture, so many samples apart, where it is interpolated.
  let interpolated: UnsafeMutablePointer<UInt16>
  let interpolatedStep: Int
  private let arena = Arena()
  /// Of the run at hand: where its first rows go, and where rows are found that it does not make.
  private var lends: Loan?
  private var loan: Loan?
  /// Nanoseconds spent in each operation, where asked for.
  var profile: [UInt64]?
  // Pointers, not arrays: a row would pay for proving that nobody else changes them.

  /// The next row of each tensor to be made.
  private let next: UnsafeMutablePointer<Int>
  private let wanted: UnsafeMutablePointer<Int>
  /// The first row of each tensor that is made.
  private let first: UnsafeMutablePointer<Int>
  /// Columns of the strip at hand: of each tensor, and of the output.
  let columns: UnsafeMutablePointer<Columns>
  private let strip: UnsafeMutablePointer<Int>

  var outputColumns: Columns { columns[rings.count] }

  var bytes: Int { arena.bytes + seam.bytes }
  /// Of a row of each tensor.
  var rowBytes: [Int] { rings.map(\.rowBytes) }

  /// Widths are rounded up to whole tiles of any level.
  static let tile = 24
  /// Of both that and the tiles of `quads`.
  private static let widestTile = 96

  init(_ plan: Plan, _ strips: Strips) {
    self.plan = plan
    self.strips = strips
    seam = Seam(plan)
    let fold = plan.network.fold
    let arena = self.arena
    /// Columns that kernels may write or read from where a strip, or the strip of a layer that reads it, begins.
    func room(lead: Int) -> Int {
      (strips.widest(lead: lead) + Band.widestTile - 1) / Band.widestTile * Band.widestTile
        + (strips.count > 1 ? Band.tile : 0)
    }
    rings = plan.network.tensors.indices.map { index in
      Ring(
        arena: arena, columns: room(lead: plan.leads[index]), left: strips.count > 1 ? plan.carried[index] : 0,
        margin: plan.margins[index], step: plan.steps[index] / plan.planes[index], planes: plan.planes[index],
        elementBytes: plan.table.elementBytes,
        capacity: plan.capacities[index], blank: plan.network.tensors[index].quantisation.zeroPoint)
    }
    let tiles = room(lead: 0)
    let sumStep = plan.packed.compactMap { $0?.sumStep }.last ?? 16
    sumsOfFour = 4 * tiles
    let fours = (plan.network.ending.planes * plan.network.ending.upscale * plan.network.ending.upscale + 3) / 4
    sums = arena.make(Int32.self, count: sumStep == 4 ? fours * sumsOfFour : tiles * sumStep)
    let kernelHeight =
      plan.network.operations.map { operation in
        if case .convolution(let layer) = operation { layer.kernelHeight } else { 1 }
      }.max() ?? 1
    rows = arena.make(UnsafePointer<UInt8>.self, count: max(4 * kernelHeight, 6))
    outputRows = arena.make(UnsafeMutablePointer<UInt8>.self, count: 4)
    let channels = plan.packed.compactMap { $0?.squares.map(\.channels).max() }.max() ?? 0
    squareScratch = UnsafeMutableRawPointer(
      arena.make(UInt8.self, count: channels > 0 ? SquareRows.scratchBytes(channels: channels) : 1))
    scratch = UnsafeMutableRawPointer(arena.make(UInt8.self, count: 512))
    spareRow = UnsafeMutableRawPointer(arena.make(UInt16.self, count: fold > 1 ? 2 * tiles : 1))
    finishScales = arena.make(Float.self, count: 32 * plan.network.ending.planes)
    interpolatedStep = 2 * fold * strips.widest(lead: 0) + 64
    interpolated = arena.make(
      UInt16.self, count: plan.network.ending.interpolation == nil ? 1 : 2 * interpolatedStep)
    next = arena.make(Int.self, count: rings.count)
    wanted = arena.make(Int.self, count: rings.count)
    first = arena.make(Int.self, count: rings.count)
    columns = arena.make(Columns.self, count: rings.count + 1)
    strip = arena.make(Int.self, count: 1)
  }

  /// What a run reads and writes: the whole picture, and how its samples are to be made.
  struct Job {
    var inputs: [Plane]
    var inputDepth: Int
    var outputs: [MutablePlane]
    var outputDepth: Int
    var arithmetic: EndingArithmetic
  }

  /// Makes the output of some rows of the folded picture.
  ///
  /// - Parameters:
  ///   - run: nothing is lent or borrowed where there are several strips.
  ///   - proceed: is told before which row the next step ends, and says where the run does by now and whose rows it is
  ///     to borrow from then on; asked only where there is one strip.
  func run(_ job: Job, _ run: RowShares.Run, proceed: ((Int) -> (end: Int, loan: Loan?))? = nil) {
    let range = run.rows
    lends = run.lends
    defer { (lends, loan) = (nil, nil) }
    let network = plan.network
    let height = (job.inputs[0].height + network.fold - 1) / network.fold
    for plane in 0..<network.ending.planes where network.ending.upscale == 2 {
      for index in 0..<32 {
        finishScales[32 * plane + index] = job.arithmetic.scales[4 * plane + index / 16 * 2 + index % 2]
      }
    }
    if strips.count > 1 { seam.reserve(rows: range.count + plan.pictureReach.above + plan.pictureReach.below) }
    for strip in 0..<strips.count {
      enter(strip)
      runStrip(job, rows: range, height: height, proceed: strips.count > 1 ? nil : proceed)
    }
  }

  private func enter(_ strip: Int) {
    self.strip.pointee = strip
    columns[rings.count] = strips.columns(strip, lead: 0)
    for tensor in rings.indices {
      columns[tensor] = strips.columns(strip, lead: plan.leads[tensor])
    }
  }

  private func runStrip(_ job: Job, rows range: Range<Int>, height: Int, proceed: ((Int) -> (end: Int, loan: Loan?))?) {
    let network = plan.network
    for tensor in rings.indices {
      first[tensor] = max(0, range.lowerBound - plan.reach[tensor].above)
      next[tensor] = first[tensor]
    }
    lends?.begin(first: first, height: height)
    // The first steps only fill the rings, lest a layer overwrite rows that the next one has yet to read.
    let start = min(rings.indices.map { next[$0] - plan.reach[$0].below }.min() ?? range.lowerBound, range.lowerBound)
    for y in stride(from: start, to: range.upperBound, by: plan.stepRows) {
      let (last, loan) = proceed?(y + plan.stepRows) ?? (range.upperBound, nil)
      let end = min(y + plan.stepRows, last)
      guard end > y else { break }
      self.loan = loan
      for tensor in rings.indices {
        // While it borrows, its own rows end where the loan's begin.
        let limit = loan == nil ? height : max(0, last - plan.reach[tensor].above)
        wanted[tensor] = min(limit, end + plan.reach[tensor].below)
      }
      for index in plan.packed.indices {
        let start = profile == nil ? 0 : DispatchTime.now().uptimeNanoseconds
        defer { if profile != nil { profile?[index] += DispatchTime.now().uptimeNanoseconds - start } }
        if let packed = plan.packed[index] {
          if let output = packed.output {
            if packed.squares.isEmpty {
              advance(output) { convolve(packed, y: $0, height: height, into: output) }
            } else {
              advance(output, by: plan.stepRows) {
                convolveSquares(packed, rows: $0..<$1, height: height, into: output)
              }
            }
          } else {
            for y in max(y, range.lowerBound)..<max(end, range.lowerBound) {
              convolve(packed, y: y, height: height, into: nil)
              finish(job, packed, y: y)
            }
          }
          continue
        }
        switch network.operations[index] {
        case .picture(let output, let codes):
          advance(output) { readPicture(job, y: $0, codes: codes, columns[output], into: rings[output]) }
        case .mix(let mix): advance(mix.output) { self.mix(mix, y: $0, rings) }
        case .enlargement(let layer): advance(layer.output) { enlarge(layer, y: $0, height: height, rings) }
        case .convolution: break
        }
      }
    }
  }

  /// Makes a tensor's rows as far as they are wanted.
  @inline(__always) private func advance(_ tensor: Int, _ makeRow: (Int) -> Void) {
    advance(tensor, by: 1) { row, _ in makeRow(row) }
  }

  /// - Parameter makeRows: makes some rows, up to a row.
  @inline(__always) private func advance(_ tensor: Int, by most: Int, _ makeRows: (Int, Int) -> Void) {
    while next[tensor] < wanted[tensor] {
      let (first, end) = (next[tensor], min(next[tensor] + most, wanted[tensor]))
      for y in first..<end { open(tensor, y: y) }
      makeRows(first, end)
      for y in first..<end { close(tensor, y: y) }
      next[tensor] = end
    }
  }

  /// Fetches what lies left of the strip.
  @inline(__always) private func open(_ tensor: Int, y: Int) {
    guard strips.count > 1 else { return }
    let ring = rings[tensor]
    guard strip.pointee > 0 else { return ring.openRow(y) }
    let bytes = plan.carried[tensor] * ring.step
    for plane in 0..<ring.planes {
      let left = seam.row(y - first[tensor], of: tensor) + plane * bytes
      memcpy(ring.row(y) + plane * ring.planeBytes - bytes, left, bytes)
    }
  }

  /// Makes a row that has been computed ready to be read, here and by the strip to the right.
  @inline(__always) private func close(_ tensor: Int, y: Int) {
    let (ring, count) = (rings[tensor], columns[tensor].count)
    ring.closeRow(y, columns: count)
    lends?.keep(y, of: tensor, from: ring)
    if strip.pointee + 1 < strips.count {
      let bytes = plan.carried[tensor] * ring.step
      for plane in 0..<ring.planes {
        let last = ring.row(y) + plane * ring.planeBytes + count * ring.step - bytes
        memcpy(seam.row(y - first[tensor], of: tensor) + plane * bytes, last, bytes)
      }
    }
  }

  /// A row of a tensor that a convolution reads.
  @inline(__always) private func row(_ y: Int, of tensor: Int) -> UnsafeMutablePointer<UInt8> {
    if let loan, y >= next[tensor] { return loan.row(y, of: tensor) }
    return rings[tensor].row(y)
  }

  /// Where a column of a row of a tensor lies; the strip at hand need not make it.
  @inline(__always) func pixel(_ column: Int, of tensor: Int, y: Int) -> UnsafeMutablePointer<UInt8> {
    rings[tensor].row(y) + (column - columns[tensor].lowerBound) * rings[tensor].step
  }

  /// - Parameter output: the tensor it makes a row of; nil: sums.
  private func convolve(_ packed: PackedConvolution, y: Int, height: Int, into output: Int?) {
    let own = output.map { columns[$0] } ?? outputColumns
    let input = rings[packed.input]
    let place = own.lowerBound - columns[packed.input].lowerBound
    for tap in 0..<packed.kernelHeight {
      let row = y - packed.padTop + tap
      let first = (row < 0 || row >= height ? input.blank : self.row(row, of: packed.input)) + place * input.step
      for plane in 0..<input.planes {
        rows[tap * input.planes + plane] = UnsafePointer(first + plane * input.planeBytes)
      }
    }
    for pass in packed.passes {
      var job = ConvolutionRow(
        shape: packed.shape, blocks: pass.blocks, rows: rows, rowCount: packed.kernelHeight * input.planes,
        inputStep: input.step,
        rowEnds: pass.rowEnds, offsets: pass.offsets, weights: pass.weights, bias: pass.bias,
        requantisation: pass.requantisation, output: nil, sums: nil, outputStep: packed.sumStep, width: own.count)
      if let output = output.map({ rings[$0] }) {
        job.output = output.row(y) + pass.firstChannel * plan.table.elementBytes
        job.outputStep = output.step
        job.outputPlane = output.planes > 1 ? output.planeBytes : 0
      } else {
        job.sums = sums + (packed.shape != .taps ? pass.firstChannel / 4 * sumsOfFour : pass.firstChannel)
      }
      plan.table.convolve(&job)
    }
  }

  /// Makes one to four rows of a tensor.
  private func convolveSquares(_ packed: PackedConvolution, rows made: Range<Int>, height: Int, into output: Int) {
    guard let squares = plan.table.squares else { return }
    let (own, from, to) = (columns[output], rings[packed.input], rings[output])
    let place = (own.lowerBound - columns[packed.input].lowerBound) * from.step
    for pass in packed.squares {
      let (firstInput, firstOutput) = (
        pass.firstInput * plan.table.elementBytes, pass.firstChannel * plan.table.elementBytes
      )
      for tap in 0..<6 {
        // Those of a square that reaches beyond what is made count for nothing.
        let row = made.lowerBound - 1 + tap
        let blank = row < 0 || row >= height || row > made.upperBound
        rows[tap] = UnsafePointer((blank ? from.blank : self.row(row, of: packed.input)) + place + firstInput)
      }
      for row in made { outputRows[row - made.lowerBound] = to.row(row) + firstOutput }
      var job = SquareRows(
        rows: rows, inputStep: from.step, channels: pass.channels, blocks: pass.blocks, weights: pass.weights,
        bias: pass.bias, requantisations: pass.requantisations, outputs: outputRows, rowCount: made.count,
        outputStep: to.step, width: own.count, scratch: squareScratch)
      squares.convolve(&job)
    }
  }
}

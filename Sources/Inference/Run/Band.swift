import Foundation
import Frames
import Kernels

/// One thread's share of a picture: a band of rows, run depth-first.
///
/// Of every tensor only the rows that are still needed exist, in a ring; one step makes one row of output, and before
/// it each layer's next row. A band makes the few rows above and below that it depends on itself.
final class Band {
  let plan: Plan
  /// Pixels of a row of every tensor: the picture's, or its blocks where the network folds it.
  let width: Int
  private let rings: [Ring]
  /// Of tensors that are read as pairs.
  private let pairRings: [Ring?]
  let sums: UnsafeMutablePointer<Int32>
  private let rows: UnsafeMutablePointer<UnsafePointer<UInt8>>
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
  /// Nanoseconds spent in each operation, where asked for.
  var profile: [UInt64]?
  /// The next row of each tensor to be made.
  private var next: [Int]
  private var wanted: [Int]

  var bytes: Int { arena.bytes }

  /// Widths are rounded up to whole tiles of any level.
  static let tile = 24

  init(_ plan: Plan, pictureWidth: Int) {
    self.plan = plan
    let fold = plan.network.fold
    let width = (pictureWidth + fold - 1) / fold
    self.width = width
    let tiles = (width + Band.tile - 1) / Band.tile * Band.tile
    let arena = self.arena
    rings = plan.network.tensors.indices.map { index in
      Ring(
        arena: arena, width: width, tiles: tiles, step: plan.steps[index], elementBytes: plan.table.elementBytes,
        margin: plan.margins[index], capacity: plan.capacities[index],
        blank: plan.network.tensors[index].quantisation.zeroPoint)
    }
    let rings = self.rings
    pairRings = plan.network.tensors.indices.map { index in
      guard plan.pairs[index], let spread = plan.table.pairs?.spread else { return nil }
      let ring = Ring(
        arena: arena, width: tiles / 2, tiles: tiles / 2, step: 4 * plan.steps[index],
        elementBytes: plan.table.elementBytes, margin: 0, capacity: plan.capacities[index], blank: 0)
      spread(rings[index].blank, plan.steps[index], ring.blank, tiles / 2)
      return ring
    }
    let sumStep = plan.packed.compactMap { $0?.sumStep }.last ?? 16
    // Four tiles of pairs want 16 sums for each of up to four pixels.
    sumsOfFour = 4 * tiles
    let fours = (plan.network.ending.planes * plan.network.ending.upscale * plan.network.ending.upscale + 3) / 4
    sums = arena.make(Int32.self, count: max(sumStep == 4 ? fours * sumsOfFour : tiles * sumStep, 256))
    let kernelHeight =
      plan.network.operations.map { operation in
        if case .convolution(let layer) = operation { layer.kernelHeight } else { 1 }
      }.max() ?? 1
    rows = arena.make(UnsafePointer<UInt8>.self, count: kernelHeight)
    scratch = UnsafeMutableRawPointer(arena.make(UInt8.self, count: 512))
    spareRow = UnsafeMutableRawPointer(arena.make(UInt16.self, count: fold > 1 ? 2 * tiles : 1))
    finishScales = arena.make(Float.self, count: 32 * plan.network.ending.planes)
    interpolatedStep = 2 * pictureWidth + 64
    interpolated = arena.make(
      UInt16.self, count: plan.network.ending.interpolation == nil ? 1 : 2 * interpolatedStep)
    next = .init(repeating: 0, count: plan.network.tensors.count)
    wanted = next
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
  func run(_ job: Job, rows range: Range<Int>) {
    let network = plan.network
    let height = (job.inputs[0].height + network.fold - 1) / network.fold
    for plane in 0..<network.ending.planes where network.ending.upscale == 2 {
      for index in 0..<32 {
        finishScales[32 * plane + index] = job.arithmetic.scales[4 * plane + index / 16 * 2 + index % 2]
      }
    }
    for tensor in next.indices {
      next[tensor] = max(0, range.lowerBound - plan.reach[tensor].above)
    }
    // The first steps only fill the rings, a row at a time, lest a layer overwrite rows that the next one has yet to read.
    let first = next.indices.map { next[$0] - plan.reach[$0].below }.min() ?? range.lowerBound
    for y in min(first, range.lowerBound)..<range.upperBound {
      for tensor in wanted.indices { wanted[tensor] = min(height - 1, y + plan.reach[tensor].below) }
      for index in plan.packed.indices {
        let start = profile == nil ? 0 : DispatchTime.now().uptimeNanoseconds
        defer { if profile != nil { profile?[index] += DispatchTime.now().uptimeNanoseconds - start } }
        if let packed = plan.packed[index] {
          if let output = packed.output {
            advance(output) { convolve(packed, y: $0, height: height, into: rings[output]) }
          } else if y >= range.lowerBound {
            convolve(packed, y: y, height: height, into: nil)
            finish(job, packed, y: y)
          }
          continue
        }
        switch network.operations[index] {
        case .picture(let output, let codes):
          advance(output) { readPicture(job, y: $0, codes: codes, into: rings[output]) }
        case .mix(let mix): advance(mix.output) { self.mix(mix, y: $0, rings) }
        case .enlargement(let layer): advance(layer.output) { enlarge(layer, y: $0, height: height, rings) }
        case .convolution: break
        }
      }
    }
  }

  /// Makes a tensor's rows as far as they are wanted.
  @inline(__always) private func advance(_ tensor: Int, _ makeRow: (Int) -> Void) {
    while next[tensor] <= wanted[tensor] {
      makeRow(next[tensor])
      spread(tensor, y: next[tensor])
      next[tensor] += 1
    }
  }

  private func convolve(_ packed: PackedConvolution, y: Int, height: Int, into output: Ring?) {
    let input = packed.readsPairs ? pairRings[packed.input] ?? rings[packed.input] : rings[packed.input]
    for tap in 0..<packed.kernelHeight {
      let row = y - packed.padTop + tap
      rows[tap] = UnsafePointer(row < 0 || row >= height ? input.blank : input.row(row))
    }
    for pass in packed.passes {
      var job = ConvolutionRow(
        shape: packed.shape, blocks: pass.blocks, rows: rows, rowCount: packed.kernelHeight, inputStep: input.step,
        rowEnds: pass.rowEnds, offsets: pass.offsets, weights: pass.weights, bias: pass.bias,
        requantisation: pass.requantisation, output: nil, sums: nil, outputStep: packed.sumStep, width: width)
      if let output {
        job.output = output.row(y) + pass.firstChannel * plan.table.elementBytes
        job.outputStep = output.step
      } else {
        job.sums = sums + (packed.shape == .few ? pass.firstChannel / 4 * sumsOfFour : pass.firstChannel)
      }
      if packed.readsPairs {
        job.sums = sums
        plan.table.pairs?.convolve(&job)
      } else {
        plan.table.convolve(&job)
      }
    }
    output?.closeRow(y)
  }

  /// Transforms a row that was just made, where some layer reads pairs.
  private func spread(_ tensor: Int, y: Int) {
    guard let ring = pairRings[tensor] else { return }
    plan.table.pairs?.spread(rings[tensor].row(y), rings[tensor].step, ring.row(y), (width + 1) / 2)
  }
}

/// The rows of one tensor that are alive.
struct Ring {
  /// Bytes from pixel to pixel.
  let step: Int
  /// 1 or 2: codes are bytes, or as many in 16 bits.
  let elementBytes: Int
  let capacity: Int
  /// A row of codes that stand for zero, for what lies above and below the picture.
  let blank: UnsafeMutablePointer<UInt8>
  private let first: UnsafeMutablePointer<UInt8>
  private let rowBytes: Int
  let width: Int
  private let margin: Int
  private let blankCode: UInt8

  init(
    arena: Arena, width: Int, tiles: Int, step: Int, elementBytes: Int, margin: Int, capacity: Int, blank: UInt8
  ) {
    self.step = step
    self.elementBytes = elementBytes
    self.width = width
    self.margin = margin
    self.capacity = capacity
    blankCode = blank
    let left = (margin * step + 63) / 64 * 64
    // The last group of four or sixteen bytes of the last pixel's window may begin inside it and end beyond.
    let right = margin * step + 64
    let whole = (left + tiles * step + right + 63) / 64 * 64
    // A row that fills pages exactly would make rows compete for the same lines of cache.
    rowBytes = whole % 4096 == 0 ? whole + 64 : whole
    let memory = arena.make(UInt8.self, count: rowBytes * (capacity + 1))
    first = memory + left
    self.blank = first + rowBytes * capacity
    fill(memory, bytes: rowBytes * (capacity + 1))
  }

  func row(_ y: Int) -> UnsafeMutablePointer<UInt8> { first + y % capacity * rowBytes }

  /// Makes what lies right of the picture stand for zero again, after a kernel wrote over it.
  func closeRow(_ y: Int) { fill(row(y) + width * step, bytes: margin * step) }

  private func fill(_ to: UnsafeMutablePointer<UInt8>, bytes: Int) {
    if elementBytes == 1 {
      to.update(repeating: blankCode, count: bytes)
    } else {
      to.withMemoryRebound(to: UInt16.self, capacity: bytes / 2) {
        $0.update(repeating: UInt16(blankCode), count: bytes / 2)
      }
    }
  }
}

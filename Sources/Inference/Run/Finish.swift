import Foundation
import Frames
import Kernels

/// The last step of a band: one row of sums becomes `upscale` rows of samples of each plane.
extension Band {
  func finish(_ job: Job, _ packed: PackedConvolution, y: Int) {
    for plane in 0..<plan.network.ending.planes {
      if packed.shape != .taps && plan.network.ending.upscale == 2 && plan.network.fold <= 2 {
        finishTwice(job, packed.shape, plane, y: y)
      } else {
        finishAny(job, packed, plane, y: y)
      }
    }
  }

  /// Whole groups of eight or sixteen pixels go to the picture at once; the last, partial one by way of a scratch row.
  private func finishTwice(_ job: Job, _ shape: ConvolutionRow.Shape, _ plane: Int, y: Int) {
    let (ending, fold, output) = (plan.network.ending, plan.network.fold, job.outputs[plane])
    // Of a folded picture the last block may be cut off.
    let (first, end) = (2 * outputColumns.lowerBound, min(2 * outputColumns.upperBound, output.width))
    let group = shape == .quads ? 16 : 8
    let whole = (end - first) / 2 / group * group
    let outputBytes = job.outputDepth > 8 ? 2 : 1
    let hasLower = 2 * y + 1 < output.height
    let upper = output.base + 2 * y * output.stride + first * outputBytes
    let lower = hasLower ? upper + output.stride : spareRow
    // The base, a sample for each pixel of sums or two, and what there is of it.
    var (base, lowerBase) = (UnsafeRawPointer(spareRow), UnsafeRawPointer(spareRow))
    var (repeats, bytes, samples) = (false, 2, end - first)
    if let interpolation = ending.interpolation {
      for line in 0..<2 {
        interpolate(job, plane, y: 2 * y + line, interpolation, into: interpolated + line * interpolatedStep)
      }
      base = UnsafeRawPointer(interpolated)
      lowerBase = UnsafeRawPointer(interpolated + interpolatedStep)
    } else if ending.addsPicture {
      let input = job.inputs[plane]
      bytes = job.inputDepth > 8 ? 2 : 1
      repeats = fold == 1
      let firstSample = outputColumns.lowerBound * fold
      samples = min(outputColumns.upperBound * fold, input.width) - firstSample
      base = input.base + y * fold * input.stride + firstSample * bytes
      lowerBase = fold == 2 && hasLower ? base + input.stride : base
    }
    let sums = sums(of: plane)
    var row = FinishingRow(
      sums: sums, bySixteen: shape == .quads, base: ending.addsPicture ? base : nil, lowerBase: lowerBase,
      wideBase: bytes == 2,
      repeatsBase: repeats, upper: upper, lower: lower, wideOutput: outputBytes == 2, width: whole,
      arithmetic: job.arithmetic.template, scales: finishScales + 32 * plane)
    plan.table.finish(&row)
    guard outputColumns.count > whole else { return }
    if ending.addsPicture {
      let done = whole * (repeats ? 1 : 2)
      memcpy(scratch, base + done * bytes, (samples - done) * bytes)
      memcpy(scratch + 64, lowerBase + done * bytes, (samples - done) * bytes)
    }
    row.sums = UnsafePointer(sums + 4 * whole)
    row.base = ending.addsPicture ? UnsafeRawPointer(scratch) : nil
    row.lowerBase = UnsafeRawPointer(scratch + 64)
    row.upper = scratch + 128
    row.lower = scratch + 192
    row.width = group
    plan.table.finish(&row)
    let outputRest = (end - first - 2 * whole) * outputBytes
    memcpy(upper + 2 * whole * outputBytes, scratch + 128, outputRest)
    if hasLower { memcpy(lower + 2 * whole * outputBytes, scratch + 192, outputRest) }
  }

  private func finishAny(_ job: Job, _ packed: PackedConvolution, _ plane: Int, y: Int) {
    let (ending, output) = (plan.network.ending, job.outputs[plane])
    let upscale = ending.upscale
    let scale = upscale / plan.network.fold
    let first = outputColumns.lowerBound * upscale
    for row in y * upscale..<min((y + 1) * upscale, output.height) {
      if let interpolation = ending.interpolation {
        interpolate(job, plane, y: row, interpolation, into: interpolated)
      }
      for column in first..<min(outputColumns.upperBound * upscale, output.width) {
        var base: Int32?
        if ending.interpolation != nil {
          base = Int32(interpolated[column - first])
        } else if ending.addsPicture {
          base =
            job.inputDepth > 8
            ? Int32(job.inputs[plane].row(row / scale, as: UInt16.self)[column / scale])
            : Int32(job.inputs[plane].row(row / scale, as: UInt8.self)[column / scale])
        }
        let channel = (plane * upscale + row % upscale) * upscale + column % upscale
        let x = (column - first) / upscale
        // Sums of few outputs lie [4 outputs][4 or 16 pixels].
        let group = packed.shape == .quads ? 16 : 4
        let index =
          packed.shape != .taps
          ? channel / 4 * sumsOfFour + (x / group * 4 + channel % 4) * group + x % group : x * packed.sumStep + channel
        let sample = job.arithmetic.sample(sum: sums[index], channel: channel, base: base)
        if job.outputDepth > 8 {
          output.row(row, as: UInt16.self)[column] = UInt16(truncatingIfNeeded: sample)
        } else {
          output.row(row, as: UInt8.self)[column] = UInt8(truncatingIfNeeded: sample)
        }
      }
    }
  }

  /// Where the sums of a plane's four outputs lie.
  private func sums(of plane: Int) -> UnsafeMutablePointer<Int32> { sums + plane * sumsOfFour }

  /// The strip's part of one row of a plane that is twice as large.
  private func interpolate(
    _ job: Job, _ plane: Int, y: Int, _ interpolation: Interpolation, into row: UnsafeMutablePointer<UInt16>
  ) {
    let input = job.inputs[plane]
    let weights = y % 2 == 0 ? interpolation.weights.even : interpolation.weights.odd
    let lines = (-1...1).map { min(max(y / 2 + $0, 0), input.height - 1) }
    let fold = plan.network.fold
    let columns = outputColumns.lowerBound * fold..<min(outputColumns.upperBound * fold, input.width)
    if job.inputDepth > 8 {
      interpolate(
        lines.map { input.row($0, as: UInt16.self) }, weights, interpolation, job.inputDepth, input.width, columns, row)
    } else {
      interpolate(
        lines.map { input.row($0, as: UInt8.self) }, weights, interpolation, job.inputDepth, input.width, columns, row)
    }
  }

  @inline(__always)
  private func interpolate<Sample: FixedWidthInteger>(
    _ lines: [UnsafePointer<Sample>], _ weights: [Int32], _ interpolation: Interpolation, _ depth: Int, _ width: Int,
    _ columns: Range<Int>, _ row: UnsafeMutablePointer<UInt16>
  ) {
    let (a, b, c) = (lines[0], lines[1], lines[2])
    let (u, v, w) = (weights[0], weights[1], weights[2])
    let (even, odd) = interpolation.weights
    let (before, at, after) = (even[0], even[1], odd[2])
    let middle = odd[1]
    // A sample has four bits more than the input's, as far as they fit 16.
    let shift = Int32(max(depth - 12, 0))
    let half: Int32 = shift > 0 ? 1 << (shift - 1) : 0
    func column(_ x: Int) -> Int32 { Int32(a[x]) &* u &+ Int32(b[x]) &* v &+ Int32(c[x]) &* w }
    func put(_ x: Int, _ left: Int32, _ here: Int32, _ right: Int32) {
      let place = 2 * (x - columns.lowerBound)
      row[place] = UInt16(truncatingIfNeeded: (left &* before &+ here &* at &+ half) >> shift)
      row[place + 1] = UInt16(truncatingIfNeeded: (here &* middle &+ right &* after &+ half) >> shift)
    }
    guard width > 1 else { return put(0, column(0), column(0), column(0)) }
    if columns.lowerBound == 0 { put(0, column(0), column(0), column(1)) }
    for x in max(columns.lowerBound, 1)..<min(columns.upperBound, width - 1) {
      put(x, column(x - 1), column(x), column(x + 1))
    }
    if columns.upperBound == width { put(width - 1, column(width - 2), column(width - 1), column(width - 1)) }
  }
}

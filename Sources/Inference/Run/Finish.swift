import Foundation
import Frames
import Kernels

/// The last step of a band: one row of sums becomes `upscale` rows of samples.
extension Band {
  func finish(_ job: Job, _ packed: PackedConvolution, y: Int) {
    if packed.shape == .few && plan.network.ending.upscale == 2 && plan.network.fold <= 2 {
      finishTwice(job, y: y)
    } else {
      finishAny(job, packed, y: y)
    }
  }

  /// Whole groups of eight pixels go to the picture at once; the last, partial one by way of a scratch row.
  private func finishTwice(_ job: Job, y: Int) {
    // Of a folded picture the last block may be cut off.
    let fold = plan.network.fold
    let whole = job.input.width / fold / 8 * 8
    let inputBytes = job.inputDepth > 8 ? 2 : 1
    let outputBytes = job.outputDepth > 8 ? 2 : 1
    let hasLower = 2 * y + 1 < job.output.height
    let upper = job.output.base + 2 * y * job.output.stride
    let lower = hasLower ? upper + job.output.stride : spareRow
    let base = job.input.base + y * fold * job.input.stride
    let lowerBase = fold == 2 && hasLower ? base + job.input.stride : base
    let addsPicture = plan.network.ending.addsPicture
    var row = FinishingRow(
      sums: sums, base: addsPicture ? base : nil, lowerBase: lowerBase, wideBase: inputBytes == 2,
      repeatsBase: fold == 1,
      upper: upper, lower: lower, wideOutput: outputBytes == 2, width: whole, arithmetic: job.arithmetic.template,
      scales: finishScales)
    plan.table.finish(&row)
    guard width > whole else { return }
    let inputRest = (job.input.width - whole * fold) * inputBytes
    memcpy(scratch, base + whole * fold * inputBytes, inputRest)
    memcpy(scratch + 64, lowerBase + whole * fold * inputBytes, inputRest)
    row.sums = UnsafePointer(sums + 4 * whole)
    row.base = addsPicture ? UnsafeRawPointer(scratch) : nil
    row.lowerBase = UnsafeRawPointer(scratch + 64)
    row.upper = scratch + 128
    row.lower = scratch + 192
    row.width = 8
    plan.table.finish(&row)
    let outputRest = (job.output.width - 2 * whole) * outputBytes
    memcpy(upper + 2 * whole * outputBytes, scratch + 128, outputRest)
    if hasLower { memcpy(lower + 2 * whole * outputBytes, scratch + 192, outputRest) }
  }

  private func finishAny(_ job: Job, _ packed: PackedConvolution, y: Int) {
    let ending = plan.network.ending
    let scale = ending.upscale / plan.network.fold
    for row in y * ending.upscale..<min((y + 1) * ending.upscale, job.output.height) {
      for column in 0..<job.output.width {
        var base: Int32?
        if ending.addsPicture {
          base =
            job.inputDepth > 8
            ? Int32(job.input.row(row / scale, as: UInt16.self)[column / scale])
            : Int32(job.input.row(row / scale, as: UInt8.self)[column / scale])
        }
        let channel = row % ending.upscale * ending.upscale + column % ending.upscale
        let x = column / ending.upscale
        // Gathered sums lie [4 outputs][4 pixels].
        let index = packed.shape == .few ? x / 4 * 16 + channel * 4 + x % 4 : x * packed.sumStep + channel
        let sample = job.arithmetic.sample(sum: sums[index], channel: channel, base: base)
        if job.outputDepth > 8 {
          job.output.row(row, as: UInt16.self)[column] = UInt16(truncatingIfNeeded: sample)
        } else {
          job.output.row(row, as: UInt8.self)[column] = UInt8(truncatingIfNeeded: sample)
        }
      }
    }
  }
}

import Foundation
import Frames
import Kernels

/// The last step of a band: one row of sums becomes `upscale` rows of samples.
extension Band {
  func finish(_ job: Job, _ packed: PackedConvolution, y: Int) {
    if packed.shape == .few && plan.network.ending.upscale == 2 {
      finishTwice(job, y: y)
    } else {
      finishAny(job, packed, y: y)
    }
  }

  /// Whole groups of eight pixels go to the picture at once; the last, partial one by way of a scratch row.
  private func finishTwice(_ job: Job, y: Int) {
    let whole = width / 8 * 8
    let inputBytes = job.inputDepth > 8 ? 2 : 1
    let outputBytes = job.outputDepth > 8 ? 2 : 1
    let base = job.input.base + y * job.input.stride
    let upper = job.output.base + 2 * y * job.output.stride
    let lower = upper + job.output.stride
    let addsPicture = plan.network.ending.addsPicture
    var row = FinishingRow(
      sums: sums, base: addsPicture ? base : nil, wideBase: inputBytes == 2, upper: upper, lower: lower,
      wideOutput: outputBytes == 2, width: whole, arithmetic: job.arithmetic.template, scales: finishScales)
    plan.table.finish(&row)
    let rest = width - whole
    guard rest > 0 else { return }
    memcpy(scratch, base + whole * inputBytes, rest * inputBytes)
    row.sums = UnsafePointer(sums + 4 * whole)
    row.base = addsPicture ? UnsafeRawPointer(scratch) : nil
    row.upper = scratch + 64
    row.lower = scratch + 128
    row.width = 8
    plan.table.finish(&row)
    memcpy(upper + 2 * whole * outputBytes, scratch + 64, 2 * rest * outputBytes)
    memcpy(lower + 2 * whole * outputBytes, scratch + 128, 2 * rest * outputBytes)
  }

  private func finishAny(_ job: Job, _ packed: PackedConvolution, y: Int) {
    let ending = plan.network.ending
    for x in 0..<width {
      var base: Int32?
      if ending.addsPicture {
        base =
          job.inputDepth > 8
          ? Int32(job.input.row(y, as: UInt16.self)[x]) : Int32(job.input.row(y, as: UInt8.self)[x])
      }
      for channel in 0..<ending.upscale * ending.upscale {
        // Gathered sums lie [4 outputs][4 pixels].
        let index = packed.shape == .few ? x / 4 * 16 + channel * 4 + x % 4 : x * packed.sumStep + channel
        let sample = job.arithmetic.sample(sum: sums[index], channel: channel, base: base)
        let (row, column) = (
          y * ending.upscale + channel / ending.upscale, x * ending.upscale + channel % ending.upscale
        )
        if job.outputDepth > 8 {
          job.output.row(row, as: UInt16.self)[column] = UInt16(truncatingIfNeeded: sample)
        } else {
          job.output.row(row, as: UInt8.self)[column] = UInt8(truncatingIfNeeded: sample)
        }
      }
    }
  }
}

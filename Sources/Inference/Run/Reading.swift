import Foundation
import Frames

/// The first step of a band: samples become codes.
extension Band {
  /// Makes one row of the picture's codes, of `fold` rows of samples.
  func readPicture(_ job: Job, y: Int, codes: [UInt8], _ columns: Columns, into ring: Ring) {
    guard columns.count > 0 else { return }
    if ring.elementBytes == 1 && plan.network.fold == 1 && job.inputs.count == 1 && job.inputDepth == 8
      && plan.readsSamples
    {
      memcpy(ring.row(y), job.inputs[0].row(y, as: UInt8.self) + columns.lowerBound, columns.count)
    } else if ring.elementBytes == 1 {
      read(job, y: y, codes: codes, columns, into: ring, as: UInt8.self)
    } else {
      read(job, y: y, codes: codes, columns, into: ring, as: UInt16.self)
    }
  }

  @inline(__always)
  private func read<Element: FixedWidthInteger>(
    _ job: Job, y: Int, codes: [UInt8], _ columns: Columns, into ring: Ring, as _: Element.Type
  ) {
    let fold = plan.network.fold
    let step = ring.step / ring.elementBytes
    let row = UnsafeMutableRawPointer(ring.row(y)).assumingMemoryBound(to: Element.self)
    let planes = job.inputs.count
    let first = columns.lowerBound * fold
    let count = min(columns.upperBound * fold, job.inputs[0].width) - first
    codes.withUnsafeBufferPointer { codes in
      for (number, plane) in job.inputs.enumerated() {
        for line in 0..<fold {
          let from = min(y * fold + line, plane.height - 1)
          let to = row + line * fold * planes + number
          if job.inputDepth == 8 {
            let samples = plane.row(from, as: UInt8.self) + first
            spread(samples, count: count, to, step: step, planes: planes) { codes[Int($0)] }
          } else {
            let samples = plane.row(from, as: UInt16.self) + first
            let shift = job.inputDepth - 8
            let half = 1 << (shift - 1)
            spread(samples, count: count, to, step: step, planes: planes) {
              codes[min((Int($0) + half) >> shift, 255)]
            }
          }
        }
      }
    }
  }

  /// Lays `fold` samples in a row into each pixel, `planes` elements apart; the picture's last sample is repeated to a
  /// whole block.
  @inline(__always)
  private func spread<Sample: FixedWidthInteger, Element: FixedWidthInteger>(
    _ samples: UnsafePointer<Sample>, count: Int, _ to: UnsafeMutablePointer<Element>, step: Int, planes: Int,
    _ code: (Sample) -> UInt8
  ) {
    switch plan.network.fold {
    case 1:
      if step == 1 {
        for x in 0..<count { to[x] = Element(truncatingIfNeeded: code(samples[x])) }
      } else {
        for x in 0..<count { to[x * step] = Element(truncatingIfNeeded: code(samples[x])) }
      }
    case 2:
      for x in 0..<count / 2 {
        to[x * step] = Element(truncatingIfNeeded: code(samples[2 * x]))
        to[x * step + planes] = Element(truncatingIfNeeded: code(samples[2 * x + 1]))
      }
      guard count % 2 == 1 else { return }
      to[count / 2 * step] = Element(truncatingIfNeeded: code(samples[count - 1]))
      to[count / 2 * step + planes] = Element(truncatingIfNeeded: code(samples[count - 1]))
    case let fold:
      for x in 0..<(count + fold - 1) / fold {
        for column in 0..<fold {
          to[x * step + column * planes] = Element(truncatingIfNeeded: code(samples[min(x * fold + column, count - 1)]))
        }
      }
    }
  }
}

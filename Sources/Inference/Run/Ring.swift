import Foundation

/// The rows of one tensor that are alive: of each, the columns of one strip, and what lies left of them.
struct Ring {
  /// Bytes from pixel to pixel.
  let step: Int
  /// Parts of a row that follow one another, each with all its pixels' next bytes: 1, or one for each four channels.
  let planes: Int
  /// Bytes from one to the next.
  let planeBytes: Int
  /// 1 or 2: codes are bytes, or as many in 16 bits.
  let elementBytes: Int
  let capacity: Int
  /// A row of codes that stand for zero, for what lies above and below the picture.
  let blank: UnsafeMutablePointer<UInt8>
  private let first: UnsafeMutablePointer<UInt8>
  /// Of a row, with what lies left and right of the strip's own columns.
  let rowBytes: Int
  private let leftBytes: Int
  private let margin: Int
  private let blankCode: UInt8

  /// - Parameters:
  ///   - columns: that kernels may write.
  ///   - left: columns before them.
  ///   - margin: columns left and right of the picture that are read.
  init(
    arena: Arena, columns: Int, left: Int, margin: Int, step: Int, planes: Int, elementBytes: Int, capacity: Int,
    blank: UInt8
  ) {
    self.step = step
    self.planes = planes
    self.elementBytes = elementBytes
    self.margin = margin
    self.capacity = capacity
    blankCode = blank
    let left = (max(left, margin) * step + 63) / 64 * 64
    // The last group of four or sixteen bytes of the last pixel's window may begin inside it and end beyond.
    let right = margin * step + 64
    let whole = (left + columns * step + right + 63) / 64 * 64
    // A row that fills pages exactly would make rows compete for the same lines of cache.
    planeBytes = whole % 4096 == 0 ? whole + 64 : whole
    rowBytes = planes * planeBytes
    let memory = arena.make(UInt8.self, count: rowBytes * (capacity + 1))
    leftBytes = left
    first = memory + left
    self.blank = first + rowBytes * capacity
    fill(memory, bytes: rowBytes * (capacity + 1))
  }

  /// The first of the strip's own columns.
  func row(_ y: Int) -> UnsafeMutablePointer<UInt8> { first + y % capacity * rowBytes }

  /// Copies a row with all that lies around it.
  ///
  /// - Returns: the first of the strip's own columns there.
  func copyRow(_ y: Int, to copy: UnsafeMutablePointer<UInt8>) -> UnsafeMutablePointer<UInt8> {
    memcpy(copy, row(y) - leftBytes, rowBytes)
    return copy + leftBytes
  }

  /// Makes what lies left of the picture stand for zero again, after another strip wrote over it.
  func openRow(_ y: Int) {
    for plane in 0..<planes { fill(row(y) + plane * planeBytes - margin * step, bytes: margin * step) }
  }

  /// Makes what lies right of so many columns stand for zero, after a kernel wrote over it.
  func closeRow(_ y: Int, columns: Int) {
    for plane in 0..<planes { fill(row(y) + plane * planeBytes + columns * step, bytes: margin * step) }
  }

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

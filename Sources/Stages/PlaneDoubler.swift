import Foundation
import Frames

/// Doubles a plane by bicubic interpolation (Keys 1981, a = -1/2), exactly where its samples are sited.
///
/// A plane's sample `i` lies at luma position `i·2^s + o`; doubling a picture about the centres of its pixels puts the
/// output sample `j` at `j/2 - d` of the input, with `d = (o/2 + 1/4) / 2^s`. Scaling a chroma plane as if it were
/// luma (d = 1/4) would move colour by an eighth of a sample against the luma that it belongs to.
///
/// The arithmetic is in single precision with a fixed order of operations and no contraction: the same bits everywhere.
struct PlaneDoubler {
  private let across: Phases
  private let down: Phases

  /// Weights of four neighbours for even and odd outputs. The even one reads inputs i-2…i+1, the odd one i-1…i+2.
  struct Phases {
    let even: [Float]
    let odd: [Float]

    /// - Parameter shift: how far samples lie behind their plain place, in input samples: `d` above, 0 to 1/2.
    init(shift: Double) {
      even = Phases.keys(1 - shift)
      odd = Phases.keys(0.5 - shift)
    }

    /// Keys' weights for a point at fraction `t` between the second and the third of four samples.
    private static func keys(_ t: Double) -> [Float] { [1 + t, t, 1 - t, 2 - t].map { Float(kernel($0)) } }

    private static func kernel(_ x: Double) -> Double {
      if x <= 1 {
        let slope: Double = 1.5 * x - 2.5
        return slope * x * x + 1
      }
      let slope: Double = (2.5 - 0.5 * x) * x - 4
      return slope * x + 2
    }
  }

  /// - Parameters:
  ///   - shift: log2 of luma's size by this plane's, across and down.
  ///   - offset: luma position of the plane's first sample, in luma samples.
  init(shift: (x: Int, y: Int), offset: (x: Double, y: Double)) {
    across = Phases(shift: (offset.x / 2 + 0.25) / Double(1 << shift.x))
    down = Phases(shift: (offset.y / 2 + 0.25) / Double(1 << shift.y))
  }

  /// For the chroma of a format with samples sited as `location` (FFmpeg's `AVChromaLocation`) says; unspecified is
  /// left, as in MPEG-2 and everything after it.
  init(chroma: PixelFormat.Chroma, location: Int) {
    let (x, y) = chroma.shift
    let centre = (x: Double(1 << x - 1) / 2, y: Double(1 << y - 1) / 2)
    let offset: (x: Double, y: Double) =
      switch location {
      case 2: (centre.x, centre.y)
      case 3: (0, 0)
      case 4: (centre.x, 0)
      case 5: (0, centre.y * 2)
      case 6: (centre.x, centre.y * 2)
      default: (0, centre.y)
      }
    self.init(shift: (x, y), offset: offset)
  }

  /// Fills `output`, whose size is at most twice that of `input`, from samples of `depth` bits.
  ///
  /// - Parameter previous: an earlier plane of the same size and what was made of it. Rows that depend on nothing but
  ///   samples that are the same there are copied.
  func run(
    _ input: Plane, into output: MutablePlane, depth: Int, unchangedFrom previous: (input: Plane, output: Plane)? = nil
  ) {
    if depth > 8 {
      run(input, into: output, maximum: Float(1 << depth - 1), previous, UInt16.self)
    } else {
      run(input, into: output, maximum: 255, previous, UInt8.self)
    }
  }

  private func run<Sample: FixedWidthInteger & UnsignedInteger>(
    _ input: Plane, into output: MutablePlane, maximum: Float, _ previous: (input: Plane, output: Plane)?,
    _: Sample.Type
  ) {
    let width = input.width
    let size = MemoryLayout<Sample>.size
    let same = (0..<input.height).map { y in
      guard let previous else { return false }
      return memcmp(input.base + y * input.stride, previous.input.base + y * previous.input.stride, width * size) == 0
    }
    // The column of vertical sums, with its edge repeated: two before, three behind.
    withUnsafeTemporaryAllocation(of: Float.self, capacity: width + 5) { line in
      let line = line.baseAddress!
      for y in 0..<output.height {
        let weights = y % 2 == 0 ? down.even : down.odd
        let first = y / 2 - (y % 2 == 0 ? 2 : 1)
        if let previous, (0..<4).allSatisfy({ same[min(max(first + $0, 0), input.height - 1)] }) {
          memcpy(
            output.base + y * output.stride, previous.output.base + y * previous.output.stride, output.width * size)
          continue
        }
        let rows = (0..<4).map { input.row(min(max(first + $0, 0), input.height - 1), as: Sample.self) }
        blend(rows[0], rows[1], rows[2], rows[3], weights, line + 2, width)
        for x in 0..<2 { line[x] = line[2] }
        for x in 0..<3 { line[width + 2 + x] = line[width + 1] }
        spread(line, output.row(y, as: Sample.self), output.width, maximum)
      }
    }
  }

  @inline(__always)
  private func blend<Sample: FixedWidthInteger & UnsignedInteger>(
    _ a: UnsafePointer<Sample>, _ b: UnsafePointer<Sample>, _ c: UnsafePointer<Sample>, _ d: UnsafePointer<Sample>,
    _ weights: [Float], _ line: UnsafeMutablePointer<Float>, _ width: Int
  ) {
    let (p, q, r, s) = (weights[0], weights[1], weights[2], weights[3])
    for x in 0..<width {
      line[x] = (Float(a[x]) * p + Float(b[x]) * q) + (Float(c[x]) * r + Float(d[x]) * s)
    }
  }

  /// `line[x + 2]` is input sample x.
  @inline(__always)
  private func spread<Sample: FixedWidthInteger & UnsignedInteger>(
    _ line: UnsafePointer<Float>, _ output: UnsafeMutablePointer<Sample>, _ width: Int, _ maximum: Float
  ) {
    let (a, b, c, d) = (across.even[0], across.even[1], across.even[2], across.even[3])
    let (e, f, g, h) = (across.odd[0], across.odd[1], across.odd[2], across.odd[3])
    func sample(_ value: Float) -> Sample {
      let clamped = min(max(value + 0.5, 0), maximum)
      return Sample(truncatingIfNeeded: Int32(clamped))
    }
    for x in 0..<width / 2 {
      let even = (line[x] * a + line[x + 1] * b) + (line[x + 2] * c + line[x + 3] * d)
      let odd = (line[x + 1] * e + line[x + 2] * f) + (line[x + 3] * g + line[x + 4] * h)
      output[2 * x] = sample(even)
      output[2 * x + 1] = sample(odd)
    }
    if width % 2 == 1 {
      let x = width / 2
      output[width - 1] = sample((line[x] * a + line[x + 1] * b) + (line[x + 2] * c + line[x + 3] * d))
    }
  }
}

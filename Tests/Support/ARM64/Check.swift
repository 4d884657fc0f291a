import KernelBody
import KernelsBaseline

// The kernels of arm64 against sums made one by one, on noise and extremes: `Tests/check-arm64.sh` runs it. It is Swift
// without a system, so that it can be built and emulated where there is no such processor.

/// Says what differs, and where, and ends the program.
@_extern(c, "pipe_fail") func fail(_ what: Int32, _ at: Int32)

struct Random {
  var state: UInt64
  mutating func next(_ low: Int, _ high: Int) -> Int {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return low + Int(truncatingIfNeeded: state >> 33) % (high - low + 1)
  }
}

func room<Value>(_ count: Int, _ value: Value) -> UnsafeMutablePointer<Value> {
  let pointer = UnsafeMutablePointer<Value>.allocate(capacity: count)
  pointer.initialize(repeating: value, count: count)
  return pointer
}

func nearest(_ value: Float) -> Int { Int(value.rounded(.toNearestOrEven)) }

/// - Parameter filling: 0 noise, 1 all low, 2 all high.
func pixel(_ filling: Int, _ random: inout Random) -> Int {
  filling == 0 ? random.next(0, 255) : filling == 1 ? 0 : 255
}
func weight(_ filling: Int, _ random: inout Random) -> Int {
  filling == 0 ? random.next(-128, 127) : filling == 1 ? -128 : 127
}

/// Rows of single taps, or of sixteen bytes for few outputs; sums, and codes after every kind of requantisation.
func taps(_ channels: Int, _ width: Int, _ filling: Int, few: Bool, _ random: inout Random) {
  let rows = 3, entries = 4
  let words = few ? 8 : 2
  let stride = (width + 40) * channels + 64
  let pixels = room(rows * stride, Int16(0))
  for index in 0..<rows * stride { pixels[index] = Int16(pixel(filling, &random)) }
  let pointers = room(rows, UnsafeRawPointer(pixels).assumingMemoryBound(to: UInt8.self))
  for row in 0..<rows {
    pointers[row] = UnsafeRawPointer(pixels + row * stride).assumingMemoryBound(to: UInt8.self)
  }
  let offsets = room(rows * entries, Int32(0))
  let weights = room(rows * entries * 32, Int16(0))
  let bias = room(16, Int32(0))
  for index in 0..<rows * entries { offsets[index] = Int32(2 * random.next(0, 2 * channels)) }
  for index in 0..<rows * entries * 32 { weights[index] = Int16(weight(filling, &random)) }
  for index in 0..<(few ? 4 : 16) { bias[few ? 4 * index : index] = Int32(random.next(-9999, 9999)) }
  let ends = room(rows * 3, Int32(0))
  for row in 0..<rows {
    for part in 0..<3 { ends[3 * row + part] = Int32(part == 2 ? (row + 1) * entries : row * entries) }
  }
  let outputs = few ? 4 : 16
  let expected = room(width * outputs, 0)
  for x in 0..<width {
    for output in 0..<outputs {
      var sum = Int(bias[few ? 4 * output : output])
      for row in 0..<rows {
        for entry in 0..<entries {
          let from = row * stride + x * channels + Int(offsets[row * entries + entry]) / 2
          for word in 0..<words {
            sum += Int(pixels[from + word]) * Int(weights[((row * entries + entry) * outputs + output) * words + word])
          }
        }
      }
      expected[x * outputs + output] = sum
    }
  }
  let sums = room((width + 40) * 16, Int32(0))
  let codes = room((width + 40) * 16, UInt16(0xAAAA))
  let scales = room(16, Float(3e-4)), slopes = room(16, Float(-7.5e-5))
  var job = ConvolutionRow(
    shape: few ? .few : .taps, blocks: 1, rows: pointers, rowCount: rows, inputStep: channels * 2, rowEnds: ends,
    offsets: offsets, weights: UnsafeRawPointer(weights).assumingMemoryBound(to: Int8.self), bias: bias,
    requantisation: Requantisation(
      scales: scales, negativeScales: nil, range: CodeRange(zeroPoint: 0, low: 0, high: 255), plainOffsets: nil),
    output: nil, sums: sums, outputStep: few ? 4 : 16, width: width)
  convolveBaseline(&job)
  for x in 0..<width {
    for output in 0..<outputs {
      let index = few ? x / 4 * 16 + output * 4 + x % 4 : x * 16 + output
      if Int(sums[index]) != expected[x * outputs + output] { fail(few ? 2 : 1, Int32(x)) }
    }
  }
  if few { return }
  let offset = room(16, scales[0] * -8_388_608)
  for variant in 0..<3 {
    let zero = variant == 0 ? 0 : 77
    let (low, high) = variant == 2 ? (5, 250) : (0, 255)
    job.output = UnsafeMutableRawPointer(codes).assumingMemoryBound(to: UInt8.self)
    job.sums = nil
    job.outputStep = 32
    job.requantisation = Requantisation(
      scales: scales, negativeScales: variant == 2 ? UnsafePointer(slopes) : nil,
      range: CodeRange(zeroPoint: UInt8(zero), low: UInt8(low), high: UInt8(high)),
      plainOffsets: variant == 0 ? UnsafePointer(offset) : nil)
    convolveBaseline(&job)
    for index in 0..<width * 16 {
      let sum = expected[index]
      let code = nearest(Float(sum) * (variant == 2 && sum < 0 ? slopes[0] : scales[0])) + zero
      if Int(codes[index]) != min(max(code, low), high) { fail(3, Int32(index)) }
    }
  }
}

/// Squares after Winograd against the plain way.
func squares(_ channels: Int, _ width: Int, _ rows: Int, _ filling: Int, _ random: inout Random) {
  let columns = width + 6
  let plain = room(6 * columns * channels, Int16(0))
  for index in 0..<6 * columns * channels { plain[index] = Int16(pixel(filling, &random)) }
  let weights = room(16 * channels * 9, 0)
  for index in 0..<16 * channels * 9 { weights[index] = weight(filling, &random) }
  let bias = room(16, Int32(0)), multiplied = room(32, Int32(0))
  let packed = room(SquareRows.parts * channels * 16, Int16(0))
  for output in 0..<16 {
    bias[output] = Int32(random.next(-9999, 9999))
    multiplied[output] = bias[output] * SquareRows.multiple
    for channel in 0..<channels {
      var taps: [Int] = []
      for tap in 0..<9 { taps.append(weights[(output * channels + channel) * 9 + tap]) }
      let transformed = SquareRows.transformed(taps)
      for part in 0..<SquareRows.parts {
        packed[(part * channels + channel) / 2 * 32 + output * 2 + channel % 2] = Int16(transformed[part])
      }
    }
  }
  let inputRows = room(6, UnsafeRawPointer(plain).assumingMemoryBound(to: UInt8.self))
  for row in 0..<6 {
    inputRows[row] = UnsafeRawPointer(plain + (row * columns + 1) * channels).assumingMemoryBound(to: UInt8.self)
  }
  let codes = room(4 * (width + 4) * 16, UInt16(0))
  let outputs = room(4, UnsafeMutableRawPointer(codes).assumingMemoryBound(to: UInt8.self))
  for row in 0..<4 {
    outputs[row] = UnsafeMutableRawPointer(codes + row * (width + 4) * 16).assumingMemoryBound(to: UInt8.self)
  }
  let scale = Float(5e-5)
  let scales = room(16, scale / SquareRows.scaleDivisor)
  for zero in [0, 77] {
    let requantisation = Requantisation(
      scales: scales, negativeScales: nil, range: CodeRange(zeroPoint: UInt8(zero), low: 0, high: 255),
      plainOffsets: zero == 0 ? UnsafePointer(room(16, scales[0] * -8_388_608)) : nil)
    var job = SquareRows(
      rows: inputRows, inputStep: 2 * channels, channels: channels, blocks: 1,
      weights: UnsafeRawPointer(packed).assumingMemoryBound(to: Int8.self), bias: multiplied,
      requantisations: room(1, requantisation), outputs: outputs, rowCount: rows, outputStep: 32, width: width,
      scratch: UnsafeMutableRawPointer(room(SquareRows.scratchBytes(channels: channels), UInt8(0))))
    convolveSquaresBaseline(&job)
    for y in 0..<rows {
      for x in 0..<width {
        for output in 0..<16 {
          var sum = Int(bias[output])
          for channel in 0..<channels {
            for tap in 0..<9 {
              sum +=
                Int(plain[((y + tap / 3) * columns + x + tap % 3) * channels + channel])
                * weights[(output * channels + channel) * 9 + tap]
            }
          }
          let code = min(max(nearest(Float(sum) * scale) + zero, 0), 255)
          if Int(codes[(y * (width + 4) + x) * 16 + output]) != code { fail(4, Int32(x)) }
        }
      }
    }
  }
}

/// Sums to samples.
func finishing(_ wideBase: Bool, _ wideOutput: Bool, _ variant: Int, _ random: inout Random) {
  let width = 24
  let sums = room(4 * width, Int32(0))
  for index in 0..<4 * width { sums[index] = Int32(random.next(-200_000, 200_000)) }
  let base = room(4 * width, UInt16(0)), lower = room(4 * width, UInt16(0))
  let narrow = room(4 * width, UInt8(0)), narrowLower = room(4 * width, UInt8(0))
  for index in 0..<4 * width {
    base[index] = UInt16(random.next(0, 1023))
    lower[index] = UInt16(random.next(0, 1023))
    narrow[index] = UInt8(random.next(0, 255))
    narrowLower[index] = UInt8(random.next(0, 255))
  }
  let scales = room(32, Float(0))
  for index in 0..<32 { scales[index] = Float(random.next(1, 100)) * 1e-5 }
  for index in 0..<32 { scales[index] = scales[index / 16 * 16 + index % 2] }
  let depth = wideBase ? 10 : 8
  let outputDepth = wideOutput ? 10 : 8
  let (repeats, quantises) = (variant & 1 == 1, variant & 2 == 2)
  let arithmetic = FinishingArithmetic(
    quantisesResidual: quantises, codeLow: -100, codeHigh: 155, codeStep: 0.75, quantisesResult: quantises,
    clipsResult: true, baseScale: 0.5, finalLow: -20, finalHigh: 235, finalStep: wideBase ? 4 : 1,
    baseShift: depth == 8 && wideOutput ? 2 : 0,
    outputShift: wideBase && !wideOutput ? 2 : 0, maximum: Int32(1 << outputDepth - 1))
  let upperOut = room(2 * width, UInt16(0)), lowerOut = room(2 * width, UInt16(0))
  let hasBase = variant < 6
  var job = FinishingRow(
    sums: sums, bySixteen: false, base: hasBase ? (wideBase ? UnsafeRawPointer(base) : UnsafeRawPointer(narrow)) : nil,
    lowerBase: wideBase ? UnsafeRawPointer(lower) : UnsafeRawPointer(narrowLower), wideBase: wideBase,
    repeatsBase: repeats, upper: UnsafeMutableRawPointer(upperOut), lower: UnsafeMutableRawPointer(lowerOut),
    wideOutput: wideOutput, width: width, arithmetic: arithmetic, scales: scales)
  finishBaseline(&job)
  for row in 0..<2 {
    for column in 0..<2 * width {
      let (x, output) = (column / 2, 2 * row + column % 2)
      let sum = sums[x / 4 * 16 + output * 4 + x % 4]
      let place = repeats ? x : column
      let sample =
        repeats || row == 0
        ? (wideBase ? Int32(base[place]) : Int32(narrow[place]))
        : (wideBase ? Int32(lower[place]) : Int32(narrowLower[place]))
      var value = Float(sum) * scales[16 * row + column % 2]
      var whole: Int32
      if quantises {
        value = min(max(value.rounded(.toNearestOrEven), -100), 155) * 0.75
        if hasBase { value = value + Float(sample) * 0.5 }
        value = min(max(value.rounded(.toNearestOrEven), -20), 235)
        whole = Int32(nearest(value * arithmetic.finalStep))
      } else {
        whole = Int32(nearest(value))
        if hasBase { whole += sample << arithmetic.baseShift }
      }
      if arithmetic.outputShift > 0 { whole = (whole + 2) >> 2 }
      let expected = min(max(whole, 0), arithmetic.maximum)
      let out = row == 0 ? upperOut : lowerOut
      let found =
        wideOutput
        ? Int32(out[column]) : Int32(UnsafeRawPointer(out).load(fromByteOffset: column, as: UInt8.self))
      if found != expected { fail(5, Int32(column)) }
    }
  }
}

@main struct Main {
  static func main() {
    var random = Random(state: 1)
    for filling in 0..<3 {
      for channels in [1, 4, 16, 20, 32] {
        for width in [1, 26] { taps(channels, width, filling, few: false, &random) }
      }
      for channels in [16, 32, 48] {
        for width in [1, 2, 15, 33] {
          taps(channels, width, filling, few: true, &random)
          squares(channels, width, 1 + width % 4, filling, &random)
        }
      }
    }
    for variant in 0..<8 {
      for flags in 0..<4 { finishing(flags & 1 == 1, flags & 2 == 2, variant, &random) }
    }
  }
}

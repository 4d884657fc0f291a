import Randomness
import Kernels

/// A row to be convolved with random taps, and the plain way to its sums.
struct TapRow {
  let table: KernelTable
  let shape: ConvolutionRow.Shape
  let channels: Int
  let rows: Int
  let blocks: Int
  let width: Int
  /// Taps of the entries of each row, in the order in which kernels want them.
  private let entries: [Int]
  /// [row][pixel][channel]
  private var pixels: [Int] = []
  private var places: [Int] = []
  /// [row][entry][tap][lane][element]
  private var weights: [Int] = []
  private var bias: [Int] = []

  init(
    _ table: KernelTable, shape: ConvolutionRow.Shape = .taps, channels: Int, rows: Int, blocks: Int, width: Int
  ) {
    self.table = table
    self.shape = shape
    self.channels = channels
    self.rows = rows
    self.blocks = blocks
    self.width = width
    entries = table.joinsTaps && channels % 4 == 0 ? [3, 3, 2, 1, 1] : [1, 1, 1]
  }

  /// Replaces what the lanes' sums begin at, in turn.
  mutating func begin(at sums: [Int]) { bias = bias.indices.map { sums[$0 % sums.count] } }

  private var group: Int { 4 / table.elementBytes }
  private var stride: Int { (width + 32 + 8) * channels + 64 }

  mutating func fill(_ filling: ConvolutionTests.Filling, _ random: inout Seeded) {
    pixels = (0..<rows * stride).map { _ in filling.pixel(&random) }
    places = (0..<rows * entries.count).map { _ in Int.random(in: 0...2 * channels, using: &random) }
    weights = (0..<rows * entries.reduce(0, +) * (shape == .quads ? 4 : 16) * blocks * group).map { _ in
      filling.weight(&random)
    }
    bias = (0..<16 * blocks).map { _ in Int.random(in: -9999...9999, using: &random) }
  }

  func expectedSums() -> [Int] {
    guard shape == .taps else { return expectedFew(parts: shape == .few ? 4 : 1) }
    return (0..<width).flatMap { x in
      (0..<16 * blocks).map { lane in
        var sum = bias[lane]
        var tap = 0
        for row in 0..<rows {
          for (entry, taps) in entries.enumerated() {
            for number in 0..<taps {
              let from = row * stride + (x + number) * channels + places[row * entries.count + entry]
              for element in 0..<group {
                sum += pixels[from + element] * weights[(tap * 16 * blocks + lane) * group + element]
              }
              tap += 1
            }
          }
        }
        return sum
      }
    }
  }

  /// Lanes are outputs in parts, each of four of a tap's bytes.
  private func expectedFew(parts: Int) -> [Int] {
    (0..<width).flatMap { x in
      (0..<4).map { output in
        var sum = bias[4 * output..<4 * output + parts].reduce(0, +)
        var tap = 0
        for row in 0..<rows {
          for (entry, taps) in entries.enumerated() {
            for number in 0..<taps {
              let from = row * stride + (x + number) * channels + places[row * entries.count + entry]
              for element in 0..<parts * group {
                sum += pixels[from + element] * weights[(tap * 4 + output) * parts * group + element]
              }
              tap += 1
            }
          }
        }
        return sum
      }
    }
  }

  /// Sums up to which codes are compared.
  static let largestSum = 1 << 22
  private static let scale = FusedScale.scale(near: 3e-3, largestSum: largestSum)

  func expectedCodes(_ sums: [Int], zeroPoint: UInt8, slopes: Bool) -> [UInt16] {
    sums.map { sum in
      let scale = slopes && sum < 0 ? TapRow.scale * -0.25 : TapRow.scale
      let code = (Float(sum) * scale).rounded(.toNearestOrEven) + Float(zeroPoint)
      return UInt16(min(max(code, slopes ? 5 : 0), slopes ? 250 : 255))
    }
  }

  func sums() -> [Int] { run(zeroPoint: 0, slopes: false, wantsSums: true) }
  /// - Parameter planes: whether groups of four channels are to be stored apart.
  func codes(zeroPoint: UInt8, slopes: Bool, planes: Bool = false) -> [UInt16] {
    run(zeroPoint: zeroPoint, slopes: slopes, wantsSums: false, planes: planes).map { UInt16($0) }
  }

  private func run(zeroPoint: UInt8, slopes: Bool, wantsSums: Bool, planes: Bool = false) -> [Int] {
    let bytes = table.elementBytes
    func stored(_ values: [Int]) -> [UInt8] {
      values.flatMap { value in (0..<bytes).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
    }
    let room = Room()
    let plain = zeroPoint == 0 && !slopes && !wantsSums
    let fused = FusedScale(TapRow.scale, largestSum: TapRow.largestSum)
    let offset = table.fusesScales ? fused?.offset ?? 0 : TapRow.scale * -0x1p23
    let shift = table.fusesScales && plain ? fused?.shift ?? 0 : 0
    let input = room.copy(stored(pixels))
    var ends: [Int32] = []
    for row in 0..<rows {
      for taps in [3, 2, 1] { ends.append(Int32(row * entries.count + entries.filter { $0 >= taps }.count)) }
    }
    let scales = [Float](repeating: TapRow.scale, count: 16 * blocks)
    let space = (width + 24) * 16 * blocks
    let sums = room.copy([Int32](repeating: 0, count: space))
    let codes = room.copy([UInt8](repeating: 0, count: space * bytes))
    var job = ConvolutionRow(
      shape: shape, blocks: blocks, rows: room.copy((0..<rows).map { UnsafePointer(input + $0 * stride * bytes) }),
      rowCount: rows, inputStep: channels * bytes, rowEnds: room.copy(ends),
      offsets: room.copy(places.map { Int32($0 * bytes) }),
      weights: room.copy(stored(weights).map { Int8(bitPattern: $0) }), bias: room.copy(bias.map { Int32($0) + shift }),
      requantisation: Requantisation(
        scales: room.copy(scales), negativeScales: slopes ? UnsafePointer(room.copy(scales.map { $0 * -0.25 })) : nil,
        range: CodeRange(zeroPoint: zeroPoint, low: slopes ? 5 : 0, high: slopes ? 250 : 255),
        plainOffsets: plain ? UnsafePointer(room.copy(scales.map { _ in offset })) : nil),
      output: wantsSums ? nil : codes, outputPlane: planes ? 4 * (width + 24) : 0, sums: wantsSums ? sums : nil,
      outputStep: shape != .taps || planes ? 4 : 16 * blocks * (wantsSums ? 1 : bytes), width: width)
    table.convolve(&job)
    defer { withExtendedLifetime(room) {} }
    if shape != .taps {
      // [4 outputs][4 pixels] for each four pixels, or sixteen.
      let pixels = shape == .few ? 4 : 16
      return (0..<4 * width).map { index in
        let (x, output) = (index / 4, index % 4)
        return Int(sums[(x / pixels * 4 + output) * pixels + x % pixels])
      }
    }
    if planes {
      return (0..<16 * width).map { Int(codes[$0 % 16 / 4 * 4 * (width + 24) + $0 / 16 * 4 + $0 % 4]) }
    }
    let count = width * 16 * blocks
    if wantsSums { return (0..<count).map { Int(sums[$0]) } }
    return (0..<count).map { index in
      (0..<bytes).reduce(0) { $0 | Int(codes[index * bytes + $1]) << (8 * $1) }
    }
  }
}

import Kernels

/// A 3x3 convolution of a few rows, by a level's squares and one by one.
struct SquareSample {
  private let table: KernelTable
  private let channels, blocks, width, rows: Int
  /// [y][x][channel], one row and column around, and columns up to a whole square.
  private var pixels: [Int] = []
  /// [output][channel][y][x]
  private var weights: [Int] = []
  private var bias: [Int] = []
  private let scale: Float = 3e-4

  private var columns: Int { (width + 3) / 4 * 4 + 2 }

  init(_ table: KernelTable, channels: Int, blocks: Int, width: Int, rows: Int) {
    self.table = table
    (self.channels, self.blocks, self.width, self.rows) = (channels, blocks, width, rows)
  }

  mutating func fill(pixel: () -> Int, weight: () -> Int) {
    pixels = (0..<6 * columns * channels).map { _ in pixel() }
    weights = (0..<16 * blocks * channels * 9).map { _ in weight() }
    bias = (0..<16 * blocks).map { ($0 * 7919) % 60_000 - 30_000 }
  }

  func expectedCodes(zeroPoint: UInt8) -> [Int] {
    var codes: [Int] = []
    for y in 0..<rows {
      for x in 0..<width {
        for output in 0..<16 * blocks {
          var sum = bias[output]
          for channel in 0..<channels {
            for tap in 0..<9 {
              sum +=
                pixels[((y + tap / 3) * columns + x + tap % 3) * channels + channel]
                * weights[(output * channels + channel) * 9 + tap]
            }
          }
          let code = Int((Float(sum) * scale).rounded(.toNearestOrEven)) + Int(zeroPoint)
          codes.append(min(max(code, 0), 255))
        }
      }
    }
    return codes
  }

  func codes(zeroPoint: UInt8) -> [Int] {
    let room = Room()
    let step = channels * table.elementBytes
    let elements: [UInt8] = pixels.flatMap { [UInt8($0), 0].prefix(table.elementBytes) }
    let input = room.copy(elements)
    let inputRows = (0..<6).map { UnsafePointer(input + $0 * columns * step + step) }
    var packed = [Int16](repeating: 0, count: blocks * SquareRows.parts * channels * 16)
    for output in 0..<16 * blocks {
      for channel in 0..<channels {
        let taps = Array(weights[(output * channels + channel) * 9..<(output * channels + channel + 1) * 9])
        for (part, weight) in SquareRows.transformed(taps).enumerated() {
          let pair = ((output / 16 * SquareRows.parts + part) * channels + channel) / 2
          packed[pair * 32 + output % 16 * 2 + channel % 2] = Int16(weight)
        }
      }
    }
    let outputStep = 16 * blocks * table.elementBytes
    let outputBytes = (width + 3) / 4 * 4 * outputStep
    let output = room.copy([UInt8](repeating: 0xAA, count: rows * outputBytes))
    let requantisation = Requantisation(
      scales: room.copy([Float](repeating: scale / SquareRows.scaleDivisor, count: 16)), negativeScales: nil,
      range: CodeRange(zeroPoint: zeroPoint, low: 0, high: 255),
      plainOffsets: zeroPoint == 0
        ? UnsafePointer(room.copy([Float](repeating: scale / SquareRows.scaleDivisor * -0x1p23, count: 16))) : nil)
    var job = SquareRows(
      rows: room.copy(inputRows), inputStep: step, channels: channels, blocks: blocks,
      weights: UnsafeRawPointer(room.copy(packed)).assumingMemoryBound(to: Int8.self),
      bias: room.copy(
        bias.map { SquareRows.multiple &* Int32($0) } + [Int32](repeating: 0, count: 16)),
      requantisations: room.copy([Requantisation](repeating: requantisation, count: blocks)),
      outputs: room.copy((0..<rows).map { output + $0 * outputBytes }), rowCount: rows, outputStep: outputStep,
      width: width,
      scratch: UnsafeMutableRawPointer(
        room.copy([UInt8](repeating: 0, count: SquareRows.scratchBytes(channels: channels)))))
    table.squares?.convolve(&job)
    var codes: [Int] = []
    for y in 0..<rows {
      for x in 0..<width {
        for lane in 0..<16 * blocks {
          codes.append(Int(output[y * outputBytes + x * outputStep + lane * table.elementBytes]))
        }
      }
    }
    return withExtendedLifetime(room) { codes }
  }
}

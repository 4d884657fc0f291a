import Kernels
import Randomness
import Testing

/// Every level's rows against sums made one by one, on extremes and noise.
@Suite struct ConvolutionTests {
  enum Filling: CaseIterable {
    case noise, low, high

    func pixel(_ random: inout Seeded) -> Int {
      switch self {
      case .noise: Int.random(in: 0...255, using: &random)
      case .low: 0
      case .high: 255
      }
    }
    func weight(_ random: inout Seeded) -> Int {
      switch self {
      case .noise: Int.random(in: -128...127, using: &random)
      case .low: -128
      case .high: 127
      }
    }
  }

  static let levels = KernelTable.available.map(\.level)

  @Test(arguments: levels, Filling.allCases) func rowsAreExact(_ level: KernelLevel, _ filling: Filling) throws {
    let table = try #require(KernelTable.available.first { $0.level == level })
    var random = Seeded(state: 3)
    for channels in [1, 4, 16, 20, 32, 48, 64] {
      for blocks in 1...table.widestBlocks {
        for width in [1, 26] {
          var row = TapRow(table, channels: channels, rows: 3, blocks: blocks, width: width)
          row.fill(filling, &random)
          let expected = row.expectedSums()
          #expect(row.sums() == expected, "\(channels) channels, \(blocks) blocks, \(width) px")
          for zeroPoint in [UInt8(0), 77] {
            for slopes in [false, true] {
              let found = row.codes(zeroPoint: zeroPoint, slopes: slopes)
              #expect(
                found == row.expectedCodes(expected, zeroPoint: zeroPoint, slopes: slopes), "\(zeroPoint) \(slopes)")
            }
          }
        }
      }
    }
  }

  @Test(arguments: levels, Filling.allCases) func fewOutputsAreExact(_ level: KernelLevel, _ filling: Filling) throws {
    let table = try #require(KernelTable.available.first { $0.level == level })
    var random = Seeded(state: 5)
    for channels in [16, 32, 48] {
      for width in [1, 26] {
        var row = TapRow(table, shape: .few, channels: channels, rows: 3, blocks: 1, width: width)
        row.fill(filling, &random)
        #expect(row.sums() == row.expectedSums(), "\(channels) channels, \(width) px")
      }
    }
  }

  /// Codes of sums as far as they may go, and just beyond what is rounded to one.
  @Test(arguments: levels) func farSumsAreQuantisedExactly(_ level: KernelLevel) throws {
    let table = try #require(KernelTable.available.first { $0.level == level })
    var random = Seeded(state: 6)
    for blocks in 1...table.widestBlocks {
      var row = TapRow(table, channels: 16, rows: 1, blocks: blocks, width: 26)
      row.fill(.low, &random)
      row.begin(at: [
        -(1 << 30), -(1 << 24) - 1, -(1 << 23), -1, 0, 1, 1666, 1667, 5000, 849_999, 850_000, (1 << 23) - 1,
      ])
      let expected = row.expectedSums()
      #expect(row.sums() == expected)
      #expect(row.codes(zeroPoint: 0, slopes: false) == row.expectedCodes(expected, zeroPoint: 0, slopes: false))
    }
  }

  /// Winograd's pairs give the sums of the plain way.
  @Test(arguments: levels, Filling.allCases) func pairsAreExact(_ level: KernelLevel, _ filling: Filling) throws {
    let table = try #require(KernelTable.available.first { $0.level == level })
    guard let pairs = table.pairs else { return }
    var random = Seeded(state: 4)
    for channels in [16, 32, 48] {
      for width in [1, 2, 15, 33] {
        let plain = (0..<(width + 24) * channels).map { _ in UInt16(filling.pixel(&random)) }
        let weights = (0..<16 * channels * 3).map { _ in filling.weight(&random) }
        let bias = (0..<16).map { _ in Int.random(in: -9999...9999, using: &random) }
        // Pixel 0 is the second; what lies behind the last pixel counts as well.
        var expected: [UInt16] = []
        for x in 0..<width {
          for output in 0..<16 {
            var sum = bias[output]
            for tap in 0..<3 {
              for channel in 0..<channels {
                sum += Int(plain[(x + tap) * channels + channel]) * weights[(output * channels + channel) * 3 + tap]
              }
            }
            expected.append(UInt16(min(max((Float(sum) * Float(1e-4)).rounded(.toNearestOrEven), 0), 255)))
          }
        }
        var parts: [Int16] = []
        for part in 0..<4 {
          for channel in stride(from: 0, to: channels, by: 2) {
            for index in 0..<32 {
              let taps = (0..<3).map { weights[(index / 2 * channels + channel + index % 2) * 3 + $0] }
              let both = [2 * taps[0], taps[0] + taps[1] + taps[2], taps[0] - taps[1] + taps[2], 2 * taps[2]]
              parts.append(Int16(both[part]))
            }
          }
        }
        let count = (width + 1) / 2
        let room = Room()
        let pixels = room.copy(plain)
        let spread = room.copy([Int16](repeating: 0, count: (count + 8) * 4 * channels))
        pairs.spread(bytes(pixels + channels), 2 * channels, bytes(spread), count)
        let ends = (0..<12).map { $0 % 3 == 2 ? Int32(channels / 2) : 0 }
        let offsets = (0..<4).flatMap { part in (0..<channels / 2).map { Int32(part * 2 * channels + 4 * $0) } }
        let doubled = (0..<64).map { (16..<32).contains($0) ? Int32(2 * bias[$0 - 16]) : 0 }
        let codes = room.copy([UInt16](repeating: 0, count: (width + 24) * 16))
        var job = ConvolutionRow(
          shape: .taps, blocks: 1, rows: room.copy([UnsafePointer(bytes(spread))]), rowCount: 1,
          inputStep: 8 * channels, rowEnds: room.copy(ends), offsets: room.copy(offsets),
          weights: UnsafeRawPointer(room.copy(parts)).assumingMemoryBound(to: Int8.self), bias: room.copy(doubled),
          requantisation: Requantisation(
            scales: room.copy([Float](repeating: Float(1e-4) / 2, count: 16)), negativeScales: nil,
            range: CodeRange(zeroPoint: 0, low: 0, high: 255),
            plainOffsets: room.copy([Float](repeating: Float(1e-4) / -2 * 0x1p23, count: 16))),
          output: bytes(codes), sums: room.copy([Int32](repeating: 0, count: 1024)), outputStep: 32, width: width)
        pairs.convolve(&job)
        let found = (0..<width * 16).map { codes[$0] }
        withExtendedLifetime(room) {}
        #expect(found == expected, "\(channels) channels, \(width) px")
      }
    }
  }

  private func bytes<Value>(_ pointer: UnsafeMutablePointer<Value>) -> UnsafeMutablePointer<UInt8> {
    UnsafeMutableRawPointer(pointer).assumingMemoryBound(to: UInt8.self)
  }
}

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

  /// Few outputs of pixels side by side, and codes stored for them.
  @Test(arguments: levels, Filling.allCases) func quadsAreExact(_ level: KernelLevel, _ filling: Filling) throws {
    let table = try #require(KernelTable.available.first { $0.level == level })
    guard table.hasQuads else { return }
    var random = Seeded(state: 9)
    for width in [1, 26, 33, 96, 150] {
      var row = TapRow(table, shape: .quads, channels: 4, rows: 12, blocks: 1, width: width)
      row.fill(filling, &random)
      #expect(row.sums() == row.expectedSums(), "\(width) px")
      var taps = TapRow(table, channels: 16, rows: 3, blocks: 1, width: width)
      taps.fill(filling, &random)
      let sums = taps.expectedSums()
      for (zeroPoint, slopes) in [(UInt8(0), false), (77, false), (0, true)] {
        #expect(
          taps.codes(zeroPoint: zeroPoint, slopes: slopes, planes: true)
            == taps.expectedCodes(sums, zeroPoint: zeroPoint, slopes: slopes), "\(width) px, \(zeroPoint) \(slopes)")
      }
    }
  }

  /// Codes of sums as far as they may go, which is less far where they are rounded once, and about what is rounded to one.
  @Test(arguments: levels) func farSumsAreQuantisedExactly(_ level: KernelLevel) throws {
    let table = try #require(KernelTable.available.first { $0.level == level })
    var random = Seeded(state: 6)
    for blocks in 1...table.widestBlocks {
      var row = TapRow(table, channels: 16, rows: 1, blocks: blocks, width: 26)
      row.fill(.low, &random)
      let furthest =
        table.fusesScales
        ? [-TapRow.largestSum, TapRow.largestSum - 1, TapRow.largestSum]
        : [-(1 << 30), -(1 << 24) - 1, -(1 << 23), (1 << 23) - 1]
      row.begin(at: furthest + [-(1 << 20) - 1, -1, 0, 1, 166, 167, 500, 501, 84_833, 84_834, 85_000])
      let expected = row.expectedSums()
      #expect(row.sums() == expected)
      #expect(row.codes(zeroPoint: 0, slopes: false) == row.expectedCodes(expected, zeroPoint: 0, slopes: false))
    }
  }

  /// Winograd's squares give the codes of the plain way.
  @Test(arguments: levels, Filling.allCases) func squaresAreExact(_ level: KernelLevel, _ filling: Filling) throws {
    let table = try #require(KernelTable.available.first { $0.level == level })
    guard table.squares != nil else { return }
    var random = Seeded(state: 4)
    for channels in [16, 32, 48] {
      for (width, rows) in [(1, 1), (2, 4), (15, 3), (33, 4), (40, 2)] {
        var square = SquareSample(table, channels: channels, blocks: channels / 16, width: width, rows: rows)
        square.fill(pixel: { filling.pixel(&random) }, weight: { filling.weight(&random) })
        for zeroPoint in [UInt8(0), 77] {
          #expect(
            square.codes(zeroPoint: zeroPoint) == square.expectedCodes(zeroPoint: zeroPoint),
            "\(channels) channels, \(width)x\(rows) px, zero at \(zeroPoint)")
        }
      }
    }
  }

  /// Weights and inputs of alternating signs and ends, where transformed ones are largest.
  @Test(arguments: levels) func squaresHoldTheirLargestNumbers(_ level: KernelLevel) throws {
    let table = try #require(KernelTable.available.first { $0.level == level })
    guard table.squares != nil else { return }
    var random = Seeded(state: 8)
    for phase in 0..<16 {
      var square = SquareSample(table, channels: 32, blocks: 1, width: 16, rows: 4)
      var (pixel, weight) = (0, 0)
      square.fill(
        pixel: {
          pixel += 1
          return (pixel / (1 + phase % 4)) % 2 == 0 ? 255 : phase % 3 == 0 ? Int.random(in: 0...255, using: &random) : 0
        },
        weight: {
          weight += 1
          return (weight / (1 + phase / 4)) % 2 == 0 ? -128 : 127
        })
      #expect(square.codes(zeroPoint: 128) == square.expectedCodes(zeroPoint: 128), "\(phase)")
    }
  }
}

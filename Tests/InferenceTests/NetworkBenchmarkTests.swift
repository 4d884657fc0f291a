import Foundation
import Randomness
import Testing

@testable import Inference
@testable import Kernels

/// Emulated processors are slow, and what they reach says nothing.
@Suite(.enabled(if: ProcessInfo.processInfo.environment["PIPE_EXPECTED_LEVEL"] == nil))
struct NetworkBenchmarkTests {
  @Test func countsWhatIsMultiplied() {
    var random = Seeded(state: 3)
    func measure(zeroBlocks: Int) -> NetworkBenchmark {
      let network = NetworkShape(channels: [32, 32, 32], zeroBlocks: zeroBlocks).make(&random)
      return NetworkBenchmark(Network(integers: network), width: 48, height: 8, threads: 1, runs: 1)
    }
    let (dense, pruned) = (measure(zeroBlocks: 0), measure(zeroBlocks: 60))
    // Pairs take two products for three; a pruned layer has about four blocks of ten, and half of them without pairs.
    let least = KernelTable.current.pairs == nil ? 0.99 : 0.66
    #expect((least...1).contains(dense.multipliedGmacPerSecond / dense.gmacPerSecond))
    #expect((0.3...0.7).contains(pruned.multipliedGmacPerSecond / pruned.gmacPerSecond))
    #expect(pruned.peakShare > 0)
  }
}

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
    // Squares take a quarter of the products.
    let least = KernelTable.current.squares == nil ? 0.99 : 0.25
    #expect((least...1).contains(dense.multipliedGmacPerSecond / dense.gmacPerSecond))
    #expect((0.3...0.7).contains(pruned.multipliedGmacPerSecond / pruned.gmacPerSecond))
    #expect(pruned.peakShare > 0)
    #expect(dense.speedup == nil)
  }

  @Test func comparesAllThreadsWithOne() throws {
    var random = Seeded(state: 4)
    let network = Network(integers: NetworkShape(channels: [16, 16], zeroBlocks: 0).make(&random))
    let result = NetworkBenchmark(network, width: 64, height: 64, threads: 2, runs: 3, scaling: true)
    #expect(try #require(result.speedup) > 0 && result.threads == 2)
  }
}

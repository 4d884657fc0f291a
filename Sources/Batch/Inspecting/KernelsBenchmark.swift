import Foundation
import Inference
import Pipeline

/// `pipe bench kernels`.
public struct KernelsBenchmark: Sendable {
  private let results: [KernelBenchmark.Result]

  public init(runs: Int) { results = KernelBenchmark(runs: runs).results }

  public var text: String {
    results.map {
      $0.level.padding(toLength: 9, withPad: " ", startingAt: 0)
        + $0.shape.padding(toLength: 12, withPad: " ", startingAt: 0)
        + String(format: "%6.1f GMAC/s  %3.0f %% of the peak", $0.gmacPerSecond, $0.peakShare * 100)
    }.joined(separator: "\n")
  }

  /// One object a line.
  public var json: String {
    results.map {
      Value.map([
        "level": .string($0.level), "shape": .string($0.shape), "gmac_per_s": .double($0.gmacPerSecond),
        "peak_share": .double($0.peakShare),
      ]).lineJSON
    }.joined(separator: "\n")
  }
}

import Foundation
import Testing

@testable import Inference
@testable import Kernels

@Suite struct LevelTests {
  /// Set where the processor is known: `Tests/check-old-processors.sh`.
  @Test(.enabled(if: ProcessInfo.processInfo.environment["PIPE_EXPECTED_LEVEL"] != nil))
  func isWhatTheProcessorHas() {
    #expect(KernelLevel.highest.description == ProcessInfo.processInfo.environment["PIPE_EXPECTED_LEVEL"])
  }

  @Test func currentIsNeverAboveHighest() {
    #expect(KernelLevel.current <= KernelLevel.highest)
    #expect(KernelLevel.available.contains(KernelLevel.current))
    #expect(NetworkRunner.level == KernelLevel.current.description)
    #expect(KernelTable.available.map(\.level) == KernelLevel.available)
  }

  @Test func peakIsMeasured() { #expect(PeakMeter(threads: 2, table: .current).measure() > 0) }
}

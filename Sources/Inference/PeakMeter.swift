import Foundation
import Kernels

/// Measures what a level's multiply instructions reach from registers, on so many threads at once.
final class PeakMeter {
  /// Of one thread. Unchecked: it alone touches this while it measures.
  private final class Desk: @unchecked Sendable {
    let pixels: UnsafeMutablePointer<UInt8>
    let weights: UnsafeMutablePointer<Int8>
    let sink: UnsafeMutablePointer<Int32>
    var rate = 0.0
    private let memory = Arena()

    init() {
      pixels = memory.make(UInt8.self, count: 256)
      for index in 0..<256 { pixels[index] = UInt8(truncatingIfNeeded: index) }
      weights = memory.make(Int8.self, count: 64)
      sink = memory.make(Int32.self, count: 1024)
    }
  }

  private let table: KernelTable
  private let pool: WorkerPool
  private let desks: [Desk]

  init(threads: Int, table: KernelTable) {
    self.table = table
    pool = WorkerPool(threads: threads)
    desks = (0..<pool.threads).map { _ in Desk() }
  }

  /// GMAC/s of all threads together, in a few milliseconds.
  func measure() -> Double {
    pool.run { [table, desks] thread in
      let desk = desks[thread]
      let start = DispatchTime.now().uptimeNanoseconds
      let macs = table.multiplyAtPeak(desk.pixels, desk.weights, desk.sink, 500_000)
      desk.rate = Double(macs) / Double(DispatchTime.now().uptimeNanoseconds - start)
    }
    return desks.reduce(0) { $0 + $1.rate }
  }
}

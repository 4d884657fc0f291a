import CKernelSupport
import Foundation
import Synchronization

/// Threads that wait for work and live as long as the pool: no frame pays for starting one.
///
/// To sleep and be woken takes longer than some rows of a frame: who waits looks again for a while before that.
final class WorkerPool {
  /// Unchecked: `work` is written before `start` is signalled and read after it was awaited.
  private final class Shared: @unchecked Sendable {
    var work: (@Sendable (Int) -> Void)?
    let starts: [DispatchSemaphore]
    let done = DispatchSemaphore(value: 0)
    /// How often work was begun, and how many threads have ended theirs: each counted after its semaphore is signalled.
    let begun = Atomic(0)
    let ended = Atomic(0)
    init(workers: Int) { starts = (0..<workers).map { _ in DispatchSemaphore(value: 0) } }
  }

  let threads: Int
  private let shared: Shared
  private var runs = 0
  /// How often who waits looks before sleeping, some fifty nanoseconds each; never where threads share processors.
  private let looks: Int

  /// `threads` includes the caller's own.
  init(threads: Int) {
    self.threads = max(threads, 1)
    shared = Shared(workers: self.threads - 1)
    let looks = self.threads <= ProcessInfo.processInfo.activeProcessorCount ? 1000 : 0
    self.looks = looks
    for worker in 0..<self.threads - 1 {
      let shared = shared
      let thread = Thread {
        var run = 0
        while true {
          run += 1
          WorkerPool.look(looks) { shared.begun.load(ordering: .acquiring) >= run }
          shared.starts[worker].wait()
          guard let work = shared.work else { break }
          work(worker + 1)
          shared.done.signal()
          shared.ended.add(1, ordering: .releasing)
        }
      }
      thread.name = "inference \(worker + 1)"
      thread.stackSize = 1 << 20
      thread.start()
    }
  }

  deinit {
    shared.work = nil
    for start in shared.starts { start.signal() }
  }

  /// Calls `work` once for each thread, with its number, and returns when all are done.
  func run(_ work: @escaping @Sendable (Int) -> Void) {
    runs += 1
    shared.work = work
    for start in shared.starts { start.signal() }
    shared.begun.store(runs, ordering: .releasing)
    work(0)
    WorkerPool.look(looks) { shared.ended.load(ordering: .acquiring) >= runs * shared.starts.count }
    for _ in shared.starts { shared.done.wait() }
    // The threads now wait on `start` and look at `work` only after the next signal.
    shared.work = nil
  }

  /// Returns when something is so, or has not been so many times.
  private static func look(_ times: Int, _ isSo: () -> Bool) {
    for _ in 0..<times {
      if isSo() { return }
      pipe_pause()
    }
  }
}

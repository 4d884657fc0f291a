import Foundation

/// Threads that wait for work and live as long as the pool: no frame pays for starting one.
final class WorkerPool {
  /// Unchecked: `work` is written before `start` is signalled and read after it was awaited.
  private final class Shared: @unchecked Sendable {
    var work: (@Sendable (Int) -> Void)?
    let starts: [DispatchSemaphore]
    let done = DispatchSemaphore(value: 0)
    init(workers: Int) { starts = (0..<workers).map { _ in DispatchSemaphore(value: 0) } }
  }

  let threads: Int
  private let shared: Shared

  /// `threads` includes the caller's own.
  init(threads: Int) {
    self.threads = max(threads, 1)
    shared = Shared(workers: self.threads - 1)
    for worker in 0..<self.threads - 1 {
      let shared = shared
      let thread = Thread {
        while true {
          shared.starts[worker].wait()
          guard let work = shared.work else { break }
          work(worker + 1)
          shared.done.signal()
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
    shared.work = work
    for start in shared.starts { start.signal() }
    work(0)
    for _ in shared.starts { shared.done.wait() }
    // The threads now wait on `start` and look at `work` only after the next signal.
    shared.work = nil
  }
}

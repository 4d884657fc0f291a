import Frames
import Synchronization

/// The first rows of every tensor that one run of rows makes, for the run above, which would else make them again.
///
/// Unchecked: the thread of the lower run alone calls `begin` and `keep`; others read rows once `isFilled`.
final class Loan: @unchecked Sendable {
  /// Of each tensor: how many rows are lent, and the bytes of one.
  private let lent: [Int]
  private let rowBytes: [Int]
  private let arena = Arena()
  private let copies: [UnsafeMutablePointer<UInt8>]
  /// Of each tensor: the first row, and its own columns.
  private var first: [Int]
  private var rows: [UnsafeMutablePointer<UInt8>]
  private var missing = 0
  private let filled = Atomic(false)

  var bytes: Int { arena.bytes }
  var isFilled: Bool { filled.load(ordering: .acquiring) }

  /// - Parameter rowBytes: of a row of each tensor's ring.
  init(lent: [Int], rowBytes: [Int]) {
    (self.lent, self.rowBytes) = (lent, rowBytes)
    let arena = self.arena
    copies = zip(lent, rowBytes).map { arena.make(UInt8.self, count: $0 * $1) }
    rows = copies
    first = .init(repeating: 0, count: lent.count)
  }

  /// Makes it empty, before it is handed to the threads that use it.
  func clear() { filled.store(false, ordering: .relaxed) }

  /// Says which row of each tensor is the first that will be made, of a picture of so many.
  func begin(first: UnsafePointer<Int>, height: Int) {
    missing = 0
    for tensor in lent.indices {
      self.first[tensor] = first[tensor]
      missing += min(lent[tensor], height - first[tensor])
    }
    if missing == 0 { filled.store(true, ordering: .releasing) }
  }

  /// Copies a row that is whole, if it is one of those that are lent.
  @inline(__always) func keep(_ y: Int, of tensor: Int, from ring: Ring) {
    let row = y - first[tensor]
    guard row < lent[tensor] else { return }
    let own = ring.copyRow(y, to: copies[tensor] + row * rowBytes[tensor])
    if row == 0 { rows[tensor] = own }
    missing -= 1
    if missing == 0 { filled.store(true, ordering: .releasing) }
  }

  /// The first of the strip's own columns.
  func row(_ y: Int, of tensor: Int) -> UnsafeMutablePointer<UInt8> {
    rows[tensor] + (y - first[tensor]) * rowBytes[tensor]
  }
}

/// Loans that are used again in the next frame: as many as the frame that was cut most often took.
final class Loans: Sendable {
  private struct State {
    var all: [Loan] = []
    var taken = 0
  }

  private let lent: [Int]
  private let rowBytes: [Int]
  private let state = Locked(State())

  init(_ plan: Plan, rowBytes: [Int]) {
    lent = plan.lentRows
    self.rowBytes = rowBytes
  }

  var bytes: Int { state.withLock { $0.all.reduce(0) { $0 + $1.bytes } } }

  /// An empty one.
  func take() -> Loan {
    state.withLock { state in
      if state.taken == state.all.count { state.all.append(Loan(lent: lent, rowBytes: rowBytes)) }
      state.taken += 1
      state.all[state.taken - 1].clear()
      return state.all[state.taken - 1]
    }
  }

  /// Takes all back: a frame is done.
  func takeBack() { state.withLock { $0.taken = 0 } }
}

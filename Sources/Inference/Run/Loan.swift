import Frames
import Synchronization

/// The first rows of every tensor that one run of rows makes, for the run above, which would else make them again.
///
/// Unchecked: one thread fills it, and others read once it says that it is filled.
final class Loan: @unchecked Sendable {
  private let plan: Plan
  private let arena = Arena()
  private let rowBytes: [Int]
  /// Of each tensor, its first row's place here, and its first row's own columns.
  private let copies: [UnsafeMutablePointer<UInt8>]
  private var rows: [UnsafeMutablePointer<UInt8>]
  private var first: [Int]
  private var missing = 0
  private let filled = Atomic(false)

  var bytes: Int { arena.bytes }
  var isFilled: Bool { filled.load(ordering: .acquiring) }

  /// - Parameter rowBytes: of a row of each tensor's ring.
  init(_ plan: Plan, rowBytes: [Int]) {
    self.plan = plan
    self.rowBytes = rowBytes
    let lent = plan.lentRows ?? []
    let arena = self.arena
    copies = lent.indices.map { arena.make(UInt8.self, count: lent[$0] * rowBytes[$0]) }
    rows = copies
    first = .init(repeating: 0, count: lent.count)
  }

  /// Begins anew; nobody reads it.
  func clear() { filled.store(false, ordering: .relaxed) }

  /// Says which row of each tensor is the first that will be made, of a picture of so many.
  func begin(first: UnsafePointer<Int>, height: Int) {
    missing = 0
    for (tensor, lent) in (plan.lentRows ?? []).enumerated() {
      self.first[tensor] = first[tensor]
      missing += min(lent, height - first[tensor])
    }
    if missing == 0 { filled.store(true, ordering: .releasing) }
  }

  /// Copies a row that is whole, if it is one of those that are lent.
  @inline(__always) func take(_ y: Int, of tensor: Int, from ring: Ring) {
    let row = y - first[tensor]
    guard row < (plan.lentRows?[tensor] ?? 0) else { return }
    let own = ring.copyRow(y, to: copies[tensor] + row * rowBytes[tensor])
    if row == 0 { rows[tensor] = own }
    missing -= 1
    if missing == 0 { filled.store(true, ordering: .releasing) }
  }

  func row(_ y: Int, of tensor: Int) -> UnsafeMutablePointer<UInt8> {
    rows[tensor] + (y - first[tensor]) * rowBytes[tensor]
  }
}

/// Loans that are used again in the next frame.
final class Loans: Sendable {
  private struct State {
    var all: [Loan] = []
    var taken = 0
  }

  private let plan: Plan
  private let rowBytes: [Int]
  private let state = Locked(State())

  init(_ plan: Plan, rowBytes: [Int]) {
    self.plan = plan
    self.rowBytes = rowBytes
  }

  var bytes: Int { state.withLock { $0.all.reduce(0) { $0 + $1.bytes } } }

  func take() -> Loan {
    state.withLock { state in
      if state.taken == state.all.count { state.all.append(Loan(plan, rowBytes: rowBytes)) }
      state.taken += 1
      state.all[state.taken - 1].clear()
      return state.all[state.taken - 1]
    }
  }

  /// All are free: a frame is done.
  func takeBack() { state.withLock { $0.taken = 0 } }
}

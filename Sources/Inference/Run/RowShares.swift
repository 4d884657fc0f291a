import Frames

/// The rows of a picture, shared among threads; one that is done takes half of what another has still to do.
///
/// Threads rarely finish together: others' work on their cores, a decoder's or another program's, costs one of them a
/// third of its time now and then, and a frame is done when the last of them is.
final class RowShares: Sendable {
  private struct State {
    /// Of each thread the rows that it has not begun of the range it is in.
    var current: [Range<Int>]
    /// The ranges that it has not begun.
    var waiting: [[Range<Int>]]
  }

  let threads: Int
  private let state: Locked<State>
  /// Rows that a range has to be longer than to be cut, and those that a thread that takes its end makes again.
  private let least, again: Int

  /// - Parameters:
  ///   - ranges: of rows, from top to bottom.
  ///   - overlap: rows above and below that a run of rows depends on; nil: a range that was begun cannot be cut.
  init(_ ranges: [Range<Int>], among count: Int, overlap: Int?) {
    let shares = RowShares.shares(of: ranges, among: count)
    threads = shares.count
    state = Locked(State(current: .init(repeating: 0..<0, count: shares.count), waiting: shares))
    least = overlap.map { 3 * $0 } ?? .max
    // Half of them, in the mean of all layers.
    again = (overlap ?? 0) / 2
  }

  /// What a thread that is done with its last range has to do next; nil: nothing.
  func next(for thread: Int) -> Range<Int>? {
    state.withLock { state in
      let range = state.waiting[thread].isEmpty ? taken(&state) : state.waiting[thread].removeFirst()
      if let range { state.current[thread] = range }
      return range
    }
  }

  /// Says that a thread makes its range's rows before `row`.
  ///
  /// - Returns: the end of its range, which may have come nearer.
  func proceed(_ thread: Int, to row: Int) -> Int {
    state.withLock { state in
      let range = state.current[thread]
      state.current[thread] = min(max(row, range.lowerBound), range.upperBound)..<range.upperBound
      return range.upperBound
    }
  }

  /// From the thread that has most left: a range that it has not begun, or the end of the one it is in.
  private func taken(_ state: inout State) -> Range<Int>? {
    func left(_ thread: Int) -> Int { state.waiting[thread].reduce(state.current[thread].count) { $0 + $1.count } }
    guard let other = state.current.indices.max(by: { left($0) < left($1) }) else { return nil }
    if let range = state.waiting[other].popLast() { return range }
    let range = state.current[other]
    guard range.count > least else { return nil }
    let middle = range.lowerBound + (range.count + again) / 2
    state.current[other] = range.lowerBound..<middle
    return middle..<range.upperBound
  }

  /// Cuts rows into runs of about the same length, one list for each thread.
  static func shares(of ranges: [Range<Int>], among count: Int) -> [[Range<Int>]] {
    let total = ranges.reduce(0) { $0 + $1.count }
    guard total > 0 else { return [] }
    var shares = [[Range<Int>]](repeating: [], count: min(count, total))
    var done = 0
    for range in ranges {
      var rest = range
      while !rest.isEmpty {
        let share = min(done * shares.count / total, shares.count - 1)
        // Where the share ends: the first row that belongs to the next.
        let end = ((share + 1) * total + shares.count - 1) / shares.count
        let part = rest.prefix(max(1, end - done))
        shares[share].append(part)
        done += part.count
        rest = part.upperBound..<rest.upperBound
      }
    }
    return shares
  }
}

import Frames

/// The rows of a picture, shared among threads; one that is done takes half of what another has still to do.
///
/// Threads rarely finish together: others' work on their cores, a decoder's or another program's, costs one of them a
/// third of its time now and then, and a frame is done when the last of them is.
///
/// A network's rows depend on some above and below. Where two runs of rows meet, every tensor of the lower one begins as
/// far above the cut as that run's output depends on it, and the upper run's ends just there: what it reads beyond, two
/// rows for a layer of 3x3, the lower run lends (`Loan`), and no row is made twice. If the lower run is late, the upper
/// one makes those rows itself.
final class RowShares: Sendable {
  /// Rows that one thread makes, from top to bottom.
  struct Run: Sendable {
    var rows: Range<Int>
    /// Where it leaves its first rows for the run above, and where it finds those of the run below.
    var lends: Loan?
    var borrows: Loan?
  }

  private struct State {
    /// Of each thread the rows that it has not begun of the run it is in.
    var current: [Run]
    /// The runs that it has not begun.
    var waiting: [[Run]]
  }

  let threads: Int
  private let state: Locked<State>
  /// Rows above and below that a row depends on; nil: a run that was begun cannot be cut.
  private let overlap: Int?
  private let loans: Loans?
  /// Rows that a run has to be longer than to be cut.
  private let least: Int

  /// - Parameters:
  ///   - ranges: of rows, from top to bottom.
  ///   - overlap: rows above and below that a row depends on; nil: a run that was begun cannot be cut.
  ///   - loans: nil: each run makes all rows that it needs itself.
  init(_ ranges: [Range<Int>], among count: Int, overlap: Int?, loans: Loans? = nil) {
    var shares = RowShares.shares(of: ranges, among: count).map { $0.map { Run(rows: $0) } }
    if let loans {
      for (lower, upper) in zip(shares.indices.dropFirst(), shares.indices)
      where shares[lower][0].rows.lowerBound == shares[upper].last?.rows.upperBound {
        let loan = loans.take()
        shares[upper][shares[upper].count - 1].borrows = loan
        shares[lower][0].lends = loan
      }
    }
    threads = shares.count
    state = Locked(State(current: .init(repeating: Run(rows: 0..<0), count: shares.count), waiting: shares))
    self.overlap = overlap
    self.loans = loans
    least = overlap.map { max(1, loans == nil ? 3 * $0 : $0 / 2) } ?? .max
  }

  /// What a thread that is done with its last run has to do next; nil: nothing.
  func next(for thread: Int) -> Run? {
    state.withLock { state in
      state.current[thread] = Run(rows: 0..<0)
      let run = state.waiting[thread].isEmpty ? taken(&state) : state.waiting[thread].removeFirst()
      if let run { state.current[thread] = run }
      return run
    }
  }

  /// Says that a thread makes its run's rows before `row`.
  ///
  /// - Returns: the end of its run, which may have come nearer; and a loan, where the rows are near that some tensor would
  ///   read there or make again: nearer than those that a row depends on.
  func proceed(_ thread: Int, to row: Int) -> (end: Int, loan: Loan?) {
    state.withLock { state in
      let run = state.current[thread]
      let (end, begun) = (run.rows.upperBound, min(max(row, run.rows.lowerBound), run.rows.upperBound))
      if let loan = run.borrows, end - begun <= overlap ?? 0, loan.isFilled {
        // From now on its tensors end where that loan begins. The run must no longer be cut: if its tensors had to go on,
        // they would make more rows at once than their rings hold.
        state.current[thread].rows = end..<end
        return (end, loan)
      }
      state.current[thread].rows = begun..<end
      return (end, nil)
    }
  }

  /// From the thread that has most left: a run that it has not begun, or the end of the one it is in.
  private func taken(_ state: inout State) -> Run? {
    func left(_ thread: Int) -> Int {
      state.waiting[thread].reduce(state.current[thread].rows.count) { $0 + $1.rows.count }
    }
    guard let other = state.current.indices.max(by: { left($0) < left($1) }) else { return nil }
    if let run = state.waiting[other].popLast() { return run }
    let run = state.current[other]
    guard run.rows.count > least else { return nil }
    let middle = cut(run.rows)
    let loan = loans?.take()
    state.current[other] = Run(rows: run.rows.lowerBound..<middle, lends: run.lends, borrows: loan)
    return Run(rows: middle..<run.rows.upperBound, lends: loan, borrows: run.borrows)
  }

  /// Where both parts are done together. The upper one's tensors are ahead already, the picture by the whole overlap, the
  /// last layer by nothing, half of it in their mean: of so many rows, `upper` - `ahead` are to be made, or upper² / (4
  /// ahead) if the first tensors have them all; that many are to be left to the lower part.
  private func cut(_ rows: Range<Int>) -> Int {
    let (count, ahead) = (Double(rows.count), Double(overlap ?? 0) / 2)
    let upper = count < 3 * ahead ? 2 * ahead * ((1 + count / ahead).squareRoot() - 1) : (count + ahead) / 2
    return rows.lowerBound + min(max(Int(upper), 1), rows.count - 1)
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

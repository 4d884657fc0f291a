import Foundation
import Frames
import Pipeline

/// A long input that several lanes may work on at once, stretch by stretch.
final class SegmentedJob: Sendable {
  let input: CutInput
  /// Where finished stretches lie.
  let folder: String
  let start: ContinuousClock.Instant
  private let frames: Int
  private let state: Locked<State>

  private struct State {
    var finished: Set<Int>
    /// Frames of those that are running.
    var running: [Int: Int] = [:]
    var position = 0.0
    var over = false
  }

  init(_ input: CutInput, folder: String, start: ContinuousClock.Instant) {
    (self.input, self.folder, self.start) = (input, folder, start)
    frames = input.segments.reduce(0) { $0 + $1.frames }
    state = Locked(State(finished: SegmentStore.finished(folder, of: input.segments.count)))
  }

  /// The stretches that are still to be run.
  var missing: [Int] {
    state.withLock { state in input.segments.indices.filter { !state.finished.contains($0) } }
  }

  var paths: [String] { input.segments.indices.map { SegmentStore.path(folder, $0) } }

  /// Notes a finished stretch; true where it was the last.
  func finish(_ number: Int) -> Bool {
    state.withLock {
      $0.running[number] = nil
      $0.finished.insert(number)
      return $0.finished.count == input.segments.count
    }
  }

  /// How far the whole has come, as one of its stretches has come so far.
  func progress(_ number: Int, _ progress: JobProgress) -> JobProgress {
    state.withLock {
      $0.running[number] = progress.done
      $0.position = max($0.position, progress.position)
      let done = $0.finished.reduce(0) { $0 + input.segments[$1].frames } + $0.running.values.reduce(0, +)
      return JobProgress(done: min(done, frames), total: frames, position: $0.position)
    }
  }

  /// Gives it up, once: its other stretches are of no use any more.
  func giveUp() -> Bool {
    state.withLock { state in
      defer { state.over = true }
      return !state.over
    }
  }

  var isOver: Bool { state.withLock { $0.over } }
}

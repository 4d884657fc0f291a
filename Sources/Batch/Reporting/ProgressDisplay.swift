import Foundation
import Frames
import Pipeline

/// A line for each running file and one for the batch, redrawn in place at the bottom of a terminal.
final class ProgressDisplay: Sendable {
  private let state = Locked(State())
  private nonisolated(unsafe) let timer: any DispatchSourceTimer

  private struct State {
    var running: [(input: String, flow: Flow, meter: RateMeter, progress: JobProgress?)] = []
    var batch = BatchMeter()
    var linesShown = 0
    var finished = false
  }

  init() {
    timer = DispatchSource.makeTimerSource(queue: .global())
    timer.schedule(deadline: .now() + .milliseconds(200), repeating: .milliseconds(200))
    let state = state
    timer.setEventHandler { state.withLock { if !$0.finished { Self.draw(&$0) } } }
    timer.resume()
  }

  func handle(_ event: BatchEvent) {
    state.withLock { state in
      switch event {
      case .plan(let input, _, .run, _, _): state.batch.add(input)
      case .start(let input, _, let flow, _): state.running.append((input, flow, RateMeter(), nil))
      case .progress(let input, let progress):
        guard let index = state.running.firstIndex(where: { $0.input == input }) else { return }
        state.running[index].progress = progress
        state.running[index].meter.note(progress.done)
      case .done(let input, _), .failed(let input, _, _, _):
        state.running.removeAll { $0.input == input }
        state.batch.finish(input)
      default: break
      }
    }
  }

  /// Prints a line above the bars.
  func print(_ text: String) {
    state.withLock {
      Terminal.writeError(Self.erase(&$0) + text + "\n")
      if !$0.finished { Self.draw(&$0) }
    }
  }

  func finish() {
    timer.cancel()
    state.withLock {
      $0.finished = true
      Terminal.writeError(Self.erase(&$0))
    }
  }

  private static func erase(_ state: inout State) -> String {
    guard state.linesShown > 0 else { return "" }
    defer { state.linesShown = 0 }
    return "\u{1B}[\(state.linesShown)F\u{1B}[J"
  }

  private static func draw(_ state: inout State) {
    let erased = erase(&state)
    guard !state.running.isEmpty else { return Terminal.writeError(erased) }
    let width = max(Terminal.width - 1, 20)
    var lines: [String] = []
    let room = max(Terminal.height - 2, 1)
    for (input, flow, meter, progress) in state.running.prefix(room) {
      var right = ""
      if let progress {
        if let rate = meter.rate {
          let text = flow.rate(perSecond: rate)
          right += String(repeating: " ", count: max(11 - text.count, 1)) + text
        }
        if let total = progress.total, total > 0 {
          let share = min(Double(progress.done) / Double(total), 1)
          right += String(format: " %3.0f%%", share * 100)
          if progress.done >= total {
            right += " finishing"
          } else if let rate = meter.rate, rate > 0 {
            right += " ETA " + HumanObserver.duration(Double(total - progress.done) / rate)
          }
        } else {
          right += " " + flow.count(progress.done)
        }
      }
      lines.append(line(input, right, width))
    }
    lines.append(
      line(
        state.batch.text(
          state.running.compactMap { job in
            job.progress.flatMap { p in p.total.map { (job.input, min(Double(p.done) / Double(max($0, 1)), 1)) } }
          }), "", width))
    state.linesShown = lines.count
    Terminal.writeError(erased + lines.joined(separator: "\n") + "\n")
  }

  private static func line(_ left: String, _ right: String, _ width: Int) -> String {
    let room = max(width - right.count, 1)
    let fitted = Terminal.fit(left, columns: room)
    return fitted + String(repeating: " ", count: max(room - Terminal.displayWidth(fitted), 0)) + right
  }
}

/// Frames a second over the last ten seconds: what a person would measure now.
struct RateMeter {
  private var samples: [(time: ContinuousClock.Instant, done: Int)] = [(.now, 0)]

  mutating func note(_ done: Int) {
    let now = ContinuousClock.now
    samples.append((now, done))
    while samples.count > 2, samples[1].time.duration(to: now) > .seconds(10) { samples.removeFirst() }
  }

  /// Nil until there is something to go by.
  var rate: Double? {
    guard let first = samples.first, let last = samples.last, last.done > first.done else { return nil }
    let seconds = first.time.duration(to: .now).seconds
    return seconds >= 0.5 ? Double(last.done - first.done) / seconds : nil
  }
}

/// How far the whole batch is, by the size of its files: frames are not known before a file is opened.
struct BatchMeter {
  private var sizes: [String: Int] = [:]
  private var left: Set<String> = []
  private var total = 0
  private var doneBytes = 0
  private let start = ContinuousClock.now

  mutating func add(_ input: String) {
    let size = max(FileIdentity(path: input)?.size ?? 0, 1)
    guard sizes.updateValue(size, forKey: input) == nil else { return }
    left.insert(input)
    total += size
  }

  mutating func finish(_ input: String) {
    if left.remove(input) != nil { doneBytes += sizes[input] ?? 0 }
  }

  /// - Parameter running: the share that is done of each running file.
  func text(_ running: [(input: String, share: Double)]) -> String {
    let partial = running.reduce(0.0) { $0 + Double(sizes[$1.input] ?? 0) * $1.share }
    let share = total > 0 ? (Double(doneBytes) + partial) / Double(total) : 0
    let elapsed = start.duration(to: .now).seconds
    var text = "\(sizes.count - left.count) of \(HumanObserver.count(sizes.count, "file"))"
    text += String(format: " · %.0f%%", share * 100)
    // The first seconds tell of starting up more than of working.
    if elapsed > 3, share > 0.005 { text += " · ETA " + HumanObserver.duration(elapsed * (1 - share) / share) }
    return text
  }
}

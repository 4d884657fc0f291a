import Foundation
import Frames
import Pipeline

/// Tells a person what happens, on standard error: a line for each outcome, and bars on a terminal.
public final class HumanObserver: RunObserver {
  public enum Detail: Int, Sendable { case quiet, normal, verbose }

  private let detail: Detail
  private let display: ProgressDisplay?
  private let state = Locked([String: String]())

  /// - Parameter bars: whether to draw progress bars.
  public init(detail: Detail, bars: Bool) {
    self.detail = detail
    display = bars ? ProgressDisplay() : nil
  }

  public func handle(_ event: BatchEvent) {
    display?.handle(event)
    switch event {
    case .plan(let input, _, let action, let why, _):
      if detail == .verbose { line("\(input): \(action.rawValue)" + (why.isEmpty ? "" : " (\(why))")) }
    case .start(let input, let output, _, _):
      if detail == .verbose { line("\(input) -> \(output)") }
    case .progress: break
    case .done(let input, let done):
      guard detail != .quiet else { break }
      // Of one alone a rate says nothing.
      let isTimed = done.frames > 1 && done.seconds > 0
      let rate = isTimed ? ", " + done.flow.rate(perSecond: Double(done.frames) / done.seconds) : ""
      line(
        "\(input) -> \(done.outputs.joined(separator: ", ")): \(done.flow.count(done.frames)) in "
          + "\(Self.duration(done.seconds))\(rate)")
      for note in done.notes where detail == .verbose || note.kind != .info { line("  \(input): \(note)") }
    case .failed(_, _, let failure, let attempts):
      line("error: \(failure)" + (attempts > 1 ? " (tried \(attempts) times)" : ""))
    case .skipped(let input, _, let why):
      if detail == .verbose { line("\(input): skipped, \(why)") }
    case .summary(let summary):
      guard detail != .quiet else { break }
      line(Self.text(summary))
      if let review = summary.review.flatMap({ Self.text($0, isWhole: summary.failed + summary.left == 0) }) {
        line(review)
      }
    }
  }

  public func remark(_ text: String) { line(text) }

  public func finish() { display?.finish() }

  private func line(_ text: String) {
    if let display { display.print(text) } else { Terminal.writeError(text + "\n") }
  }

  static func text(_ summary: BatchEvent.Summary) -> String {
    let parts: [(Int, String)] = [
      (summary.done, "done"), (summary.upToDate, "up to date"), (summary.failed, "failed"),
      (summary.skipped, "skipped"), (summary.left, "left to do"),
    ]
    let text = parts.filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }.joined(separator: ", ")
    return "\(text.isEmpty ? "nothing to do" : text) in \(duration(summary.seconds))"
  }

  /// Nil where there is nothing to say: of documents that were not read nobody knows what they need.
  /// - Parameter isWhole: whether all documents were read.
  static func text(_ review: BatchEvent.Review, isWhole: Bool) -> String? {
    let pages: String? =
      switch review.pages {
      case 0: isWhole ? "no page needs review" : nil
      case 1: "1 page needs review"
      default: "\(review.pages) pages need review"
      }
    if review.files.isEmpty { return pages }
    let words = count(review.words, "doubtful word")
    return "\(pages.map { "\($0), with \(words)" } ?? words): \(review.files.joined(separator: ", "))"
  }

  static func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }

  /// `4.2 s`, `3:05`, `1:02:33`.
  static func duration(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds >= 0, seconds < 1e7 else { return "?" }
    if seconds < 60 { return String(format: "%.1f s", seconds) }
    let whole = Int(seconds.rounded())
    let (hours, minutes, rest) = (whole / 3600, whole / 60 % 60, whole % 60)
    return hours > 0 ? String(format: "%d:%02d:%02d", hours, minutes, rest) : String(format: "%d:%02d", minutes, rest)
  }
}

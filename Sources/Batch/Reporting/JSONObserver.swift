import Foundation
import Frames
import Pipeline

/// Writes each event as one line of JSON to standard output; remarks go to standard error.
public final class JSONObserver: RunObserver {
  private let output = Locked(true)
  public init() {}

  public func handle(_ event: BatchEvent) {
    let value = Value.map(Self.fields(event))
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    guard let data = try? encoder.encode(value) else { return }
    output.withLock {
      // A reader who has gone away does not stop the work.
      guard $0 else { return }
      do { try FileSystem.write(data + Data([10]), to: STDOUT_FILENO, "standard output") } catch { $0 = false }
    }
  }

  public func remark(_ text: String) { Terminal.writeError(text + "\n") }
  public func finish() {}

  static func fields(_ event: BatchEvent) -> [String: Value] {
    switch event {
    case .plan(let input, let output, let action, let why, let prediction):
      [
        "event": "plan", "input": .string(input), "output": .string(output), "action": .string(action.rawValue),
        "why": .string(why), "seconds": prediction.map { .double($0.seconds) } ?? .null,
        "memory": prediction.map { .int($0.memory) } ?? .null,
        "temporary": prediction.map { .int($0.temporary) } ?? .null,
        "learned": prediction.map { .bool($0.learned) } ?? .null,
      ]
    case .start(let input, let output, _, let attempt):
      ["event": "start", "input": .string(input), "output": .string(output), "attempt": .int(attempt)]
    case .progress(let input, let state):
      [
        "event": "progress", "input": .string(input), "done": .int(state.done),
        "total": state.total.map { .int($0) } ?? .null, "position": .double(state.position),
      ]
    case .done(let input, let done):
      [
        "event": "done", "input": .string(input), "output": done.outputs.first.map { .string($0) } ?? .null,
        "outputs": .list(done.outputs.map { .string($0) }), "frames": .int(done.frames),
        "seconds": .double(done.seconds),
        "notes": .list(done.notes.map { .map(["kind": .string($0.kind.rawValue), "text": .string($0.text)]) }),
      ]
    case .failed(let input, let output, let failure, let attempts):
      [
        "event": "failed", "input": .string(input), "output": .string(output), "error": .string(failure.description),
        "exit_code": .int(Int(failure.exitCode.rawValue)), "attempts": .int(attempts),
      ]
    case .skipped(let input, let output, let why):
      ["event": "skipped", "input": .string(input), "output": .string(output), "why": .string(why)]
    case .summary(let summary):
      [
        "event": "summary", "input": .null, "done": .int(summary.done), "up_to_date": .int(summary.upToDate),
        "skipped": .int(summary.skipped), "failed": .int(summary.failed), "left": .int(summary.left),
        "seconds": .double(summary.seconds), "exit_code": .int(Int(summary.exitCode.rawValue)),
        "review": summary.review.map {
          .map([
            "pages": .int($0.pages), "doubtful_words": .int($0.words), "files": .list($0.files.map { .string($0) }),
          ])
        } ?? .null,
      ]
    }
  }
}

import Foundation
import Frames
import Pipeline

/// What a run has set out to do in an output folder: `.pipe/run.json`.
struct CurrentRun: Codable {
  var pipeline: String
  /// Seconds since 1970.
  var started: Double
  /// Below the output folder.
  var outputs: [String]

  func write(_ root: OutputRoot) {
    // Only `pipe status` misses it if it cannot be written.
    guard let data = try? JSONEncoder().encode(self) else { return }
    try? FileSystem.writeAtomically(data, to: root.current)
  }
}

/// What the receipts of an output folder say; may be asked while a run goes on.
public struct RunStatus: Sendable {
  public struct Failed: Sendable {
    public var input: String
    public var output: String
    public var why: String
    /// Seconds since 1970.
    public var when: Double
  }

  public private(set) var pipeline: String?
  public private(set) var isRunning = false
  public private(set) var done = 0
  /// The oldest first.
  public private(set) var failed: [Failed] = []
  /// What the last run set out to do and has not, below the output folder.
  public private(set) var left: [String] = []
  /// Of the outputs done: seconds that they took, one by one, and frames.
  public private(set) var seconds = 0.0
  public private(set) var frames = 0

  /// - Parameter folder: an output folder.
  /// Throws a usage `Failure` where no run has written to it.
  public init(_ folder: String) throws {
    let root = OutputRoot(folder)
    guard FileSystem.status(folder)?.isFolder == true else {
      throw Failure("there is no folder \(folder)", exitCode: .usage)
    }
    guard FileSystem.status(root.ledger)?.isFolder == true else {
      throw Failure(
        "no run has written to \(folder)", advice: "give the folder of the outputs", exitCode: .usage)
    }
    var settled: [String: Double] = [:]
    for case let name as String in FileManager.default.enumerator(atPath: root.receipts) ?? .init()
    where name.hasSuffix(".json") {
      guard case .receipt(let receipt)? = Receipt.load(root.receipts + "/" + name) else { continue }
      settled[String(name.dropLast(5))] = receipt.finished
      pipeline = pipeline ?? receipt.pipelineName
      switch receipt.status {
      case .done:
        done += 1
        seconds += receipt.cost?.seconds ?? 0
        frames += receipt.framesOut
      case .failed, .quarantined:
        failed.append(
          Failed(
            input: receipt.input.path, output: String(name.dropLast(5)),
            why: receipt.failure.map { $0.message + ($0.advice.map { "; " + $0 } ?? "") } ?? "unknown",
            when: receipt.finished))
      }
    }
    failed.sort { $0.when < $1.when }
    if let data = FileSystem.contents(root.current), let run = try? JSONDecoder().decode(CurrentRun.self, from: data) {
      pipeline = run.pipeline
      left = run.outputs.filter {
        (settled[String(TemporaryName.fitting($0, suffix: ".json").dropLast(5))] ?? 0) < run.started
      }
    }
    let descriptor = open(root.lock, O_RDWR | O_CLOEXEC)
    if descriptor >= 0 {
      isRunning = flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK
      close(descriptor)
    }
  }

  public var text: String {
    var lines = [
      "\(pipeline ?? "?"): \(done) done, \(failed.count) failed, \(left.count) left"
        + (isRunning ? "; a run is at work" : "")
    ]
    lines += failed.map { "failed: \($0.input): \($0.why) (\(Self.date($0.when)))" }
    lines += left.prefix(20).map { "left: \($0)" }
    if left.count > 20 { lines.append("left: and \(left.count - 20) more") }
    return lines.joined(separator: "\n")
  }

  public var json: Value {
    .map([
      "pipeline": pipeline.map { .string($0) } ?? .null, "running": .bool(isRunning), "done": .int(done),
      "seconds": .double(seconds), "frames": .int(frames), "left": .list(left.map { .string($0) }),
      "failed": .list(
        failed.map {
          .map([
            "input": .string($0.input), "output": .string($0.output), "why": .string($0.why), "when": .double($0.when),
          ])
        }),
    ])
  }

  private static func date(_ seconds: Double) -> String {
    Date(timeIntervalSince1970: seconds).formatted(.iso8601)
  }
}

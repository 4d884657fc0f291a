import Foundation
import Frames
import Media
import Pipeline

/// What a worker is to do with an input.
enum JobTask: Sendable, Codable {
  case whole
  /// Find out how much it is.
  case measure
  /// Find out how it can be cut.
  case cut
  /// Run one stretch and keep it at `path`.
  case segment(Segment, of: FileIdentity, path: String, findings: [String: Data])
  /// Make the output of all stretches.
  case join(CutInput, [String])
}

/// An input that can be cut, as it was when it was looked at.
struct CutInput: Sendable, Codable {
  var identity: FileIdentity
  /// SHA-256 of its content, hexadecimal.
  var sha256: String
  var segments: [Segment]
  /// What stages found out about the whole input.
  var findings: [String: Data] = [:]
}

extension LocalRunner {
  /// Runs a task on stretches. Throws what the chain throws.
  func run(
    _ task: JobTask, _ job: Job, admit: (JobExtent) throws -> Void,
    usage: @escaping @Sendable () -> (cpuSeconds: Double, peakMemory: Int),
    progress: @escaping @Sendable (JobProgress) -> Void
  ) throws -> JobOutcome {
    let runner = ChainRunner(chain)
    switch task {
    case .whole: return .cut(nil)
    case .measure: return .measured(try runner.extent(of: job))
    case .cut:
      guard let before = FileIdentity(path: job.input), let segments = try runner.cut(job),
        let sha256 = try ContentHash.of(file: job.input, proceed: { !job.isCancelled })
      else {
        try job.throwIfCancelled()
        return .cut(nil)
      }
      try unchanged(job, before)
      return .cut(CutInput(identity: before, sha256: sha256, segments: segments, findings: job.findings))
    case .segment(let segment, let identity, let path, let findings):
      try unchanged(job, identity)
      job.take(findings)
      let record = try runner.run(
        job, segment, to: path, usage: usage, progress: progress, admit: admit,
        beforeKeeping: { try self.unchanged(job, identity) })
      return .segment(frames: record.framesIn)
    case .join(let input, let paths):
      try unchanged(job, input.identity)
      job.take(input.findings)
      let (report, records) = try runner.join(job, input.segments, paths)
      let metrics = try measure(report, job)
      try unchanged(job, input.identity)
      let used = usage()
      return .done(
        JobResult(
          report: report, identity: input.identity, sha256: input.sha256,
          cpuSeconds: used.cpuSeconds + records.reduce(0) { $0 + $1.cpuSeconds },
          peakMemory: max(used.peakMemory, records.map(\.peakMemory).max() ?? 0), metrics: metrics))
    }
  }

  func unchanged(_ job: Job, _ identity: FileIdentity) throws {
    guard FileIdentity(path: job.input) == identity else {
      throw Failure(
        "it changed while it was read", place: job.input, advice: "run again when it has settled", mayPass: true)
    }
  }
}

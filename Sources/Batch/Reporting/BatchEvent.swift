import Foundation
import Frames
import Pipeline

/// What happens in a run. With `--json` each is one line on standard output.
public enum BatchEvent: Sendable {
  /// - prediction: in a dry run, where the input could be opened.
  case plan(input: String, output: String, action: PlannedJob.Action, why: String, prediction: Prediction?)
  case start(input: String, output: String, flow: Flow, attempt: Int)
  case progress(input: String, JobProgress)
  case done(input: String, Done)
  case failed(input: String, output: String, Failure, attempts: Int)
  case skipped(input: String, output: String, why: String)
  case summary(Summary)

  public struct Done: Sendable {
    public var outputs: [String]
    /// Frames or pages, as `flow` says.
    public var frames: Int
    public var flow: Flow
    public var seconds: Double
    public var notes: [Note]
  }

  /// What the documents of a run leave for a person to look at.
  public struct Review: Sendable, Hashable {
    public var pages = 0
    public var words = 0
    /// Web pages that show it, one an output folder that has any.
    public var files: [String] = []
  }

  public struct Summary: Sendable, Hashable {
    public var done = 0
    public var upToDate = 0
    public var skipped = 0
    public var failed = 0
    /// Not begun or broken off, as the run was stopped.
    public var left = 0
    public var seconds = 0.0
    public var exitCode = ExitCode.success
    /// Of runs over documents.
    public var review: Review?
  }
}

/// Something that shows a run to a person or a program. Called from several threads.
public protocol RunObserver: Sendable {
  func handle(_ event: BatchEvent)
  /// A line for a person that belongs to no input.
  func remark(_ text: String)
  /// No more events will come.
  func finish()
}

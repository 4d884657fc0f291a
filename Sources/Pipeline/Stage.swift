import Frames

/// What flows between two stages.
public enum Flow: String, Sendable, Hashable, Codable { case frames, pages }

/// Where in a chain a stage may stand.
public enum StageRole: Sendable, Hashable {
  case source(Flow)
  case filter(Set<Flow>)
  case sink(Set<Flow>)
}

/// One step of a pipeline, checked and ready to be opened for any number of jobs.
///
/// A new stage is one file that conforms to `SourceStage`, `FilterStage` or `SinkStage`, and one line in the list
/// of built-in stages.
public protocol Stage: Sendable {
  associatedtype Options: StageOptions
  static var name: String { get }
  /// One line: what the stage does.
  static var summary: String { get }
  /// The parameter that may stand alone, as in `deinterlace: auto`.
  static var main: String? { get }
  static var role: StageRole { get }

  /// Throws `Failure` where parameters that are each valid do not go together.
  init(_ options: Options) throws

  /// Looks, before anything runs, for what the stage needs from this machine: models, languages, encoders.
  /// Throws `Failure` with exit code 2 (no such name) or 3 (not installed).
  func check() throws

  /// What a user should know before anything runs, a line each.
  var remarks: [String] { get }

  /// What else decides the bits of the output, beside the parameters: hashes of models, versions of libraries.
  func fingerprint() throws -> [String: String]
}

extension Stage {
  public static var main: String? { nil }
  public func check() throws {}
  public var remarks: [String] { [] }
  public func fingerprint() throws -> [String: String] { [:] }
}

public protocol SourceStage: Stage {
  func open(_ job: Job) throws -> any Source
  /// How long an input may take in comparison with others of this stage, as far as a look at its first bytes tells.
  func weight(of path: String, bytes: Int) -> Double
}

extension SourceStage {
  public func weight(of path: String, bytes: Int) -> Double { Double(bytes) }
}

public protocol FilterStage: Stage {
  /// One filter is opened for each stream.
  func open(_ input: StreamFormat, _ job: Job) throws -> any Filter
  /// Finds out, by `Job.finding`, what must be known of a whole input before a stretch of it can be worked on.
  func survey(_ input: StreamFormat, _ job: Job) throws
  /// What must be seen around a stretch of frames so that they come out as from the whole input.
  var context: FrameContext { get }
}

extension FilterStage {
  /// Safe for every filter; those that treat each frame for itself say `.frames(0)`.
  public var context: FrameContext { .everything }
  public func survey(_ input: StreamFormat, _ job: Job) throws {}
}

public protocol SinkStage: Stage {
  func open(_ streams: [StreamFormat], _ job: Job) throws -> any Sink
}

/// An opened input. Used by one thread.
public protocol Source: AnyObject {
  var streams: [StreamFormat] { get }
  /// The next frame of any stream in the order of the file, or nil at its end.
  func read() throws -> Frame?
}

/// A filter opened for one stream. Used by one thread.
public protocol Filter: AnyObject {
  var output: StreamFormat { get }
  /// How many frames come out for those that go in; the chain is held to it. Where it is not 1, an unfinished cycle at
  /// the end may give a few more or fewer.
  var frameRatio: Rational { get }
  /// Calls `emit` for each frame that is ready, in order.
  func process(_ frame: Frame, emit: (Frame) throws -> Void) throws
  /// Emits what was held back.
  func finish(emit: (Frame) throws -> Void) throws
}

extension Filter {
  public var frameRatio: Rational { Rational(1, 1) }
  /// Whether exactly one frame comes out for each that goes in.
  public var keepsFrameCount: Bool { frameRatio == Rational(1, 1) }
  public func finish(emit: (Frame) throws -> Void) throws {}
}

/// An opened output. Used by one thread.
public protocol Sink: AnyObject {
  /// Writes a frame of any stream.
  func write(_ frame: Frame) throws
  /// Completes the files under their temporary names, flushes them to disk, and verifies them by reading them back.
  func finish() throws -> SinkReport
}

/// What a sink has written.
public struct SinkReport: Sendable, Codable {
  public struct File: Sendable, Codable {
    /// Where it lies, complete and verified.
    public var part: String
    /// Where it is to be renamed to.
    public var path: String
    public init(part: String, path: String) { (self.part, self.path) = (part, path) }
  }
  public var files: [File]
  /// Facts for the receipt: streams, duration, colour, what was verified.
  public var details: [String: Value]
  /// Of sinks whose outputs a person may have to look at; nil of others.
  public var review: Review?

  /// What a person should look at: nothing where `part` is nil, else a file for the run's review.
  public struct Review: Sendable, Codable {
    public var part: String?
    public init(part: String?) { self.part = part }
  }

  public init(files: [File], details: [String: Value] = [:], review: Review? = nil) {
    self.files = files
    self.details = details
    self.review = review
  }
}

import Foundation
import Frames

/// A closed stretch of one input: what a long job is done, kept and continued by.
public struct Segment: Sendable, Hashable, Codable {
  /// Counted from 0.
  public var number: Int
  /// Frames in it.
  public var frames: Int
  /// What the source needs to know to find it; nobody else reads it.
  public var place: Data

  public init(number: Int, frames: Int, place: Data) {
    (self.number, self.frames, self.place) = (number, frames, place)
  }
}

/// What a filter must see to treat a frame as it would in a run over the whole input.
public enum FrameContext: Sendable, Hashable {
  /// The frame alone, and at most so many before and after it.
  case frames(Int)
  /// All that came before.
  case everything
}

/// A source whose inputs can be cut.
public protocol SegmentableSource: SourceStage {
  /// Why, with its parameters, it cannot cut; nil where it can.
  var cutObstacle: String? { get }
  /// Cuts an input into stretches of about so many seconds; nil where it is too short, or not fit for it.
  /// - Parameter context: frames on both sides of each that will be asked for.
  func cut(_ job: Job, every seconds: Double, context: Int) throws -> [Segment]?
  func open(_ job: Job, _ segment: Segment, context: Int) throws -> any SegmentSource
}

/// An opened stretch: `read` gives its frames, and those around it that were asked for.
/// Throws `CutRefused` where it cannot give exactly the frames that reading the whole input would.
public protocol SegmentSource: Source {
  /// Whether a frame is of the stretch itself, once filters are done with it.
  func contains(_ time: Timestamp) -> Bool
  /// The time at which the next stretch begins.
  var end: Int? { get }
  /// Complete once `read` has returned nil.
  var facts: SegmentFacts { get }
}

/// What a source found in a stretch.
public struct SegmentFacts: Sendable, Hashable, Codable {
  /// Hashes of its first frame and of the first after its end: neighbours must agree, or they were not read alike.
  public var first: String?
  public var next: String?
  /// Notes that say how often something was met, in place of `#`.
  public var tallies: [Tally]

  public struct Tally: Sendable, Hashable, Codable {
    public var note: Note
    public var count: Int
    public init(_ note: Note, _ count: Int) { (self.note, self.count) = (note, count) }
  }

  public init(first: String?, next: String?, tallies: [Tally]) {
    (self.first, self.next, self.tallies) = (first, next, tallies)
  }
}

/// A sink that can write stretches and join them.
public protocol SegmentableSink: SinkStage {
  var cutObstacle: String? { get }
  /// - Parameter path: where the finished stretch is to lie.
  func open(_ streams: [StreamFormat], _ job: Job, segmentAt path: String) throws -> any SegmentSink
  /// What was kept with a finished stretch.
  func record(of path: String) throws -> Data
  /// Makes the output of all stretches. Throws `CutRefused` where they do not belong together.
  func join(_ streams: [StreamFormat], _ job: Job, _ paths: [String]) throws -> SinkReport
}

/// An opened stretch of an output. Used by one thread.
public protocol SegmentSink: AnyObject {
  func write(_ frame: Frame) throws
  /// Completes the file and brings it to its place, whole or not at all.
  func finish(next: Int?, record: Data) throws
}

/// An input turns out not to be fit for cutting: it has to be run in one go.
public struct CutRefused: Error, CustomStringConvertible {
  public let description: String
  public init(_ reason: String) { description = reason }
}

/// What came of a stretch; kept with it until all are joined.
public struct SegmentRecord: Sendable, Codable {
  public var number: Int
  public var framesIn: Int
  public var framesOut: Int
  public var notes: [Note]
  public var facts: SegmentFacts
  public var seconds: Double
  public var stageSeconds: [String: Double]
  public var cpuSeconds: Double
  /// Bytes.
  public var peakMemory: Int
}

extension Chain {
  /// Why its inputs are never cut, or nil.
  public var cutObstacle: String? {
    guard segment != nil else { return "the pipeline has no 'segment'" }
    guard let source = source as? any SegmentableSource else { return "\(stages[0].spec.name) does not cut" }
    guard let sink = sink as? any SegmentableSink else { return "\(stages.last?.spec.name ?? "") does not cut" }
    if let obstacle = source.cutObstacle ?? sink.cutObstacle { return obstacle }
    for stage in stages.dropFirst().dropLast() {
      if let filter = stage.stage as? any FilterStage, filter.context == .everything {
        return "\(stage.spec.name) needs all frames before one"
      }
    }
    return nil
  }

  /// Frames around a stretch that its filters look at.
  var contextFrames: Int {
    filters.reduce(0) { sum, filter in
      if case .frames(let count) = filter.context { sum + count } else { sum }
    }
  }
}

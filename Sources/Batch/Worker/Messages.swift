import Foundation
import Frames
import Pipeline

/// What the parent tells a worker: one JSON object a line on the worker's standard input.
enum WorkerRequest: Sendable, Codable {
  /// The first line.
  case setup(WorkerSetup)
  case job(JobOrder)
  /// Stop the running job as soon as it can be.
  case cancel
}

/// What a worker tells its parent: one JSON object a line on the worker's original standard output.
enum WorkerReply: Sendable, Codable {
  /// It has read its pipeline and waits for jobs.
  case ready
  case progress(JobProgress)
  /// It works, although no frame has come out.
  case alive
  /// Nothing tells of progress, but its threads are at work or in line for a processor: a slow encoder, a crowded
  /// machine, or a loop without end.
  case busy
  case done(JobResult)
  case failed(JobFailure)
  /// How the input can be cut; nil where it is to be run in one go.
  case cut(CutInput?)
  /// A stretch is kept.
  case segment(frames: Int)
  case measured(JobExtent)
  /// It was not begun: it will want about so many bytes of memory, and cannot do with fewer than `least`.
  case needs(memory: Int, least: Int)
  /// The input turned out not to be fit for cutting.
  case refused(String)
}

struct WorkerSetup: Sendable, Codable {
  var pipeline: String
  /// The pipeline's name in messages.
  var file: String
  var settings: [String]
  /// The address space that the worker may have, in bytes.
  var memory: Int?
}

struct JobOrder: Sendable, Codable {
  var input: String
  var output: String
  var threads: Int
  var strict: Bool
  var verbose: Bool
  var task = JobTask.whole
  /// Bytes of memory that the worker may use.
  var memory: Int?
  /// Bytes beyond which it is to ask before it begins; nil where it runs alone.
  var share: Int?
}

struct JobResult: Sendable, Codable {
  var report: JobReport
  /// The input as it was read, and SHA-256 of it.
  var identity: FileIdentity
  var sha256: String?
  var cpuSeconds: Double
  var peakMemory: Int
  /// What `require:` asked to be measured on the output.
  var metrics: [String: Double] = [:]
}

struct JobFailure: Sendable, Codable {
  var failure: Failure
  var notes: [Note]
}

/// One message a line.
enum MessageCoding {
  /// Far longer than any message; a worker gone mad must not fill the parent's memory.
  static let longest = 64 << 20

  static func line(_ message: some Encodable) throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.withoutEscapingSlashes]
    return try encoder.encode(message) + Data([10])
  }
}

/// Takes bytes as they come and gives whole lines.
struct LineBuffer {
  private var bytes = Data()

  mutating func append(_ piece: UnsafeRawBufferPointer) { bytes.append(contentsOf: piece) }

  var isTooLong: Bool { bytes.count > MessageCoding.longest }

  mutating func next() -> Data? {
    guard let end = bytes.firstIndex(of: 10) else { return nil }
    defer { bytes = Data(bytes[bytes.index(after: end)...]) }
    return Data(bytes[..<end])
  }
}

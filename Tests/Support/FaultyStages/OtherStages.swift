import Foundation
import Frames
import Pipeline

/// Adds a number to every sample.
public struct AddStage: FilterStage {
  public struct Options: StageOptions {
    var amount = 1
    public init() {}
    public static var parameters: [Parameter<Options>] {
      [.integer("amount", \.amount, 0...255, "What to add.")]
    }
  }
  public static let name = "add"
  public static let summary = "Adds a number to every sample."
  public static let main: String? = "amount"
  public static let role = StageRole.filter([.frames])
  private let amount: Int

  public init(_ options: Options) { amount = options.amount }

  public func open(_ input: StreamFormat, _ job: Job) throws -> any Filter { AddFilter(input, amount) }
}

private final class AddFilter: Filter {
  let output: StreamFormat
  private let amount: Int
  init(_ input: StreamFormat, _ amount: Int) { (output, self.amount) = (input, amount) }

  func process(_ frame: Frame, emit: (Frame) throws -> Void) throws {
    let source = frame.picture
    try emit(
      frame.with(
        Picture(width: source.width, height: source.height, format: source.format) { planes in
          source.withPlanes { from in
            for y in 0..<source.height {
              let (row, input) = (planes[0].row(y, as: UInt8.self), from[0].row(y, as: UInt8.self))
              for x in 0..<source.width { row[x] = input[x] &+ UInt8(truncatingIfNeeded: amount) }
            }
          }
        }))
  }
}

/// Writes samples as they are.
public struct RawStage: SinkStage {
  public static let name = "raw"
  public static let summary = "Writes samples as they are."
  public static let role = StageRole.sink([.frames])
  public init(_ options: NoOptions) {}
  public func open(_ streams: [StreamFormat], _ job: Job) throws -> any Sink { try RawSink(job) }
}

private final class RawSink: Sink {
  private let job: Job
  private let handle: FileHandle

  init(_ job: Job) throws {
    self.job = job
    let part = job.part(job.output)
    guard FileManager.default.createFile(atPath: part, contents: nil), let handle = FileHandle(forWritingAtPath: part)
    else { throw Failure("cannot write \(part)") }
    self.handle = handle
  }

  func write(_ frame: Frame) throws {
    let bytes = frame.picture.withPlanes { planes in
      (0..<planes[0].height).reduce(into: Data()) {
        $0.append(planes[0].row($1, as: UInt8.self), count: planes[0].width)
      }
    }
    try handle.write(contentsOf: bytes)
  }

  func finish() throws -> SinkReport {
    try handle.close()
    return SinkReport(files: [.init(part: job.part(job.output), path: job.output)])
  }
}

public let faultyStages = StageRegistry([ScriptStage.self, AddStage.self, RawStage.self])

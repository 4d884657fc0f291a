import Foundation
import Frames
import Pipeline

/// A source whose input is a script of what shall go wrong: one instruction a line.
///
/// `frames N`, `size SIDE` (claimed, not kept), `pause SECONDS` (between frames), `crash`, `crash-once FILE`, `exit`,
/// `hang`, `allocate`, `print`, `throw`, `throw-once FILE` (an error that may pass), `loss TEXT`. A `once` leaves the file behind as its mark.
public struct ScriptStage: SourceStage {
  public static let name = "script"
  public static let summary = "Frames and faults by the input's own instructions."
  public static let role = StageRole.source(.frames)

  public init(_ options: NoOptions) {}

  public func open(_ job: Job) throws -> any Source { try ScriptSource(job) }
}

private final class ScriptSource: Source {
  let streams: [StreamFormat]
  private let job: Job
  private var instructions: [[String]]
  private var framesLeft = 0
  private var pause = 0.0
  private var count = 0

  init(_ job: Job) throws {
    self.job = job
    guard let data = FileManager.default.contents(atPath: job.input), let text = String(data: data, encoding: .utf8)
    else { throw Failure("this is no script", place: job.input) }
    instructions = text.split(whereSeparator: \.isNewline).map { $0.split(separator: " ").map(String.init) }
    // A source may claim any size: none of these pictures is ever made.
    let side = instructions.filter { $0.first == "size" }.compactMap { $0.last.flatMap(Int.init) }.first ?? 4
    let total = instructions.filter { $0.first == "frames" }.compactMap { $0.last.flatMap(Int.init) }.reduce(0, +)
    streams = [
      StreamFormat(
        width: side, height: side, pixelFormat: PixelFormat(.none), timeBase: Rational(1, 25), frameCount: total)
    ]
  }

  func read() throws -> Frame? {
    while framesLeft == 0 {
      guard !instructions.isEmpty else { return nil }
      try perform(instructions.removeFirst())
    }
    framesLeft -= 1
    if pause > 0 { Thread.sleep(forTimeInterval: pause) }
    let value = UInt8(truncatingIfNeeded: count)
    let picture = Picture(width: 4, height: 4, format: PixelFormat(.none)) { planes in
      for y in 0..<4 { planes[0].row(y, as: UInt8.self).update(repeating: value, count: 4) }
    }
    defer { count += 1 }
    return Frame(picture: picture, timestamp: Timestamp(count, timeBase: Rational(1, 25)))
  }

  private func perform(_ words: [String]) throws {
    let argument = words.dropFirst().joined(separator: " ")
    switch words.first {
    case "frames": framesLeft = Int(argument) ?? 0
    case "size": break
    case "pause": pause = Double(argument) ?? 0
    case "crash": kill(getpid(), SIGSEGV)
    case "crash-once": if mark(argument) { kill(getpid(), SIGSEGV) }
    case "exit": exit(0)
    case "hang": while true { sleep(1) }
    case "allocate":
      // Never touched, so that only the limit on the address space can stop it.
      for _ in 0..<4096 where malloc(1 << 30) == nil { throw Failure("no memory", exitCode: .exhausted) }
      throw Failure("the address space has no limit")
    case "print":
      print("a library prints this")
      fflush(nil)
    case "throw": throw Failure("the script said so", place: job.input)
    case "throw-once": if mark(argument) { throw Failure("not now", exitCode: .exhausted, mayPass: true) }
    case "loss": try job.note(Note(.loss, argument))
    default: throw Failure("'\(words.joined(separator: " "))' is no instruction", place: job.input)
    }
  }

  /// Whether it is the first time.
  private func mark(_ path: String) -> Bool {
    if FileManager.default.fileExists(atPath: path) { return false }
    return FileManager.default.createFile(atPath: path, contents: nil)
  }
}

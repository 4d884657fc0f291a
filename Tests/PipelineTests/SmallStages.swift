import Foundation
import Frames
import Pipeline

// The smallest real stages: grey pictures of one pixel counted from 0, a filter that adds, a sink that writes bytes.

let smallStages = StageRegistry([Count.self, Add.self, Fault.self, Scan.self, Read.self, Bytes.self])

struct Count: SourceStage {
  struct Options: StageOptions {
    var frames = 3
    var rate = 25.0
    static let parameters: [Parameter<Options>] = [
      .integer("frames", \.frames, 0...1_000_000, "How many."), .number("rate", \.rate, 1...120, "Frames a second."),
    ]
  }
  static let name = "count"
  static let summary = "Counts."
  static let main: String? = "frames"
  static let role = StageRole.source(.frames)
  let options: Options
  init(_ options: Options) { self.options = options }

  func open(_ job: Job) -> any Source { Opened(options) }

  final class Opened: Source {
    private let options: Options
    private var next = 0
    init(_ options: Options) { self.options = options }
    var streams: [StreamFormat] {
      [
        StreamFormat(
          width: 1, height: 1, pixelFormat: PixelFormat(.none), timeBase: Rational(1, 25), frameCount: options.frames)
      ]
    }
    func read() -> Frame? {
      guard next < options.frames else { return nil }
      defer { next += 1 }
      return Frame(
        picture: pixel(UInt8(truncatingIfNeeded: next)), timestamp: Timestamp(next, timeBase: Rational(1, 25)))
    }
  }
}

func pixel(_ value: UInt8) -> Picture {
  Picture(width: 1, height: 1, format: PixelFormat(.none)) { $0[0].row(0, as: UInt8.self)[0] = value }
}

struct Add: FilterStage {
  enum Mode: String, CaseIterable, Sendable { case wrap, clamp }
  struct Options: StageOptions {
    var amount = 1
    var mode = Mode.wrap
    var strength = Automatic.auto
    var extra: [String: String] = [:]
    var wait = 0.0
    static let parameters: [Parameter<Options>] = [
      .integer("amount", \.amount, 0...255, "What is added."), .choice("mode", \.mode, "What happens past 255."),
      .numberOrAuto("strength", \.strength, 0...75, "How much."), .pairs("extra", \.extra, "More."),
      .duration("wait", \.wait, "How long each frame takes."),
    ]
  }
  static let name = "add"
  static let summary = "Adds to every sample."
  static let main: String? = "amount"
  static let role = StageRole.filter([.frames, .pages])
  let options: Options
  init(_ options: Options) throws {
    if options.amount == 13 { throw Failure("13 is no amount", exitCode: .usage) }
    self.options = options
  }

  func open(_ input: StreamFormat, _ job: Job) -> any Filter { Opened(output: input, options: options) }

  final class Opened: Filter {
    let output: StreamFormat
    private let options: Options
    init(output: StreamFormat, options: Options) { (self.output, self.options) = (output, options) }
    func process(_ frame: Frame, emit: (Frame) throws -> Void) throws {
      if options.wait > 0 { Thread.sleep(forTimeInterval: options.wait) }
      let value = frame.picture.withPlanes { $0[0].row(0, as: UInt8.self)[0] }
      try emit(frame.with(pixel(value &+ UInt8(options.amount))))
    }
  }
}

/// Misbehaves at a chosen frame.
struct Fault: FilterStage {
  enum Kind: String, CaseIterable, Sendable { case none, `throw`, drop }
  struct Options: StageOptions {
    var kind = Kind.none
    var at = 0
    static let parameters: [Parameter<Options>] = [
      .choice("kind", \.kind, "What goes wrong."), .integer("at", \.at, 0...100, "At which frame."),
    ]
  }
  static let name = "fault"
  static let summary = "Misbehaves."
  static let role = StageRole.filter([.frames])
  let options: Options
  init(_ options: Options) { self.options = options }

  func open(_ input: StreamFormat, _ job: Job) -> any Filter { Opened(output: input, options: options) }

  final class Opened: Filter {
    let output: StreamFormat
    private let options: Options
    init(output: StreamFormat, options: Options) { (self.output, self.options) = (output, options) }
    func process(_ frame: Frame, emit: (Frame) throws -> Void) throws {
      if frame.timestamp.value == options.at {
        switch options.kind {
        case .none: break
        case .throw: throw Failure("thrown at \(options.at)")
        case .drop: return
        }
      }
      try emit(frame)
    }
  }
}

/// A source of pages, for what may not be chained.
struct Scan: SourceStage {
  static let name = "scan"
  static let summary = "Gives pages."
  static let role = StageRole.source(.pages)
  init(_ options: NoOptions) {}
  func open(_ job: Job) throws -> any Source { throw Failure("there are no pages here") }
}

/// A filter of pages alone.
struct Read: FilterStage {
  static let name = "read"
  static let summary = "Reads pages."
  static let role = StageRole.filter([.pages])
  init(_ options: NoOptions) {}
  func open(_ input: StreamFormat, _ job: Job) throws -> any Filter { throw Failure("nothing to read") }
}

struct Bytes: SinkStage {
  static let name = "bytes"
  static let summary = "Writes the samples."
  static let role = StageRole.sink([.frames, .pages])
  init(_ options: NoOptions) {}

  func open(_ streams: [StreamFormat], _ job: Job) throws -> any Sink { Opened(job) }

  final class Opened: Sink {
    private let job: Job
    private var data = Data()
    init(_ job: Job) { self.job = job }
    func write(_ frame: Frame) { data.append(frame.picture.withPlanes { $0[0].row(0, as: UInt8.self)[0] }) }
    func finish() throws -> SinkReport {
      try data.write(to: URL(filePath: job.part(job.output)))
      return SinkReport(files: [.init(part: job.part(job.output), path: job.output)])
    }
  }
}

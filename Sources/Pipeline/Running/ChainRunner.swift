import Foundation
import Frames

/// How far a job has come.
public struct JobProgress: Sendable, Hashable, Codable {
  /// Frames or pages that have reached the sink.
  public var done: Int
  /// How many there will be, where the source can tell.
  public var total: Int?
  /// The time of the last frame, in seconds.
  public var position: Double

  public init(done: Int, total: Int?, position: Double) {
    (self.done, self.total, self.position) = (done, total, position)
  }
}

/// What came of a job.
public struct JobReport: Sendable, Codable {
  public var sink: SinkReport
  public var notes: [Note]
  /// Frames or pages in and out, all streams together.
  public var framesIn: Int
  public var framesOut: Int
  public var seconds: Double
  /// For each stage, seconds in which it was at work and not waiting.
  public var stageSeconds: [String: Double]
  public var extent: JobExtent?
}

/// Runs one job: every stage on a thread of its own, with bounded queues between them.
///
/// Memory is set by the queues' length and the pictures' size, never by the length of the input.
public struct ChainRunner: Sendable {
  let chain: Chain
  /// Frames that may wait between two stages.
  private let queueCapacity: Int

  public init(_ chain: Chain, queueCapacity: Int = 2) {
    self.chain = chain
    self.queueCapacity = queueCapacity
  }

  /// Blocks until the job has ended. Throws the first error of any stage.
  /// - Parameter admit: asked, before any work is done, whether a job of that extent may run; it throws if not.
  public func run(
    _ job: Job, progress: @escaping @Sendable (JobProgress) -> Void = { _ in },
    admit: (JobExtent) throws -> Void = { _ in }
  ) throws -> JobReport {
    let start = ContinuousClock.now
    let source = try chain.source.open(job)
    let (steps, formats) = try open(job, source.streams)
    var extent = JobExtent(source.streams, formats)
    try admit(extent)
    let counts = formats.compactMap(\.frameCount)
    let total = counts.count == formats.count ? counts.reduce(0, +) : nil
    let sink = try chain.sink.open(formats, job)
    let flow = try drive(job, source: source, steps: steps) { frame, count in
      try sink.write(frame)
      progress(JobProgress(done: count, total: total, position: frame.timestamp.seconds))
    }
    let report = try sink.finish()
    extent.frames = flow.framesIn
    return JobReport(
      sink: report, notes: job.notes, framesIn: flow.framesIn, framesOut: flow.framesOut,
      seconds: start.duration(to: .now).seconds, stageSeconds: flow.stageSeconds, extent: extent)
  }

  /// What has flowed through a chain.
  struct Flow {
    var framesIn = 0
    var framesOut = 0
    /// For each stage, the seconds in which it was busy.
    var stageSeconds: [String: Double] = [:]
  }

  /// Opens the filters, one of each for each stream, and says what comes out of the last.
  func open(_ job: Job, _ streams: [StreamFormat]) throws -> (steps: [FilterStep], formats: [StreamFormat]) {
    guard !streams.isEmpty else { throw Failure("it has no pictures", place: job.input) }
    var formats = streams
    var steps: [FilterStep] = []
    for (index, filter) in chain.filters.enumerated() {
      let opened = try formats.map { try filter.open($0, job) }
      formats = opened.map(\.output)
      steps.append(FilterStep(label: chain.stages[index + 1].spec.name, filters: opened))
    }
    return (steps, formats)
  }

  /// Lets every frame flow through the filters to `write`, which is told how many have come, each stage on a thread of
  /// its own.
  /// - Parameter keeps: whether a frame counts and is written, before the first filter and after the last.
  func drive(
    _ job: Job, source: any Source, steps: [FilterStep], keeps: @escaping (Frame) -> Bool = { _ in true },
    write: @escaping (Frame, Int) throws -> Void
  ) throws -> Flow {
    let queues = (0...steps.count).map { _ in BoundedQueue<Frame>(capacity: queueCapacity) }
    let crew = Crew(job: job) { queues.forEach { $0.breakOff() } }
    let flow = Locked(Flow())
    // Each is used by one thread at a time; `keeps` only looks at what does not change.
    nonisolated(unsafe) let reader = source
    nonisolated(unsafe) let keeps = keeps
    nonisolated(unsafe) let write = write
    crew.start(stageLabel(0, chain.stages[0])) { meter in
      while let frame = try meter.measure({ try reader.read() }) {
        try job.throwIfCancelled()
        job.beat()
        if keeps(frame) { flow.withLock { $0.framesIn += 1 } }
        try queues[0].push(frame)
      }
      queues[0].end()
    }
    for (index, step) in steps.enumerated() {
      nonisolated(unsafe) let step = step
      crew.start(stageLabel(index + 1, chain.stages[index + 1])) { meter in
        try step.run(from: queues[index], to: queues[index + 1], meter, job)
      }
    }
    let last = steps.count
    crew.start(stageLabel(last + 1, chain.stages[last + 1])) { meter in
      var written = 0
      while let frame = try queues[last].pop() {
        guard keeps(frame) else { continue }
        written += 1
        let count = written
        try meter.measure { try write(frame, count) }
        job.beat()
      }
      flow.withLock { [written] in $0.framesOut = written }
    }
    var result = Flow()
    result.stageSeconds = try crew.wait()
    try job.throwIfCancelled()
    flow.withLock { (result.framesIn, result.framesOut) = ($0.framesIn, $0.framesOut) }
    guard result.framesIn > 0 else { throw Failure("no picture of it could be decoded", place: job.input) }
    if steps.allSatisfy({ $0.filters.allSatisfy(\.keepsFrameCount) }), result.framesOut != result.framesIn {
      throw Failure("\(result.framesIn) frames went in and \(result.framesOut) came out", place: job.input)
    }
    return result
  }

  /// Stages that occur twice are told apart by their place in the chain.
  private func stageLabel(_ index: Int, _ stage: Chain.ConfiguredStage) -> String {
    let twice = chain.stages.filter { $0.spec.name == stage.spec.name }.count > 1
    return twice ? "\(stage.spec.name).\(index)" : stage.spec.name
  }
}

/// The filters of one stage, one a stream.
final class FilterStep {
  let label: String
  let filters: [any Filter]
  /// Frames of each stream that went in and came out.
  private var counts: [(taken: Int, given: Int)]

  init(label: String, filters: [any Filter]) {
    (self.label, self.filters) = (label, filters)
    counts = filters.map { _ in (0, 0) }
  }

  func run(from input: BoundedQueue<Frame>, to output: BoundedQueue<Frame>, _ meter: Meter, _ job: Job) throws {
    while let frame = try input.pop() {
      guard filters.indices.contains(frame.stream) else { continue }
      counts[frame.stream].taken += 1
      try meter.measure {
        try filters[frame.stream].process(frame) { frame in
          counts[frame.stream].given += 1
          try meter.pause { try output.push(frame) }
        }
      }
      job.beat()
    }
    for (index, filter) in filters.enumerated() {
      try meter.measure {
        try filter.finish { frame in
          counts[index].given += 1
          try meter.pause { try output.push(frame) }
        }
      }
      try checkCount(index, job)
    }
    output.end()
  }

  private func checkCount(_ index: Int, _ job: Job) throws {
    let (taken, given) = counts[index]
    let ratio = filters[index].frameRatio
    let expected = Int((Double(taken) * ratio.value).rounded())
    let tolerance = ratio == Rational(1, 1) ? 0 : ratio.denominator
    guard abs(given - expected) <= tolerance else {
      throw Failure(
        "\(taken) frames went in and \(given) came out" + (tolerance == 0 ? "" : ", not about \(expected)"),
        place: job.input)
    }
  }
}

extension Job {
  /// Throws where the job has been asked to stop.
  public func throwIfCancelled() throws {
    if isCancelled { throw Failure("stopped", place: input, exitCode: .tryAgain, mayPass: true) }
  }
}

extension Duration {
  public var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}

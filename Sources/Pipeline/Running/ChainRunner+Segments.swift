import Foundation
import Frames

extension ChainRunner {
  /// Cuts the job's input; nil where chain or input are not fit for it, or it is not worth it.
  public func cut(_ job: Job) throws -> [Segment]? {
    guard let seconds = chain.segment, chain.cutObstacle == nil, let source = chain.source as? any SegmentableSource
    else { return nil }
    let segments = try source.cut(job, every: seconds, context: chain.contextFrames)
    if segments != nil {
      let streams = try chain.source.open(job).streams
      for filter in chain.filters { for stream in streams { try filter.survey(stream, job) } }
    }
    if segments != nil, job.strict {
      // A loss that is certain must not be found after hours of work.
      _ = try chain.sink.open(open(job).formats, job)
    }
    return segments
  }

  /// Runs one stretch and keeps it at `path`.
  /// - Parameters:
  ///   - usage: processor seconds and peak memory of the job so far.
  ///   - beforeKeeping: called when all is read; what it throws keeps the stretch from being kept.
  public func run(
    _ job: Job, _ segment: Segment, to path: String, usage: () -> (cpuSeconds: Double, peakMemory: Int),
    progress: @escaping @Sendable (JobProgress) -> Void = { _ in }, admit: (JobExtent) throws -> Void = { _ in },
    beforeKeeping: () throws -> Void = {}
  ) throws -> SegmentRecord {
    guard let source = chain.source as? any SegmentableSource, let sink = chain.sink as? any SegmentableSink else {
      throw CutRefused("the chain does not cut")
    }
    let start = ContinuousClock.now
    let opened = try source.open(job, segment, context: chain.contextFrames)
    let (steps, formats) = try open(job, opened.streams)
    guard steps.allSatisfy({ $0.filters.allSatisfy(\.keepsFrameCount) }) else {
      throw CutRefused("its frames become more or fewer, in cycles that no cut may break")
    }
    try admit(JobExtent(opened.streams, formats))
    let writer = try sink.open(formats, job, segmentAt: path)
    let flow = try drive(job, source: opened, steps: steps, keeps: { opened.contains($0.timestamp) }) { frame, count in
      try writer.write(frame)
      progress(JobProgress(done: count, total: segment.frames, position: frame.timestamp.seconds))
    }
    guard flow.framesIn == segment.frames else {
      throw CutRefused("\(segment.frames) frames were expected and \(flow.framesIn) came")
    }
    try beforeKeeping()
    let used = usage()
    let record = SegmentRecord(
      number: segment.number, framesIn: flow.framesIn, framesOut: flow.framesOut, notes: job.notes,
      facts: opened.facts, seconds: start.duration(to: .now).seconds, stageSeconds: flow.stageSeconds,
      cpuSeconds: used.cpuSeconds, peakMemory: used.peakMemory)
    try writer.finish(next: opened.end, record: JSONEncoder().encode(record))
    return record
  }

  /// Makes the output of finished stretches.
  public func join(_ job: Job, _ segments: [Segment], _ paths: [String]) throws -> (JobReport, [SegmentRecord]) {
    guard let sink = chain.sink as? any SegmentableSink else { throw CutRefused("the chain does not cut") }
    let start = ContinuousClock.now
    let records = try paths.map { try JSONDecoder().decode(SegmentRecord.self, from: sink.record(of: $0)) }
    for (index, record) in records.enumerated() {
      guard record.number == index, record.framesIn == segments[index].frames else {
        throw CutRefused("stretch \(index) is not as it was cut")
      }
      if index > 0, record.facts.first == nil || record.facts.first != records[index - 1].facts.next {
        throw CutRefused("its stretches \(index - 1) and \(index) were not read alike")
      }
    }
    for record in records { for note in record.notes { try job.note(note) } }
    for (note, tallies) in Dictionary(grouping: records.flatMap(\.facts.tallies), by: \.note) {
      let count = tallies.reduce(0) { $0 + $1.count }
      if count > 0 { try job.note(Note(note.kind, note.text.replacing("#", with: String(count)))) }
    }
    let (streams, formats) = try open(job)
    var extent = JobExtent(streams, formats)
    extent.frames = records.reduce(0) { $0 + $1.framesIn }
    var report = try sink.join(formats, job, paths)
    report.details["segments"] = .int(segments.count)
    let stageSeconds = records.map(\.stageSeconds).reduce(into: [:]) { $0.merge($1, uniquingKeysWith: +) }
    return (
      JobReport(
        sink: report, notes: job.notes, framesIn: records.reduce(0) { $0 + $1.framesIn },
        framesOut: records.reduce(0) { $0 + $1.framesOut }, seconds: start.duration(to: .now).seconds,
        stageSeconds: stageSeconds, extent: extent), records
    )
  }

  /// Opens all but the sink, for what they say of the streams.
  private func open(_ job: Job) throws -> (streams: [StreamFormat], formats: [StreamFormat]) {
    let source = try chain.source.open(job)
    return (source.streams, try open(job, source.streams).formats)
  }
}

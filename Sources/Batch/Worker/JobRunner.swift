import Foundation
import Frames
import Media
import Pipeline

/// How a job ended.
enum JobOutcome: Sendable {
  case done(JobResult)
  case failed(Failure, [Note])
  case cut(CutInput?)
  case segment(frames: Int)
  case measured(JobExtent)
  /// It was not begun: it will want about so many bytes of memory, and cannot do with fewer than `least`.
  case needs(memory: Int, least: Int)
  /// The input turned out not to be fit for cutting: the reason in words.
  case refused(String)
  /// The worker's process ended in the middle of it: the reason in words.
  case crashed(String)
  /// No sign of life for the whole deadline.
  case stalled(seconds: Double)
  /// It was asked to stop, and did.
  case cancelled
}

/// Runs jobs one after another: in a child process, or in this one.
protocol JobRunner: AnyObject {
  /// Blocks until the job has ended. `stop` is asked several times a second whether it may go on.
  func run(
    _ order: JobOrder, stop: @escaping @Sendable () -> StopFlag.Level,
    progress: @escaping @Sendable (JobProgress) -> Void
  ) -> JobOutcome
  /// Ends the child process, if there is one.
  func close()
}

/// Runs a chain in this process: the worker's own half, and what `--in-process` uses for debuggers.
final class LocalRunner: JobRunner {
  let chain: Chain
  init(_ chain: Chain) { self.chain = chain }

  func close() {}

  func run(
    _ order: JobOrder, stop: @escaping @Sendable () -> StopFlag.Level,
    progress: @escaping @Sendable (JobProgress) -> Void
  ) -> JobOutcome {
    run(order, life: { _ in }, stop: stop, progress: progress)
  }

  /// - Parameter life: called about every second in which the job gave a sign of life: `.alive`, or `.busy`.
  func run(
    _ order: JobOrder, life: @escaping @Sendable (WorkerReply) -> Void, stop: @escaping @Sendable () -> StopFlag.Level,
    progress: @escaping @Sendable (JobProgress) -> Void
  ) -> JobOutcome {
    let job = Job(
      input: order.input, output: order.output, threads: order.threads, strict: order.strict, verbose: order.verbose)
    ResourceUse.resetPeakMemory()
    let cpu = ResourceUse.cpuSeconds
    let watch = Watch(job: job, life: life, stop: stop)
    defer { watch.stop() }
    let throttle = Throttle(seconds: 0.2)
    let report: @Sendable (JobProgress) -> Void = { state in
      if throttle.passes() || state.done == state.total { progress(state) }
    }
    let admit = { [model = CostModel(chain)] (extent: JobExtent) in
      let (least, needed) = (model.leastMemory(extent), model.expectedMemory(extent, threads: order.threads))
      if let share = order.share, max(least, needed) > share { throw NotEnoughMemory(needed: needed, least: least) }
    }
    if case .whole = order.task {
      return whole(
        job, admit: admit, usage: { (ResourceUse.cpuSeconds - cpu, ResourceUse.peakMemory) }, progress: report)
    }
    do {
      return try run(
        order.task, job, admit: admit, usage: { (ResourceUse.cpuSeconds - cpu, ResourceUse.peakMemory) },
        progress: report)
    } catch let error as NotEnoughMemory {
      return .needs(memory: error.needed, least: error.least)
    } catch let refused as CutRefused {
      return job.isCancelled ? .cancelled : .refused(refused.description)
    } catch {
      return job.isCancelled ? .cancelled : .failed(Failure(anyError: error, place: order.input), job.notes)
    }
  }

  private func whole(
    _ job: Job, admit: (JobExtent) throws -> Void, usage: () -> (cpuSeconds: Double, peakMemory: Int),
    progress: @escaping @Sendable (JobProgress) -> Void
  ) -> JobOutcome {
    let before = FileIdentity(path: job.input)
    let hash = BackgroundHash(job.input)
    do {
      let report = try ChainRunner(chain).run(job, progress: progress, admit: admit)
      let metrics = try measure(report, job)
      let sha256 = try hash.value { job.isCancelled }
      guard let before else { throw Failure("it went away while it was read", place: job.input, mayPass: true) }
      try unchanged(job, before)
      let used = usage()
      return .done(
        JobResult(
          report: report, identity: before, sha256: sha256, cpuSeconds: used.cpuSeconds, peakMemory: used.peakMemory,
          metrics: metrics))
    } catch let error as NotEnoughMemory {
      hash.abandon()
      return .needs(memory: error.needed, least: error.least)
    } catch {
      hash.abandon()
      if job.isCancelled { return .cancelled }
      return .failed(Failure(anyError: error, place: job.input), job.notes)
    }
  }
}

extension LocalRunner {
  /// What `require:` wants to know of an output that only looking at its pictures tells.
  func measure(_ report: JobReport, _ job: Job) throws -> [String: Double] {
    guard chain.requirements.contains(where: { $0.metric == "psnr_vs_lanczos" }), let file = report.sink.files.first
    else { return [:] }
    let psnr = try LanczosComparison.psnr(input: job.input, output: file.part, threads: job.threads) {
      job.beat()
      try job.throwIfCancelled()
    }
    // Equal pictures have no finite number of decibels, and JSON no infinite one.
    return ["psnr_vs_lanczos": min(psnr, 1000)]
  }
}

private struct NotEnoughMemory: Error {
  let needed: Int
  let least: Int
}

/// Hashes the input on a thread of its own while the chain works on it.
private final class BackgroundHash: Sendable {
  private let group = DispatchGroup()
  private let state = Locked((result: Result<String?, any Error>.success(nil), abandoned: false))

  init(_ path: String) {
    DispatchQueue.global(qos: .utility).async(group: group) { [state] in
      let result = Result { try ContentHash.of(file: path) { !state.withLock { $0.abandoned } } }
      state.withLock { $0.result = result }
    }
  }

  func value(cancelled: () -> Bool) throws -> String? {
    while group.wait(timeout: .now() + .milliseconds(100)) == .timedOut { if cancelled() { abandon() } }
    return try state.withLock { try $0.result.get() }
  }

  func abandon() { state.withLock { $0.abandoned = true } }
}

/// Looks after a running job from outside: passes on cancellation and signs of life.
private final class Watch: Sendable {
  // Unchecked: Dispatch's sources may be cancelled from any thread.
  private nonisolated(unsafe) let timer: any DispatchSourceTimer

  init(job: Job, life: @escaping @Sendable (WorkerReply) -> Void, stop: @escaping @Sendable () -> StopFlag.Level) {
    let source = DispatchSource.makeTimerSource(queue: .global())
    let last = Locked((beats: 0, ticks: 0, cpu: ResourceUse.cpuSeconds, waited: ResourceUse.waitingSeconds))
    source.schedule(deadline: .now() + .milliseconds(100), repeating: .milliseconds(100))
    source.setEventHandler {
      if stop() > .none { job.cancel() }
      let sign: WorkerReply? = last.withLock { last in
        last.ticks += 1
        guard last.ticks % 10 == 0 else { return nil }
        let (beats, cpu, waited) = (job.beats, ResourceUse.cpuSeconds, ResourceUse.waitingSeconds)
        defer { (last.beats, last.cpu, last.waited) = (beats, cpu, waited) }
        if beats != last.beats { return .alive }
        // On a crowded machine one that would work but gets no processor is as busy as one that does.
        return max(cpu - last.cpu, waited - last.waited) > 0.1 ? .busy : nil
      }
      if let sign { life(sign) }
    }
    source.resume()
    timer = source
  }

  func stop() { timer.cancel() }
}

/// Lets something pass only so often.
final class Throttle: Sendable {
  private let last = Locked(ContinuousClock.Instant?.none)
  private let interval: Duration
  init(seconds: Double) { interval = .seconds(seconds) }

  func passes() -> Bool {
    let now = ContinuousClock.now
    return last.withLock {
      if let last = $0, last.duration(to: now) < interval { return false }
      $0 = now
      return true
    }
  }
}

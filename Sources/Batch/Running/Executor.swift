import Foundation
import Frames
import Media
import Pipeline

/// Runs the jobs of a plan on a fixed number of lanes, each with a worker of its own.
final class Executor: Sendable {
  struct Options: Sendable {
    /// How often a job is tried again whose failure may pass.
    var retries: Int
    var failFast: Bool
    var strict: Bool
    var verbose: Bool
    /// How many lanes the user wants.
    var lanes: Int?
    /// Whether long inputs are cut: the length of a stretch in seconds.
    var segment: Double?
    /// Seconds; doubled with every further attempt.
    var backoff: Double = 1
  }

  let plan: Plan
  private let pipelineName: String
  private let flow: Flow
  let options: Options
  private let budget: Budget
  let stop: StopFlag
  let observer: any RunObserver
  private let makeRunner: @Sendable () -> any JobRunner
  let queue: JobQueue
  private let logs: [JobLog]
  private let spaces: [FreeSpace]
  private let gate: QualityGate
  private let state = Locked((summary: BatchEvent.Summary(), codes: Set<ExitCode>()))

  init(
    _ plan: Plan, pipelineName: String, flow: Flow, gate: QualityGate, options: Options, budget: Budget, stop: StopFlag,
    observer: any RunObserver, weight: (PlannedJob) -> Double,
    makeRunner: @escaping @Sendable () -> any JobRunner
  ) {
    (self.plan, self.pipelineName, self.options, self.budget) = (plan, pipelineName, options, budget)
    self.flow = flow
    (self.stop, self.observer, self.makeRunner) = (stop, observer, makeRunner)
    queue = JobQueue(plan.toRun, grows: options.segment != nil, weight: weight)
    logs = plan.roots.map { JobLog($0) }
    spaces = plan.roots.map { FreeSpace($0) { observer.remark($0) } }
    self.gate = gate
  }

  /// Blocks until every job is done or the run is stopped. Counts what it ran, and how the failures ended.
  func run() -> (summary: BatchEvent.Summary, codes: Set<ExitCode>) {
    let group = DispatchGroup()
    for _ in 0..<budget.lanes(jobs: options.segment == nil ? plan.toRun.count : .max, requested: options.lanes) {
      group.enter()
      // A thread of its own: lanes that wait on as many of Dispatch's as there are cores leave none to start a worker,
      // until Dispatch adds one a second later.
      let lane = Thread { [self] in
        defer { group.leave() }
        let runner = makeRunner()
        let publishing = Publishing(group)
        while let (job, active) = queue.take(
          lanes: { budget.lanes(jobs: $0, requested: options.lanes) }, stop: { stop.level > .none })
        {
          if !spaces[job.job.root].wait(for: plan.roots[job.job.root].path, stop: stop) {
            giveUp(job)
            continue
          }
          run(job, on: runner, threads: budget.threads(active: active), publishing)
        }
        runner.close()
      }
      lane.name = "lane"
      lane.start()
    }
    group.wait()
    return state.withLock {
      $0.summary.left = plan.toRun.count - $0.summary.done - $0.summary.failed
      return $0
    }
  }

  /// Bytes that a job may have without asking.
  private var share: Int {
    budget.memory
      / budget.lanes(jobs: options.segment == nil ? plan.toRun.count : .max, requested: options.lanes)
  }

  /// It does not fit beside others, or not at all.
  private func waitForMemory(_ queued: QueuedJob, _ needed: Int, least: Int, _ publisher: Publisher, _ seconds: Double)
  {
    guard least <= budget.memory else {
      let failure = Failure(
        "it needs at least \(least >> 20) MiB of memory, and this process may have \(budget.memory >> 20) MiB",
        place: queued.job.input.path, advice: "run it on a larger machine", exitCode: .exhausted)
      return fail(queued, failure, [], publisher, seconds)
    }
    var again = queued
    again.memory = needed
    again.attempts -= 1
    observer.remark(
      "\(queued.job.input.path): waits until it can run alone, as it needs about \(needed >> 20) MiB of memory")
    queue.retry(again)
  }

  // MARK: One job

  private func run(_ queued: QueuedJob, on runner: any JobRunner, threads: Int, _ publishing: Publishing) {
    var queued = queued
    let job = queued.job
    let start = queued.part.segmented?.start ?? .now
    if queued.part.segmented == nil {
      observer.handle(
        .start(input: job.input.path, output: plan.output(of: job), flow: flow, attempt: queued.attempts + 1))
    }
    var outcome = JobOutcome.cut(nil)
    do {
      try FileSystem.makeFolders(plan.output(of: job).parentFolder.nonEmpty ?? ".")
      if mayBeCut(queued) { outcome = perform(.cut, queued, on: runner, threads: threads) }
      if case .cut(let input?) = outcome, let segmented = try segmented(job, input, start) {
        return queue.replace(by: parts(of: segmented, queued))
      }
      if case .cut = outcome { outcome = perform(task(of: queued), queued, on: runner, threads: threads) }
    } catch {
      outcome = .failed(Failure(anyError: error), [])
    }
    queued.attempts += 1
    settle(queued, outcome, start.duration(to: .now).seconds, threads, publishing)
  }

  /// Has a worker do something, and passes on how it gets along and when it is to stop.
  private func perform(_ task: JobTask, _ queued: QueuedJob, on runner: any JobRunner, threads: Int) -> JobOutcome {
    let job = queued.job
    let segmented = queued.part.segmented
    let remaining = RemainingTime()
    return runner.run(
      JobOrder(
        input: job.input.path, output: plan.output(of: job), threads: threads, strict: options.strict,
        verbose: options.verbose, task: task, memory: queued.memory == nil ? share : budget.memory,
        share: queued.memory == nil ? share : nil),
      stop: { [stop] in
        if segmented?.isOver == true { return .checkpoint }
        return switch (stop.level, queued.part) {
        // What is nearly done is finished: that is the next checkpoint.
        case (.checkpoint, .join): stop.age < 60 ? .none : .checkpoint
        case (.checkpoint, .segment): stop.age + remaining.seconds < 60 ? .none : .checkpoint
        case (.checkpoint, _): stop.age + remaining.seconds < 30 ? .none : .checkpoint
        case (let level, _): level
        }
      },
      progress: { [observer] in
        remaining.note($0)
        if case .segment(let segmented, let number) = queued.part {
          observer.handle(.progress(input: job.input.path, segmented.progress(number, $0)))
        } else {
          observer.handle(.progress(input: job.input.path, $0))
        }
      })
  }

  private func settle(
    _ queued: QueuedJob, _ outcome: JobOutcome, _ seconds: Double, _ threads: Int, _ publishing: Publishing
  ) {
    var queued = queued
    let job = queued.job
    let publisher = Publisher(root: plan.roots[job.root], relative: job.relativeOutput)
    if queued.part.segmented?.isOver == true { return queue.finished() }
    switch outcome {
    case .done(let result):
      if let objection = gate.objection(to: result) {
        quarantine(queued, result, objection, publisher, seconds, threads)
        return
      }
      let publish: @Sendable () -> Void = { [self, queued] in
        do {
          let receipt = try publisher.publish(result.report.sink, receipt(job, result, seconds, threads))
          done(queued, receipt, seconds)
        } catch {
          fail(queued, Failure(anyError: error, place: job.input.path), [], publisher, seconds)
        }
      }
      // Whether the next job may start is known only then; and what was cut gives its stretches back.
      if options.failFast || options.segment != nil { return publish() }
      queue.settles()
      publishing.begin { [queue] in
        publish()
        queue.settled()
      }
    case .failed(let failure, let notes): fail(queued, failure, notes, publisher, seconds)
    case .crashed(let reason):
      queued.crashes += 1
      let failure = Failure("the worker crashed on it (\(reason))", place: job.input.path, mayPass: queued.crashes < 2)
      fail(queued, failure, [], publisher, seconds)
    case .stalled(let deadline):
      fail(
        queued, Failure("no progress for \(Int(deadline)) s, so its worker was ended", place: job.input.path), [],
        publisher, seconds)
    case .cancelled:
      removeParts(queued, publisher)
      log(job, seconds, "stopped", .tryAgain, stop.reason)
      queue.finished()
    case .segment, .cut: advance(queued)
    case .refused(let reason): runUncut(queued, reason)
    case .needs(let memory, let least): waitForMemory(queued, memory, least: least, publisher, seconds)
    case .measured: queue.finished()
    }
  }

  /// Whether the place of the output is to blame, whatever a library has made of it: never the input's fault.
  private func outputTrouble(_ job: PlannedJob) -> Failure? {
    let folder = plan.output(of: job).parentFolder.nonEmpty ?? "."
    if FileSystem.status(folder) == nil {
      return Failure("the output folder \(folder) went away", advice: "run the same line again", mayPass: true)
    }
    guard spaces[job.root].isFull(folder) else { return nil }
    return Failure(
      "No space left on the disk of \(folder)", advice: "make room and run the same line again", exitCode: .exhausted,
      mayPass: true)
  }

  /// There is no room for its output: what is left has to wait for another run.
  private func giveUp(_ queued: QueuedJob) {
    if stop.level == .none {
      state.withLock { _ = $0.codes.insert(.exhausted) }
      stop.raise(.checkpoint, StopFlag.noSpace)
    }
    queue.retry(queued)
  }

  private func done(_ queued: QueuedJob, _ receipt: Receipt, _ seconds: Double) {
    let root = plan.roots[queued.job.root]
    forgetSegments(queued.job)
    state.withLock { $0.summary.done += 1 }
    log(queued.job, seconds, "done", .success, "")
    observer.handle(
      .done(
        input: queued.job.input.path,
        .init(
          outputs: receipt.outputs.map { root.file($0.relative) }, frames: receipt.framesOut, flow: flow,
          seconds: seconds, notes: receipt.notes)))
    queue.finished()
  }

  private func quarantine(
    _ queued: QueuedJob, _ result: JobResult, _ objection: String, _ publisher: Publisher, _ seconds: Double,
    _ threads: Int
  ) {
    let job = queued.job
    var failure = Failure("it does not meet 'require': \(objection)", place: job.input.path)
    do {
      let folder = try publisher.quarantine(result.report.sink.files)
      failure.advice = "its output is in \(folder)"
    } catch {
      failure.advice = "its output could not be kept: \(Failure(anyError: error).message)"
    }
    publisher.removeParts()
    var receipt = receipt(job, result, seconds, threads)
    receipt.status = .quarantined
    receipt.failure = failure
    publisher.record(receipt)
    forgetSegments(job)
    state.withLock {
      $0.summary.failed += 1
      $0.codes.insert(.someFailed)
    }
    log(job, seconds, "quarantined", .someFailed, objection)
    observer.handle(
      .failed(input: job.input.path, output: plan.output(of: job), failure, attempts: queued.attempts))
    if options.failFast { stop.raise(.checkpoint, StopFlag.failFast) }
    queue.finished()
  }

  private func fail(
    _ queued: QueuedJob, _ failure: Failure, _ notes: [Note], _ publisher: Publisher, _ seconds: Double
  ) {
    var failure = outputTrouble(queued.job) ?? failure
    if failure.place.isEmpty { failure.place = queued.job.input.path }
    removeParts(queued, publisher)
    let tries = queued.crashes > 0 ? max(options.retries, 1) : options.retries
    if failure.mayPass, queued.attempts <= tries, stop.level == .none {
      var again = queued
      // Stretches that cannot be joined are looked at anew, and made again where they are damaged.
      if case .join = queued.part { again.part = .whole }
      // What killed a worker is tried again at once: waiting would not change it.
      if queued.crashes == 0 {
        again.notBefore = .now + .seconds(options.backoff * Double(1 << min(queued.attempts - 1, 10)))
      }
      log(queued.job, seconds, "retry", failure.exitCode, failure.message)
      observer.remark("\(failure); trying again")
      queue.retry(again)
      return
    }
    if let segmented = queued.part.segmented {
      guard segmented.giveUp() else { return queue.finished() }
      queue.drop(segmented)
      if !failure.mayPass { forgetSegments(queued.job) }
    }
    state.withLock {
      $0.summary.failed += 1
      $0.codes.insert(failure.exitCode)
    }
    // Only what the same input and pipeline would bring about again is kept in mind.
    if failure.mayPass || failure.exitCode != .someFailed || options.strict {
      publisher.forget()
    } else {
      publisher.record(receipt(queued.job, failure, notes))
    }
    log(queued.job, seconds, "failed", failure.exitCode, failure.message)
    observer.handle(
      .failed(
        input: queued.job.input.path, output: plan.output(of: queued.job), failure, attempts: queued.attempts))
    if options.failFast { stop.raise(.checkpoint, StopFlag.failFast) }
    queue.finished()
  }

  // MARK: The ledger

  private func log(_ job: PlannedJob, _ seconds: Double, _ status: String, _ code: ExitCode, _ message: String) {
    logs[job.root].append(
      seconds: seconds, status: status, exit: code.rawValue, input: job.input.path, output: plan.output(of: job),
      message: message)
  }

  private func receipt(_ job: PlannedJob, _ status: Receipt.Status, sha256: String?) -> Receipt {
    Receipt(
      status: status,
      input: Receipt.Input(
        relative: job.input.relative, path: FileSystem.resolvedFuture(job.input.path), identity: job.input.identity,
        sha256: sha256), pipelineKey: plan.key.hash, pipeline: plan.key.value, pipelineName: pipelineName,
      program: Program.version, finished: Date().timeIntervalSince1970)
  }

  private func receipt(_ job: PlannedJob, _ result: JobResult, _ seconds: Double, _ threads: Int) -> Receipt {
    var receipt = receipt(job, .done, sha256: result.sha256)
    receipt.input.identity = result.identity
    receipt.notes = result.report.notes
    receipt.framesIn = result.report.framesIn
    receipt.framesOut = result.report.framesOut
    receipt.cost = Receipt.Cost(
      seconds: seconds, cpuSeconds: result.cpuSeconds, peakMemory: result.peakMemory, threads: threads,
      stageSeconds: result.report.stageSeconds, extent: result.report.extent)
    receipt.details = result.report.sink.details
    return receipt
  }

  private func receipt(_ job: PlannedJob, _ failure: Failure, _ notes: [Note]) -> Receipt {
    var receipt = receipt(job, .failed, sha256: try? ContentHash.of(file: job.input.path))
    receipt.failure = failure
    receipt.notes = notes
    return receipt
  }
}

/// A lane's finished job, waiting for the disk while the lane works on the next: one at a time.
private final class Publishing: Sendable {
  private let group: DispatchGroup
  private let room = DispatchSemaphore(value: 1)
  private static let queue = DispatchQueue(label: "publishing", attributes: .concurrent)

  /// - Parameter group: waits for the last one.
  init(_ group: DispatchGroup) { self.group = group }

  /// Returns at once, or when the one before is done.
  func begin(_ body: @escaping @Sendable () -> Void) {
    room.wait()
    Publishing.queue.async(group: group) { [room] in
      body()
      room.signal()
    }
  }
}

/// An estimate of how long a job will still take, from its own progress.
private final class RemainingTime: Sendable {
  private let start = ContinuousClock.now
  private let estimate = Locked(Double.infinity)

  /// Seconds; infinite where nothing is known although it has run for a while.
  var seconds: Double {
    let known = estimate.withLock { $0 }
    return known.isInfinite && start.duration(to: .now) < .seconds(3) ? 0 : known
  }

  func note(_ progress: JobProgress) {
    guard let total = progress.total, progress.done > 0, total > 0 else { return }
    let rate = Double(progress.done) / max(start.duration(to: .now).seconds, 0.001)
    estimate.withLock { $0 = Double(max(total - progress.done, 0)) / rate }
  }
}

extension String {
  var nonEmpty: String? { isEmpty ? nil : self }
}

import Foundation
import Frames
import Pipeline

/// What `pipe run` was asked to do.
public struct RunRequest: Sendable {
  /// A path, or a name to be looked up.
  public var pipeline: String
  public var inputs: [String]
  public var output: String?
  public var settings: [String] = []
  public var dryRun = false
  public var jobs: Int?
  public var threads: Int?
  /// Bytes of memory to use, where it is not to be all that there is.
  public var memory: Int?
  public var fresh = false
  public var retries = 2
  public var failFast = false
  public var strict = false
  public var verbose = false
  /// Run the jobs one after another in this very process: for debuggers. A crash ends everything.
  public var inProcess = false
  /// Seconds without a sign of life after which a job counts as hung.
  public var stallDeadline = 60.0

  /// Leaves out files that still change, when watching.
  var settling: Settling?

  public init(pipeline: String, inputs: [String]) { (self.pipeline, self.inputs) = (pipeline, inputs) }
}

/// One run: scan, plan, execute, sum up.
public struct BatchRun: Sendable {
  private let request: RunRequest
  private let registry: StageRegistry
  private let resources: Resources
  private let worker: WorkerCommand
  private let stop: StopFlag
  private let observer: any RunObserver

  public init(
    _ request: RunRequest, registry: StageRegistry, resources: Resources = Resources(),
    worker: WorkerCommand = .own, stop: StopFlag = StopFlag(), observer: any RunObserver
  ) {
    (self.request, self.registry, self.resources, self.worker) = (request, registry, resources, worker)
    (self.stop, self.observer) = (stop, observer)
  }

  /// Blocks until all is done or stopped.
  /// Throws `PipelineErrors` or a `Failure` where nothing could be begun.
  public func run() throws -> ExitCode {
    let start = ContinuousClock.now
    let path = try resources.find(request.pipeline, .pipelines)
    let chain = try Chain(path: path, settings: request.settings, registry: registry)
    try chain.check()
    for remark in chain.stages.flatMap(\.stage.remarks) { observer.remark(remark) }
    var scan = try Scan(request.inputs, include: chain.inputs.include, exclude: chain.inputs.exclude)
    if let settling = request.settling { scan.files.removeAll { !settling.isSettled($0) } }
    let layout = try OutputLayout(scan.roots, output: request.output, pipeline: chain.name)
    for remark in scan.remarks where request.verbose { observer.remark(remark) }
    if request.verbose, chain.segment != nil, let obstacle = chain.cutObstacle {
      observer.remark("nothing is cut into segments: \(obstacle)")
    }
    for problem in scan.problems {
      observer.handle(.failed(input: problem.place, output: "", problem, attempts: 1))
    }

    let key = try PipelineKey(chain)
    // What the plan says of an output must stay true until it has run.
    let locks = request.dryRun || scan.files.isEmpty ? [] : try layout.roots.map { try OutputLock($0) }
    defer { withExtendedLifetime(locks) {} }
    let plan = try Plan(scan: scan, layout: layout, chain: chain, key: key, fresh: request.fresh)
    let predictions = request.dryRun ? try forecast(plan, chain, path) : [:]
    for job in plan.jobs {
      let output = job.relativeOutput.isEmpty ? "" : plan.output(of: job)
      observer.handle(
        .plan(
          input: job.input.path, output: output, action: job.action, why: job.why,
          prediction: predictions[job.input.path]))
    }
    if plan.jobs.isEmpty {
      observer.remark(
        "nothing below \(request.inputs.joined(separator: ", ")) matches \(chain.inputs.include.joined(separator: ", "))"
      )
    }
    if request.dryRun { return scan.problems.isEmpty ? .success : .someFailed }

    var summary = settle(plan)
    summary.failed += scan.problems.count
    let (ran, codes) = try execute(plan, chain: chain, path: path)
    summary.done += ran.done
    summary.failed += ran.failed
    summary.left += ran.left
    summary.seconds = start.duration(to: .now).seconds
    summary.exitCode = exitCode(summary, codes)
    if chain.flow == .pages { summary.review = RunReview(plan, observer).write() }
    observer.handle(.summary(summary))
    return summary.exitCode
  }

  private var budget: Budget {
    let available = Budget.available
    return Budget(threads: request.threads ?? available.threads, memory: request.memory ?? available.memory)
  }

  /// What the jobs of a plan will cost, by the path of their input.
  private func forecast(_ plan: Plan, _ chain: Chain, _ path: String) throws -> [String: Prediction] {
    guard !plan.toRun.isEmpty else { return [:] }
    let budget = budget
    let runner: any JobRunner
    if request.inProcess {
      runner = LocalRunner(chain)
    } else {
      let setup = WorkerSetup(
        pipeline: try String(contentsOfFile: path, encoding: .utf8), file: path, settings: request.settings,
        memory: budget.addressSpace(lanes: 1))
      runner = WorkerProcess(
        command: worker, setup: setup, deadline: request.stallDeadline, forwardErrors: request.verbose)
    }
    defer { runner.close() }
    return Forecast(plan, chain, threads: budget.threads).predict(plan.toRun, on: runner)
  }

  /// Counts what needs no work, and completes what only has to be renamed.
  private func settle(_ plan: Plan) -> BatchEvent.Summary {
    var summary = BatchEvent.Summary()
    for job in plan.jobs {
      let output = job.relativeOutput.isEmpty ? "" : plan.output(of: job)
      switch job.action {
      case .run: break
      case .skip:
        summary.skipped += 1
        observer.handle(.skipped(input: job.input.path, output: output, why: job.why))
      case .failed:
        summary.failed += 1
        let failure = Failure(job.why, place: job.input.path)
        observer.handle(.failed(input: job.input.path, output: output, failure, attempts: 0))
      case .upToDate:
        if job.unpublished, let receipt = job.receipt {
          do {
            try Publisher(root: plan.roots[job.root], relative: job.relativeOutput).finish(receipt)
          } catch {
            summary.failed += 1
            observer.handle(
              .failed(input: job.input.path, output: output, Failure(anyError: error, place: output), attempts: 1))
            continue
          }
        }
        summary.upToDate += 1
        observer.handle(.skipped(input: job.input.path, output: output, why: "up to date"))
      }
    }
    return summary
  }

  private func execute(
    _ plan: Plan, chain: Chain, path: String
  ) throws -> (summary: BatchEvent.Summary, codes: Set<ExitCode>) {
    SegmentStore.sweep(plan, fresh: request.fresh)
    let jobs = plan.toRun.count
    guard jobs > 0 else { return (BatchEvent.Summary(), []) }
    Publisher.sweep(plan)
    for (index, root) in plan.roots.enumerated() {
      CurrentRun(
        pipeline: chain.name, started: Date().timeIntervalSince1970,
        outputs: plan.toRun.filter { $0.root == index }.map(\.relativeOutput)
      ).write(root)
    }
    let budget = budget
    let segment = chain.cutObstacle == nil ? chain.segment : nil
    let requested = request.inProcess ? 1 : request.jobs
    let lanes = budget.lanes(jobs: segment == nil ? jobs : .max, requested: requested)
    let setup = WorkerSetup(
      pipeline: try String(contentsOfFile: path, encoding: .utf8), file: path, settings: request.settings,
      memory: budget.addressSpace(lanes: lanes))
    let executor = Executor(
      plan, pipelineName: chain.name, flow: chain.flow, gate: QualityGate(chain.requirements),
      options: Executor.Options(
        retries: request.retries, failFast: request.failFast, strict: request.strict, verbose: request.verbose,
        lanes: requested, segment: segment), budget: budget, stop: stop, observer: observer,
      weight: { job in
        // Of very many a wrong order is not felt, and looking into each file may take long.
        let bytes = job.input.identity.size
        return jobs > 1000 ? Double(bytes) : chain.source.weight(of: job.input.path, bytes: bytes)
      }
    ) { [request, worker] in
      if request.inProcess { return LocalRunner(chain) }
      return WorkerProcess(
        command: worker, setup: setup, deadline: request.stallDeadline, forwardErrors: request.verbose)
    }
    return executor.run()
  }

  private func exitCode(_ summary: BatchEvent.Summary, _ codes: Set<ExitCode>) -> ExitCode {
    if stop.level == .now { return .aborted }
    if stop.level == .checkpoint, ![StopFlag.failFast, StopFlag.noSpace].contains(stop.reason) { return .tryAgain }
    for code in [ExitCode.exhausted, .missing] where codes.contains(code) { return code }
    return summary.failed > 0 ? .someFailed : .success
  }
}

import ArgumentParser
import Batch
import Foundation
import Frames
import Pipeline
import Stages

struct Run: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run a pipeline over files and folders.",
    discussion: """
      Outputs go below --output, in the same tree as the inputs. Without it, those of a folder 'videos' go to \
      'videos-PIPELINE' beside it, and that of a file beside the file. What is up to date is not done again.

      Exit codes: 0 all done, 1 some inputs failed, 2 usage or pipeline error, 3 something is not installed, \
      6 no space or memory, 75 stopped at a checkpoint or another run is at work, 130 aborted.
      """)

  @Argument(
    help: "A pipeline file, or the name of one that is shipped.", completion: .file(extensions: ["yml", "yaml"]))
  var pipeline: String

  @Argument(help: "Files and folders.", completion: .file())
  var inputs: [String]

  @Option(name: .shortAndLong, help: "The folder for the outputs.", completion: .directory)
  var output: String?

  @Option(
    name: .customLong("set"), parsing: .singleValue,
    help: ArgumentHelp(
      "Change a parameter of a stage.", valueName: "stage.param=value"))
  var settings: [String] = []

  @Flag(name: [.customShort("n"), .long], help: "Print what would be done, and why, and do nothing.")
  var dryRun = false

  @Option(name: .shortAndLong, help: "How many files to work on at once.")
  var jobs: Int?

  @Option(help: "How many threads to use in all.")
  var threads: Int?

  @Flag(help: "Do everything anew, also what is up to date.")
  var fresh = false

  @Option(help: "How often to try again what may pass.")
  var retries = 2

  @Flag(help: "Stop when the first input has failed.")
  var failFast = false

  @Flag(help: "Fail an input whose output would lose anything.")
  var strict = false

  @Option(help: ArgumentHelp("Stop at the next checkpoint after this time of day.", valueName: "hh:mm"))
  var until: String?

  @Flag(help: "Go on watching, and run whenever files have come or changed.")
  var watch = false

  @Flag(help: "Write events to standard output, one JSON object a line.")
  var json = false

  @Flag(name: .shortAndLong, help: "Only say what has failed.")
  var quiet = false

  @Flag(name: .shortAndLong, help: "Say more, also what libraries print.")
  var verbose = false

  @Flag(name: .customLong("no-progress"), help: "Draw no progress bars.")
  var noProgress = false

  @Flag(help: "Run everything in this one process, one file after another: for debuggers.")
  var inProcess = false

  func validate() throws {
    if let jobs, jobs < 1 { throw ValidationError("--jobs wants at least 1") }
    if let threads, !(1...1024).contains(threads) { throw ValidationError("--threads wants 1 to 1024") }
    if watch, dryRun { throw ValidationError("--watch and --dry-run exclude each other") }
    if !(0...100).contains(retries) { throw ValidationError("--retries wants 0 to 100") }
  }

  func run() throws {
    var request = RunRequest(pipeline: pipeline, inputs: inputs)
    request.output = output
    request.settings = settings
    request.dryRun = dryRun
    request.jobs = jobs
    request.threads = threads
    request.fresh = fresh
    request.retries = retries
    request.failFast = failFast
    request.strict = strict
    request.verbose = verbose
    request.inProcess = inProcess
    if let seconds = ProcessInfo.processInfo.environment["PIPE_STALL_SECONDS"].flatMap(Double.init), seconds > 0 {
      request.stallDeadline = seconds
    }
    let observer: any RunObserver
    if json {
      observer = JSONObserver()
    } else if dryRun {
      observer = PlanObserver()
    } else {
      observer = HumanObserver(
        detail: quiet ? .quiet : verbose ? .verbose : .normal, bars: !quiet && !noProgress && Terminal.isInteractive)
    }
    let stop = StopFlag()
    let signals = SignalHandler(stop) { observer.remark($0) }
    let deadline = try until.map { try Deadline($0, stop) }
    defer { withExtendedLifetime((signals, deadline)) {} }
    let code: Frames.ExitCode
    do {
      defer { observer.finish() }
      let once = { @Sendable (request: RunRequest, observer: any RunObserver) in
        try BatchRun(request, registry: builtinStages, stop: stop, observer: observer).run()
      }
      code =
        watch
        ? try WatchRun(request, stop: stop, observer: observer, once: once).run() : try once(request, observer)
    }
    try Ended.check(code)
  }
}

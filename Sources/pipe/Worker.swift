import ArgumentParser
import Batch
import Stages

/// What `pipe run` starts for itself.
struct Worker: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run the jobs that a parent process gives, one JSON object a line.", shouldDisplay: false)

  func run() throws { exitProcess(WorkerMain.run(registry: builtinStages)) }
}

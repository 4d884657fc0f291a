import ArgumentParser
import Batch
import Frames
import Pipeline

/// The command line: flags and exit codes, nothing else.
@main
struct Pipe: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pipe",
    abstract: "Run a pipeline of stages over every file of a folder.",
    discussion: "pipe run upscale.yml videos/    puts each video, twice as large, into videos-upscale/",
    version: Program.version,
    subcommands: [
      Run.self, Status.self, Check.self, Stages.self, Schema.self, Models.self, Quantize.self, Compare.self, Bench.self,
      Doctor.self,
      Worker.self,
    ])

  static func main() {
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch {
      exit(with: error)
    }
  }

  /// Says in one line what went wrong and ends with the code that scripts rely on.
  private static func exit(with error: any Error) -> Never {
    switch error {
    case let failure as Failure:
      Terminal.writeError("pipe: error: \(failure)\n")
      Pipe.exit(failure.exitCode)
    case let errors as PipelineErrors:
      Terminal.writeError("\(errors)\n")
      Pipe.exit(errors.exitCode)
    case let ended as Ended:
      Pipe.exit(ended.code)
    default:
      if exitCode(for: error) == .success { exit(withError: error) }
      let message = message(for: error).split(separator: "\n").first.map(String.init) ?? "\(error)"
      Terminal.writeError("pipe: error: \(message); see pipe --help\n")
      Pipe.exit(.usage)
    }
  }

  private static func exit(_ code: Frames.ExitCode) -> Never { exitProcess(code.rawValue) }
}

/// The end of a command that has already said what there is to say.
struct Ended: Error {
  let code: Frames.ExitCode

  /// Throws unless all went well.
  static func check(_ code: Frames.ExitCode) throws { if code != .success { throw Ended(code: code) } }
}

import Foundation
import Testing

/// Wrong use gives one clear line and the pinned exit code.
@Suite(.serialized) struct UsageTests {
  @Test(arguments: [
    ([], "Missing expected argument"), (["frobnicate"], "Unexpected argument 'frobnicate'"),
    (["run"], "Missing expected argument '<pipeline>'"), (["run", "transcode.yml"], "Missing expected argument"),
    (["run", "transcode.yml", "x", "--crf", "3"], "Unknown option '--crf'"),
    (["run", "transcode.yml", "x", "-j", "0"], "--jobs wants at least 1"),
    (["run", "transcode.yml", "x", "-j", "many"], "The value 'many' is invalid"),
    (["run", "transcod.yml", "x"], "there is no pipeline 'transcod.yml'; did you mean 'transcode.yml'?"),
    (["run", "./no.yml", "x"], "there is no file ./no.yml"),
    (["check", "nothing"], "there is no pipeline 'nothing'"),
    (["stages", "nothing"], "there is no stage 'nothing'"),
  ])
  func wrongUse(_ arguments: [String], _ message: String) throws {
    let command = try Command(arguments)
    if arguments.isEmpty {
      // The bare name asks for help.
      #expect(command.code == 0)
      #expect(command.output.contains("USAGE: pipe <subcommand>"))
      return
    }
    #expect(command.code == 2)
    #expect(command.output.isEmpty)
    #expect(command.error.contains(message))
    #expect(command.error.split(separator: "\n").count == 1)
  }

  @Test func helpIsForReading() throws {
    let help = try Command(["run", "--help"])
    #expect(help.code == 0)
    #expect(help.error.isEmpty)
    for option in [
      "--output", "--set", "--dry-run", "--jobs", "--threads", "--fresh", "--retries", "--fail-fast",
      "--strict", "--json", "--quiet", "--verbose", "--no-progress",
    ] { #expect(help.output.contains(option)) }
    #expect(!(try Command(["--help"]).output.contains("worker")))
  }

  @Test func workerEndsWithItsInput() throws {
    let worker = try Command(["worker"])
    #expect(worker.code == 2)
    #expect(worker.output.isEmpty)
  }
}

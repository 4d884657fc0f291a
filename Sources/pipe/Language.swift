import ArgumentParser
import Batch
import Foundation
import Frames
import Pipeline
import Stages

struct Check: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Check a pipeline file, and that this machine has what it needs.")

  @Argument(
    help: "A pipeline file, or the name of one that is shipped.", completion: .file(extensions: ["yml", "yaml"]))
  var pipeline: String

  @Option(
    name: .customLong("set"), parsing: .singleValue,
    help: ArgumentHelp(
      "Change a parameter of a stage.", valueName: "stage.param=value"))
  var settings: [String] = []

  func run() throws {
    let path = try Resources().find(pipeline, .pipelines)
    let chain = try Chain(path: path, settings: settings, registry: builtinStages)
    try chain.check()
    print("\(path): \(chain.stages.map(\.spec.name).joined(separator: " -> "))")
  }
}

struct Schema: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Print the JSON Schema of pipeline files, for editors.")

  func run() throws { print(StageManual(builtinStages).schema()) }
}

struct Stages: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "List the stages and their parameters.")

  @Argument(help: "Only this stage.", completion: .list(builtinStages.specs.map(\.name)))
  var name: String?

  @Flag(help: "As JSON.")
  var json = false

  func run() throws {
    let manual = StageManual(builtinStages)
    print(json ? try manual.json(name) : try manual.text(name))
  }
}

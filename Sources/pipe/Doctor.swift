import ArgumentParser
import Batch
import Stages

struct Doctor: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Say what this machine has of what pipelines may want, and how to get the rest.")

  @Flag(help: "As JSON.")
  var json = false

  func run() throws {
    let diagnosis = Diagnosis(builtinStages)
    print(json ? diagnosis.json.prettyJSON : diagnosis.text)
    try Ended.check(diagnosis.isWell ? .success : .missing)
  }
}

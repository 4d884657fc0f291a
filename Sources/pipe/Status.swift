import ArgumentParser
import Batch

struct Status: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Say what is done, what has failed and why, and what is left, in a folder of outputs.")

  @Argument(help: "A folder of outputs.", completion: .directory)
  var folder: String

  @Flag(help: "As JSON.")
  var json = false

  func run() throws {
    let status = try RunStatus(folder)
    print(json ? status.json.prettyJSON : status.text)
  }
}

import ArgumentParser
import Batch

struct Models: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "List the networks that are at hand.")

  @Argument(help: "Only this one, with all that is known of it: a name or an ONNX file.")
  var name: String?

  @Flag(help: "As JSON.")
  var json = false

  func run() throws {
    let models = try ModelList(name)
    print(json ? models.json.prettyJSON : models.text)
  }
}

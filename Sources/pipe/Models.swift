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

struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Measure speed.", subcommands: [BenchModel.self])
}

struct BenchModel: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "model", abstract: "Measure how fast a network runs on this machine.")

  @Argument(help: "A name of 'pipe models', or an ONNX file.", completion: .file(extensions: ["onnx"]))
  var model: String

  @Option(help: "The size of the input picture.")
  var size = "960x540"

  @Option(help: "How many threads to use; all by default.")
  var threads: Int?

  @Option(help: "How many frames to time.")
  var runs = 20

  @Flag(help: "As one JSON object on one line.")
  var json = false

  func validate() throws {
    if let threads, !(1...1024).contains(threads) { throw ValidationError("--threads wants 1 to 1024") }
    if !(1...100_000).contains(runs) { throw ValidationError("--runs wants 1 to 100000") }
  }

  func run() throws {
    let benchmark = try ModelBenchmark(model, size: size, threads: threads, runs: runs)
    print(json ? benchmark.json : benchmark.text)
  }
}

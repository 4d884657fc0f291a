import ArgumentParser
import Batch
import Stages

struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure speed.", subcommands: [BenchModel.self, BenchKernels.self, BenchPipeline.self])
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

  @Option(
    help: ArgumentHelp(
      "Time frames, too, of which so many of a hundred rows repeat the previous one's; 0 says what it costs to look.",
      valueName: "percent"))
  var unchanged: Int?

  @Flag(help: "Time one thread, too, by turns with all of them.")
  var scaling = false

  @Flag(name: .shortAndLong, help: "Time every layer, too.")
  var verbose = false

  @Flag(help: "As one JSON object on one line.")
  var json = false

  func validate() throws {
    if let threads, !(1...1024).contains(threads) { throw ValidationError("--threads wants 1 to 1024") }
    if !(1...100_000).contains(runs) { throw ValidationError("--runs wants 1 to 100000") }
    if let unchanged, !(0...100).contains(unchanged) { throw ValidationError("--unchanged wants 0 to 100") }
  }

  func run() throws {
    let benchmark = try ModelBenchmark(
      model, size: size, threads: threads, runs: runs, unchanged: unchanged, scaling: scaling)
    print(json ? benchmark.json(layers: verbose) : benchmark.text(layers: verbose))
  }
}

struct BenchKernels: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "kernels",
    abstract: "Measure how fast convolutions run on one thread, at every level of this processor."
  )

  @Option(help: "How many times to run each; the best counts.")
  var runs = 20

  @Flag(help: "As one JSON object for each.")
  var json = false

  func validate() throws {
    if !(1...100_000).contains(runs) { throw ValidationError("--runs wants 1 to 100000") }
  }

  func run() {
    let benchmark = KernelsBenchmark(runs: runs)
    print(json ? benchmark.json : benchmark.text)
  }
}

struct BenchPipeline: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pipeline", abstract: "Measure how fast a pipeline runs on a file, and where the time goes.")

  @Argument(
    help: "A pipeline file, or the name of one that is shipped.", completion: .file(extensions: ["yml", "yaml"]))
  var pipeline: String

  @Argument(help: "A file.", completion: .file())
  var input: String

  @Option(
    name: .customLong("set"), parsing: .singleValue,
    help: ArgumentHelp("Change a parameter of a stage.", valueName: "stage.param=value"))
  var settings: [String] = []

  @Option(help: "How many threads to use; all by default.")
  var threads: Int?

  @Option(help: "How many times to run it.")
  var runs = 3

  @Flag(help: "As one JSON object on one line.")
  var json = false

  func validate() throws {
    if let threads, !(1...1024).contains(threads) { throw ValidationError("--threads wants 1 to 1024") }
    if !(1...1000).contains(runs) { throw ValidationError("--runs wants 1 to 1000") }
  }

  func run() throws {
    let benchmark = try PipelineBenchmark(
      pipeline, input: input, settings: settings, threads: threads, runs: runs, registry: builtinStages)
    print(json ? benchmark.json : benchmark.text)
  }
}

import ArgumentParser
import Batch

struct Quantize: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Turn a float network into one of 8-bit integers, calibrated on pictures of yours.",
    discussion: "pipe quantize net.onnx --calibrate pictures/ -o net-int8.onnx")

  @Argument(help: "A float ONNX file on luma or on RGB.", completion: .file(extensions: ["onnx"]))
  var model: String

  @Option(help: "Pictures such as the network is for: files or folders.", completion: .file())
  var calibrate: [String]

  @Option(name: .shortAndLong, help: "The ONNX file to write.", completion: .file(extensions: ["onnx"]))
  var output: String

  @Option(
    help: "Give activations the range that this share of their values lies in, rather than that of least error.")
  var percentile: Double?

  func validate() throws {
    if let percentile, !(0.5...1).contains(percentile) { throw ValidationError("--percentile wants 0.5 to 1") }
  }

  func run() throws {
    let result = try ModelQuantisation(model, calibration: calibrate, output: output, percentile: percentile)
    for problem in result.problems { Terminal.writeError("pipe: left out: \(problem)\n") }
    print(result.text)
  }
}

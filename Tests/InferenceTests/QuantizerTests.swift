import Foundation
import Frames
import Testing

@testable import Inference

@Suite struct QuantizerTests {
  static let bytes = try? Data(contentsOf: GoldenTests.folder.appending(path: "float.onnx"))

  private func sample() throws -> Quantizer.Sample {
    let luma = try Data(contentsOf: GoldenTests.folder.appending(path: "float.in"))
    return Quantizer.Sample(width: 37, height: 22, luma: [UInt8](luma))
  }

  /// The quantised network stays close to the float one, whose answer onnxruntime gave.
  @Test(arguments: [0, 1]) func staysClose(_ index: Int) throws {
    let choice = [Quantizer.Choice.percentile(0.9999), .meanSquare][index]
    var quantizer = try Quantizer(#require(QuantizerTests.bytes), name: "float.onnx")
    try quantizer.calibrate(sample())
    let network = try Network(bytes: quantizer.quantised(choice), name: "quantised")
    let expected = try Data(contentsOf: GoldenTests.folder.appending(path: "float.out"))
    let input = TestPlane(width: 37, height: 22, depth: 8)
    input.samples = try sample().luma.map { UInt16($0) }
    let output = TestPlane(width: 74, height: 44, depth: 8)
    NetworkRunner(network, threads: 1).run(luma: input.plane, depth: 8, into: output.mutable, outputDepth: 8)
    let errors = zip(output.samples, expected).map { Double(Int($0) - Int($1)) }
    let meanSquare = errors.reduce(0) { $0 + $1 * $1 } / Double(errors.count)
    #expect(errors.count == expected.count)
    #expect(meanSquare < 1, "\(meanSquare)")
  }

  /// Kinds of networks as PyTorch exports them.
  @Test(arguments: ["compact", "fsrcnn", "dncnn", "residual"]) func staysCloseToPyTorch(_ name: String) throws {
    let folder = GoldenTests.folder
    var quantizer = try Quantizer(Data(contentsOf: folder.appending(path: name + ".onnx")), name: name)
    let luma = try [UInt8](Data(contentsOf: folder.appending(path: name + ".in")))
    try quantizer.calibrate(.init(width: 37, height: 22, luma: luma))
    let network = try Network(bytes: quantizer.quantised(.meanSquare), name: "quantised")
    let expected = try Data(contentsOf: folder.appending(path: name + ".out"))
    let input = TestPlane(width: 37, height: 22, depth: 8)
    input.samples = luma.map { UInt16($0) }
    let output = TestPlane(width: 37 * network.scale, height: 22 * network.scale, depth: 8)
    NetworkRunner(network, threads: 1).run(luma: input.plane, depth: 8, into: output.mutable, outputDepth: 8)
    let errors = zip(output.samples, expected).map { Double(Int($0) - Int($1)) }
    let meanSquare = errors.reduce(0) { $0 + $1 * $1 } / Double(errors.count)
    #expect(errors.count == expected.count && Set(expected).count > 32)
    #expect(meanSquare < 4, "\(meanSquare)")
  }

  @Test func needsPictures() throws {
    let quantizer = try Quantizer(#require(QuantizerTests.bytes), name: "float.onnx")
    let error = #expect(throws: Failure.self) { try quantizer.quantised(.meanSquare) }
    #expect(error?.description.contains("nothing was seen of") == true)
  }

  @Test func refusesWhatIsQuantised() throws {
    let bytes = try Data(contentsOf: GoldenTests.folder.appending(path: "trained.onnx"))
    let error = #expect(throws: Failure.self) { try Quantizer(bytes, name: "trained.onnx") }
    #expect(error?.description.contains("quantised already") == true)
  }

  @Test func zeroIsAlwaysACode() {
    #expect(Quantizer.quantisation(low: 0.5, high: 2) == Quantisation(scale: 2 / 255, zeroPoint: 0))
    #expect((127...128).contains(Quantizer.quantisation(low: -1, high: 1).zeroPoint))
    #expect(Quantizer.quantisation(low: 0, high: 0).scale > 0)
  }
}

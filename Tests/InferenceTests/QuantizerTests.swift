import Foundation
import Frames
import Testing

@testable import Inference

@Suite struct QuantizerTests {
  static let bytes = try? Data(contentsOf: GoldenTests.folder.appending(path: "float.onnx"))

  private func sample() throws -> Quantizer.Sample {
    let luma = try Data(contentsOf: GoldenTests.folder.appending(path: "float.in"))
    return Quantizer.Sample(width: 37, height: 22, samples: [UInt8](luma))
  }

  /// The quantised network stays close to the float one, whose answer onnxruntime gave.
  @Test(arguments: [0, 1]) func staysClose(_ index: Int) throws {
    let choice = [Quantizer.Choice.percentile(0.9999), .meanSquare][index]
    var quantizer = try Quantizer(#require(QuantizerTests.bytes), name: "float.onnx")
    try quantizer.calibrate(sample())
    let network = try Network(bytes: quantizer.quantised(choice), name: "quantised")
    let expected = try Data(contentsOf: GoldenTests.folder.appending(path: "float.out"))
    let input = TestPlane(width: 37, height: 22, depth: 8)
    input.samples = try sample().samples.map { UInt16($0) }
    let output = TestPlane(width: 74, height: 44, depth: 8)
    NetworkRunner(network, threads: 1).run(luma: input.plane, depth: 8, into: output.mutable, outputDepth: 8)
    let errors = zip(output.samples, expected).map { Double(Int($0) - Int($1)) }
    let meanSquare = errors.reduce(0) { $0 + $1 * $1 } / Double(errors.count)
    #expect(errors.count == expected.count)
    #expect(meanSquare < 1, "\(meanSquare)")
  }

  static let python = ProcessInfo.processInfo.environment["PIPE_PYTHON"]

  /// Kinds of networks as PyTorch exports them: a compact Real-ESRGAN with PReLU, FSRCNN, DnCNN with batch
  /// normalisation, and residual blocks; on luma, some on red, green and blue. The quantised file answers as the float
  /// one nearly, and in onnxruntime, where there is a Python that has it, as here.
  @Test(arguments: [
    "compact", "fsrcnn", "dncnn", "residual", "compact-rgb", "compact-rgb-x4", "enlarging-rgb", "dncnn-rgb",
  ])
  func staysCloseToPyTorch(_ name: String) throws {
    let folder = GoldenTests.folder
    var quantizer = try Quantizer(Data(contentsOf: folder.appending(path: name + ".onnx")), name: name)
    let samples = try [UInt8](Data(contentsOf: folder.appending(path: name + ".in")))
    try quantizer.calibrate(.init(width: 37, height: 22, samples: samples))
    let bytes = try quantizer.quantised(.meanSquare)
    let network = try Network(bytes: bytes, name: "quantised")
    let expected = try Data(contentsOf: folder.appending(path: name + ".out"))
    let input = TestPlane(width: 37, height: 22, depth: 8, count: network.inputChannels)
    input.samples = samples.map { UInt16($0) }
    let output = TestPlane(
      width: 37 * network.scale, height: 22 * network.scale, depth: 8, count: network.outputChannels)
    NetworkRunner(network, threads: 1).run(input.planes, depth: 8, into: output.mutables, outputDepth: 8)
    let errors = zip(output.samples, expected).map { Double(Int($0) - Int($1)) }
    let meanSquare = errors.reduce(0) { $0 + $1 * $1 } / Double(errors.count)
    let loss = "\(name): int8 is \(10 * log10(255 * 255 / max(meanSquare, 1e-9))) dB from float"
    #expect(errors.count == expected.count && Set(expected).count > 32)
    #expect(meanSquare < 4, "\(loss)")
    guard let python = QuantizerTests.python else {
      return print("\(loss); not held against onnxruntime: PIPE_PYTHON names no Python that has it")
    }
    let answer = try QuantizerTests.answer(of: bytes, python: python, picture: folder.appending(path: name + ".in"))
    let differences = zip(output.samples, answer).map { abs(Int($0) - Int($1)) }
    let most = differences.max() ?? 0
    #expect(answer.count == output.samples.count && most <= 1, "\(loss); onnxruntime differs by \(most)")
    print("\(loss); onnxruntime differs in \(differences.filter { $0 > 0 }.count) of \(differences.count) samples")
  }

  /// What onnxruntime makes of a picture of 37 x 22 samples.
  private static func answer(of model: Data, python: String, picture: URL) throws -> [UInt8] {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let (file, output) = (folder.appending(path: "model.onnx"), folder.appending(path: "output"))
    try model.write(to: file)
    let process = Process()
    process.executableURL = URL(filePath: python)
    process.arguments = [
      GoldenTests.folder.appending(path: "answer.py").path(), file.path(), picture.path(), "37", "22", output.path(),
    ]
    try process.run()
    process.waitUntilExit()
    return [UInt8](try Data(contentsOf: output))
  }

  /// Equal constants are exported once, with copies.
  @Test func takesCopiesOfConstants() throws {
    let bytes = try Data(contentsOf: GoldenTests.folder.appending(path: "compact.onnx"))
    var model = try Onnx_ModelProto(serializedBytes: bytes)
    var copies: [Onnx_NodeProto] = []
    for index in model.graph.node.indices where ["Conv", "PRelu"].contains(model.graph.node[index].opType) {
      let last = model.graph.node[index].input.count - 1
      let source = model.graph.node[index].input[last]
      copies.append(
        .with {
          $0.opType = "Identity"
          $0.input = [source]
          $0.output = ["\(source).copy"]
        })
      model.graph.node[index].input[last] = "\(source).copy"
    }
    model.graph.node.insert(contentsOf: copies, at: 0)
    func quantised(_ bytes: Data) throws -> Network {
      var quantizer = try Quantizer(bytes, name: "copies")
      try quantizer.calibrate(sample())
      return try Network(bytes: quantizer.quantised(.meanSquare), name: "copies")
    }
    let input = TestPlane(width: 37, height: 22, depth: 8)
    input.samples = try sample().samples.map { UInt16($0) }
    var answers: [[UInt16]] = []
    for file in [bytes, try model.serializedBytes() as Data] {
      let output = TestPlane(width: 74, height: 44, depth: 8)
      try NetworkRunner(quantised(file), threads: 1).run(
        luma: input.plane, depth: 8, into: output.mutable, outputDepth: 8)
      answers.append(output.samples)
    }
    #expect(copies.count == 7 && answers[0] == answers[1])
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

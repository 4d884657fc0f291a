import Foundation
import Frames
import Randomness
import Testing

@testable import Inference

/// Models are files from anywhere: a bad one is refused, or runs; nothing else.
@Suite struct HostileModelTests {
  static let names = [
    "trained", "denoiser", "plain", "folded", "skipping", "activated", "unshuffled", "enlarged", "colourful",
    "interpolated",
  ]

  private func good(_ name: String) throws -> Data {
    try Data(contentsOf: GoldenTests.folder.appending(path: name + ".onnx"))
  }

  /// Loads and, where that succeeds, runs: a failure has to be one that a person can read.
  private func attempt(_ bytes: Data) {
    do {
      let network = try Network(bytes: bytes, name: "mutant")
      let input = TestPlane(width: 9, height: 5, depth: 8, count: network.inputChannels)
      input.samples = (0..<45 * input.count).map { UInt16($0 * 5 % 256) }
      let output = TestPlane(
        width: 9 * network.scale, height: 5 * network.scale, depth: 10, count: network.outputChannels)
      NetworkRunner(network, threads: 1).run(input.planes, depth: 8, into: output.mutables, outputDepth: 10)
      #expect(output.guardIsIntact)
    } catch {
      #expect(error.exitCode == .usage && error.place.hasPrefix("mutant") && !error.message.isEmpty)
    }
  }

  @Test(arguments: names) func truncated(_ name: String) throws {
    let bytes = try good(name)
    for length in stride(from: 0, to: bytes.count, by: 97) { attempt(bytes.prefix(length)) }
  }

  /// How many mutants there are of all models together: `make fuzz` asks for more.
  static let mutants = ProcessInfo.processInfo.environment["PIPE_FUZZ"].flatMap { Int($0) } ?? 1500
  static let shipped = GoldenTests.folder.appending(path: "../../../assets/models").standardized
  /// Those of these tests, and those that are shipped.
  static let files =
    GoldenTests.names.map { GoldenTests.folder.appending(path: $0 + ".onnx") }
    + ((try? FileManager.default.contentsOfDirectory(at: shipped, includingPropertiesForKeys: nil)) ?? [])
    .filter { $0.pathExtension == "onnx" }.sorted { $0.path() < $1.path() }

  @Test func allShippedModelsAreMutated() { #expect(HostileModelTests.files.count >= GoldenTests.names.count + 5) }

  @Test(arguments: files) func mutated(_ file: URL) throws {
    let bytes = try Data(contentsOf: file)
    let model = try Onnx_ModelProto(serializedBytes: bytes)
    var random = Seeded(state: 5)
    for number in 0..<HostileModelTests.mutants / HostileModelTests.files.count + 1 {
      if number % 2 == 0 {
        var mutant = bytes
        for _ in 0..<Int.random(in: 1...6, using: &random) { HostileModelTests.mutate(&mutant, &random) }
        attempt(mutant)
      } else {
        var mutant = model
        for _ in 0..<Int.random(in: 1...3, using: &random) { HostileModelTests.mutate(&mutant.graph, &random) }
        attempt(try mutant.serializedBytes())
      }
    }
  }

  /// Float networks, which the quantiser runs.
  static let floats = ["compact", "fsrcnn", "dncnn", "residual", "compact-rgb", "enlarging-rgb", "dncnn-rgb"]

  @Test(arguments: floats) func quantisingMutants(_ name: String) throws {
    let model = try Onnx_ModelProto(serializedBytes: good(name))
    var random = Seeded(state: 6)
    for number in 0..<HostileModelTests.mutants / 10 / HostileModelTests.floats.count + 1 {
      var mutant = model
      for _ in 0..<Int.random(in: 1...3, using: &random) { HostileModelTests.mutate(&mutant.graph, &random) }
      var bytes: Data = try mutant.serializedBytes()
      if number % 4 == 0 { HostileModelTests.mutate(&bytes, &random) }
      quantise(bytes, number % 2 == 0 ? .meanSquare : .percentile(0.999))
    }
  }

  private func quantise(_ bytes: Data, _ choice: Quantizer.Choice) {
    do {
      var quantizer = try Quantizer(bytes, name: "mutant")
      let samples = (0..<96 * quantizer.channels).map { UInt8($0 * 7 % 256) }
      try quantizer.calibrate(.init(width: 12, height: 8, samples: samples))
      attempt(try quantizer.quantised(choice))
    } catch {
      #expect(error.exitCode == .usage && error.place.hasPrefix("mutant") && !error.message.isEmpty)
    }
  }

  private static func mutate(_ bytes: inout Data, _ random: inout Seeded) {
    let at = Int.random(in: 0..<bytes.count, using: &random)
    switch Int.random(in: 0..<4, using: &random) {
    case 0: bytes[at] = UInt8.random(in: 0...255, using: &random)
    case 1: bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &random)
    case 2: bytes.remove(at: at)
    default: bytes.insert([0, 1, 127, 128, 255].randomElement(using: &random) ?? 0, at: at)
    }
  }

  private static let numbers: [Int64] = [-1, 0, 1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 255, 1 << 20, 1 << 31, .max, .min]
  private static let operations = [
    "Conv", "ConvTranspose", "Relu", "PRelu", "LeakyRelu", "Clip", "Add", "Sub", "Mul", "Concat", "DepthToSpace",
    "SpaceToDepth", "Resize", "Tile", "BatchNormalization", "QuantizeLinear", "DequantizeLinear", "Identity",
  ]

  /// Changes what a graph says, so that more mutants come as far as the compiler.
  private static func mutate(_ graph: inout Onnx_GraphProto, _ random: inout Seeded) {
    let at = Int.random(in: 0..<graph.node.count, using: &random)
    func number() -> Int64 { numbers.randomElement(using: &random) ?? 0 }
    switch Int.random(in: 0..<6, using: &random) {
    case 0: graph.node[at].opType = operations.randomElement(using: &random) ?? ""
    case 1:
      guard let attribute = graph.node[at].attribute.indices.randomElement(using: &random) else { return }
      graph.node[at].attribute[attribute].i = number()
      if let index = graph.node[at].attribute[attribute].ints.indices.randomElement(using: &random) {
        graph.node[at].attribute[attribute].ints[index] = number()
      }
    case 2:
      let names = graph.node[max(0, at - 4)...at].flatMap(\.output) + graph.input.map(\.name)
      guard let input = graph.node[at].input.indices.randomElement(using: &random) else { return }
      graph.node[at].input[input] = names.randomElement(using: &random) ?? ""
    case 3:
      let tensor = Int.random(in: 0..<graph.initializer.count, using: &random)
      guard let index = graph.initializer[tensor].dims.indices.randomElement(using: &random) else { return }
      graph.initializer[tensor].dims[index] = number()
    case 4:
      let tensor = Int.random(in: 0..<graph.initializer.count, using: &random)
      guard graph.initializer[tensor].dataType == 1, graph.initializer[tensor].rawData.count >= 4 else { return }
      let bits = [
        0, 0x3F80_0000, 0x7F80_0000, 0xFF80_0000, 0x7FC0_0000, 1, 0x7F7F_FFFF,
        UInt32.random(in: 0...(.max), using: &random),
      ]
      let value = bits.randomElement(using: &random) ?? 0
      graph.initializer[tensor].rawData.replaceSubrange(
        graph.initializer[tensor].rawData.startIndex..<graph.initializer[tensor].rawData.startIndex + 4,
        with: withUnsafeBytes(of: value) { Data($0) })
    default: graph.node.swapAt(at, Int.random(in: 0..<graph.node.count, using: &random))
    }
  }

  /// Changes a good model's graph and expects to be refused with these words.
  private func refused(
    _ words: String, _ name: String = "trained", _ change: (inout Onnx_GraphProto) -> Void
  ) throws {
    var model = try Onnx_ModelProto(serializedBytes: good(name))
    change(&model.graph)
    let bytes: Data = try model.serializedBytes()
    let error = #expect(throws: Failure.self) { try Network(bytes: bytes, name: "model.onnx") }
    #expect(error?.description.contains(words) == true, "\(String(describing: error))")
    #expect(error?.exitCode == .usage)
  }

  @Test func namesWhatItCannotRun() throws {
    try refused("Softmax 'relu") { graph in
      for index in graph.node.indices where graph.node[index].opType == "Relu" { graph.node[index].opType = "Softmax" }
    }
    try refused("attribute 'strides' = [2, 2]") { graph in
      for index in graph.node.indices where graph.node[index].opType == "Conv" {
        graph.node[index].attribute.append(
          .with {
            $0.name = "strides"
            $0.ints = [2, 2]
          })
      }
    }
    try refused("not made before it") { $0.node.reverse() }
    try refused("impossible") { graph in
      for index in graph.initializer.indices where graph.initializer[index].dims.isEmpty {
        if graph.initializer[index].dataType == 1 { graph.initializer[index].rawData = Data([0, 0, 0x80, 0x7F]) }
      }
    }
    try refused("impossible dimensions") { $0.initializer[0].dims = [1 << 40, 1 << 40] }
    try refused("impossible dimensions") { $0.initializer[0].dims = [-1] }
    try refused("values where its dimensions ask for") { $0.initializer[0].dims = [1000] }
    // Slopes for channels that are no longer those of the sum.
    try refused("must stand before the folding", "activated") { graph in
      guard let index = graph.node.firstIndex(where: { $0.opType == "PRelu" }),
        let slopes = graph.initializer.firstIndex(where: { $0.name == graph.node[index].input[1] })
      else { return }
      let folding = Onnx_NodeProto.with {
        $0.opType = "DepthToSpace"
        $0.input = [graph.node[index].input[0]]
        $0.output = ["opened"]
        $0.attribute = [
          .with {
            $0.name = "blocksize"
            $0.i = 2
          }
        ]
      }
      graph.node[index].input[0] = "opened"
      graph.initializer[slopes].dims = [4, 1, 1]
      graph.initializer[slopes].rawData = graph.initializer[slopes].rawData.prefix(16)
      graph.node.insert(folding, at: index)
    }
    try refused("made twice") { $0.node.append($0.node[0]) }
    try refused("its output 'absent' is never made") { $0.output[0].name = "absent" }
  }

  @Test func notAModelAtAll() {
    attempt(Data())
    attempt(Data("GIF89a".utf8))
    attempt(Data(repeating: 0xFF, count: 1000))
    attempt(Data(repeating: 0x0A, count: 100_000))
  }
}

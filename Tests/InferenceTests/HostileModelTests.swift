import Foundation
import Frames
import Randomness
import Testing

@testable import Inference

/// Models are files from anywhere: a bad one is refused, or runs; nothing else.
@Suite struct HostileModelTests {
  static let names = [
    "trained", "denoiser", "plain", "folded", "skipping", "activated", "unshuffled", "enlarged", "colourful",
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
    for length in stride(from: 0, to: bytes.count, by: 7) { attempt(bytes.prefix(length)) }
  }

  @Test(arguments: names) func mutated(_ name: String) throws {
    let bytes = try good(name)
    var random = Seeded(state: 5)
    for _ in 0..<2500 {
      var mutant = bytes
      for _ in 0..<Int.random(in: 1...6, using: &random) {
        let at = Int.random(in: 0..<mutant.count, using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: mutant[at] = UInt8.random(in: 0...255, using: &random)
        case 1: mutant[at] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case 2: mutant.remove(at: at)
        default: mutant.insert([0, 1, 127, 128, 255].randomElement(using: &random) ?? 0, at: at)
        }
      }
      attempt(mutant)
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

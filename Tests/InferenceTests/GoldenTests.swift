import Foundation
import Frames
import Testing

@testable import Inference

/// Models answer as onnxruntime does, within one level: `Goldens/make.py` asked it.
@Suite struct GoldenTests {
  static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Goldens")

  static let names = [
    "trained", "denoiser", "plain", "transposed", "folded", "skipping", "activated", "unshuffled", "enlarged",
    "coloured", "colourful", "interpolated",
  ]

  @Test(arguments: names) func answersAsONNXRuntime(_ name: String) throws {
    let network = try Network(contentsOf: GoldenTests.folder.appending(path: name + ".onnx"))
    let samples = try Data(contentsOf: GoldenTests.folder.appending(path: name + ".in"))
    let expected = try Data(contentsOf: GoldenTests.folder.appending(path: name + ".out"))
    let input = TestPlane(width: 37, height: 22, depth: 8, count: network.inputChannels)
    input.samples = samples.map { UInt16($0) }
    let output = TestPlane(
      width: 37 * network.scale, height: 22 * network.scale, depth: 8, count: network.outputChannels)
    let runner = NetworkRunner(network, threads: 2)
    runner.noiseLevel = 40
    runner.run(input.planes, depth: 8, into: output.mutables, outputDepth: 8)
    let differences = zip(output.samples, expected).map { abs(Int($0) - Int($1)) }
    #expect(differences.count == expected.count && output.samples.count == expected.count)
    #expect(differences.max() ?? 0 <= 1)
    #expect(output.samples != input.samples)
    // Only now and then does a rounding fall the other way.
    #expect(differences.filter { $0 != 0 }.count * 20 < differences.count, "\(differences.filter { $0 != 0 }.count)")
  }

  @Test func noiseLevelHasADefault() throws {
    let network = try Network(contentsOf: GoldenTests.folder.appending(path: "folded.onnx"))
    #expect(abs((network.defaultNoiseLevel ?? 0) - 15) < 1e-3)
    #expect(network.scale == 1 && network.macsPerPixel == (4 + 32 + 4) * 32 * 9 / 4)
    #expect(network.receptiveRadius == 7)
    #expect(try Network(contentsOf: GoldenTests.folder.appending(path: "denoiser.onnx")).defaultNoiseLevel == nil)
  }

  @Test func missingModelIsExitCode3() {
    let error = #expect(throws: Failure.self) { try Network(contentsOf: URL(filePath: "absent.onnx")) }
    #expect(error?.exitCode == .missing)
  }
}

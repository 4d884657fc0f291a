import Foundation
import Frames

/// An integer network, read from an ONNX file and checked: it can be run on any picture.
public final class Network: Sendable {
  /// The file's name without its extension.
  public let name: String
  /// What an error is to point at.
  let place: String
  let integers: IntegerNetwork
  /// The `metadata_props` of the file.
  public let metadata: [String: String]

  /// - Throws: `Failure` with exit code 3 where there is no such file, 2 where it is not a network that can be run;
  ///   then operator, node and attribute are named.
  public convenience init(contentsOf url: URL) throws(Failure) {
    let path = url.path(percentEncoded: false)
    let size = (try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int) ?? 0
    guard size <= OnnxGraph.largestFile else {
      throw Failure("a model of \(size >> 20) MiB is larger than any that can be run", place: path, exitCode: .usage)
    }
    let bytes: Data
    do {
      bytes = try Data(contentsOf: url)
    } catch {
      throw Failure(
        FileManager.default.fileExists(atPath: path) ? "the model cannot be read" : "no such model", place: path,
        advice: "see 'pipe models' for those at hand", exitCode: .missing)
    }
    try self.init(bytes: bytes, name: url.deletingPathExtension().lastPathComponent, place: path)
  }

  public convenience init(bytes: Data, name: String) throws(Failure) {
    try self.init(bytes: bytes, name: name, place: name)
  }

  private init(bytes: Data, name: String, place: String) throws(Failure) {
    let graph = try OnnxGraph(bytes, place: place)
    integers = try Compiler.compile(graph, place: place)
    metadata = graph.metadata
    self.name = name
    self.place = place
  }

  /// A network that no file describes.
  init(integers: IntegerNetwork) {
    self.integers = integers
    name = "network"
    place = name
    metadata = [:]
  }

  /// Output width divided by input width.
  public var scale: Int { integers.ending.upscale / integers.fold }
  /// Planes the network takes.
  public var inputChannels: Int {
    for case .picture(let output, _) in integers.operations {
      return integers.tensors[output].channels / (integers.fold * integers.fold)
    }
    return 1
  }
  /// Planes the network makes.
  public var outputChannels: Int { integers.ending.planes }
  /// What a denoiser takes the noise's standard deviation to be unless told, in levels of eight bits, 0 to 255; nil
  /// where the network takes no noise level.
  public var defaultNoiseLevel: Double? { integers.noiseLevel.map { $0 * 255 } }

  /// Multiply-accumulates for one input pixel.
  public var macsPerPixel: Int {
    let block = integers.operations.reduce(0) { total, operation in
      if case .convolution(let layer) = operation { total + layer.macs } else { total }
    }
    return block / (integers.fold * integers.fold)
  }

  /// How far, in input pixels, an output pixel's value may depend on the picture around it.
  public var receptiveRadius: Int {
    var radii = [Int](repeating: 0, count: integers.tensors.count)
    var most = 0
    for operation in integers.operations.reversed() {
      if case .mix(let mix) = operation {
        for input in mix.inputs { radii[input] = max(radii[input], radii[mix.output]) }
      }
      if case .enlargement(let enlargement) = operation {
        let radius = radii[enlargement.output] + 1
        radii[enlargement.input] = max(radii[enlargement.input], radius)
        most = max(most, radius)
      }
      guard case .convolution(let layer) = operation else { continue }
      let across = max(layer.padLeft, layer.kernelWidth - 1 - layer.padLeft)
      let down = max(layer.padTop, layer.kernelHeight - 1 - layer.padTop)
      let radius = (layer.output.map { radii[$0] } ?? 0) + max(across, down)
      radii[layer.input] = max(radii[layer.input], radius)
      most = max(most, radius)
    }
    return (most + 1) * integers.fold - 1
  }
}

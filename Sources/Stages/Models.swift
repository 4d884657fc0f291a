import Foundation
import Frames
import Inference
import Media
import Pipeline

/// The networks that pipelines name, each read once.
public enum Models {
  private static let cache = Locked([String: Network]())

  /// - Parameter name: a name of `pipe models`, or the path of an ONNX file.
  /// - Throws: `Failure` of exit code 2 where there is none of that name, or where it cannot be run.
  public static func load(_ name: String) throws -> Network {
    let path = try Resources().find(name, .models)
    return try cache.withLock { cache in
      if let network = cache[path] { return network }
      let network = try Network(contentsOf: URL(filePath: path))
      cache[path] = network
      return network
    }
  }

  /// The same, refusing a network whose card names another task than `task`.
  static func load(_ name: String, for task: String) throws -> Network {
    let network = try load(name)
    if let made = network.metadata["task"], made != task, made == "denoise" || task == "denoise" {
      throw Failure(
        "the model '\(name)' is made for '\(made)'", advice: "\(task) wants another: see 'pipe models'",
        exitCode: .usage)
    }
    return network
  }

  /// SHA-256 of the file: another network of the same name gives other pictures.
  static func identity(_ name: String) throws -> String {
    try ContentHash.of(file: try Resources().find(name, .models)) ?? ""
  }
}

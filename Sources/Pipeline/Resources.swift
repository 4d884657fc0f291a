import Foundation
import Frames

/// Finds what is shipped beside the program: pipelines and models.
///
/// The working folder comes first, then `<prefix>/share/pipe`, then the checkout that the program was built in.
/// All are found from the program's own path, so an installed tree may be moved.
public struct Resources: Sendable {
  public enum Kind: String, Sendable { case pipelines, models }

  private let workingFolder: String
  private let program: URL

  public init(
    workingFolder: String = FileManager.default.currentDirectoryPath, program: String = Resources.programPath
  ) {
    self.workingFolder = workingFolder
    self.program = URL(filePath: program)
  }

  /// The path of the running program, with links resolved.
  public static var programPath: String {
    (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
  }

  /// The path of a pipeline or model. A name with a slash is a path; any other is looked up.
  /// Throws a `Failure` of exit code 2 that names the nearest one there is.
  public func find(_ name: String, _ kind: Kind) throws -> String {
    let suffix = kind == .models ? ".onnx" : ".yml"
    if name.contains("/") {
      guard FileManager.default.fileExists(atPath: name) else {
        throw Failure("there is no file \(name)", exitCode: .usage)
      }
      return name
    }
    for folder in [workingFolder] + folders(kind) {
      for candidate in [name, name + suffix] {
        let path = folder + "/" + candidate
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), !isFolder.boolValue {
          return folder == workingFolder ? candidate : path
        }
      }
    }
    let known = names(kind)
    throw Failure(
      "there is no \(kind == .models ? "model" : "pipeline") '\(name)'"
        + Nearest.hint(name, in: known.map { kind == .models ? $0 : $0 + suffix }), exitCode: .usage)
  }

  /// The names of all that are shipped, without their suffix, sorted.
  public func names(_ kind: Kind) -> [String] {
    let suffix = kind == .models ? ".onnx" : ".yml"
    let files = folders(kind).flatMap { (try? FileManager.default.contentsOfDirectory(atPath: $0)) ?? [] }
    return Set(files.filter { $0.hasSuffix(suffix) }.map { String($0.dropLast(suffix.count)) }).sorted()
  }

  /// Where the shipped ones lie, the first found first.
  func folders(_ kind: Kind) -> [String] {
    var result: [String] = []
    let prefix = program.deletingLastPathComponent().deletingLastPathComponent()
    result.append(prefix.appending(path: "share/pipe/\(kind.rawValue)").path)
    // A build lies a few levels below its checkout: .build/x86_64-unknown-linux-gnu/release/pipe.
    var folder = program.deletingLastPathComponent()
    while folder.path != "/" {
      if FileManager.default.fileExists(atPath: folder.appending(path: "Package.swift").path) {
        result.append(folder.appending(path: kind == .models ? "assets/models" : "pipelines").path)
        break
      }
      folder = folder.deletingLastPathComponent()
    }
    return result.filter { FileManager.default.fileExists(atPath: $0) }
  }
}

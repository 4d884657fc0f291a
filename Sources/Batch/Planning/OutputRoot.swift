import Foundation
import Frames

/// A folder that outputs go to, and the ledger in it.
public struct OutputRoot: Sendable, Hashable {
  /// As the user is told.
  public let path: String
  /// Without links.
  public let resolved: String

  public init(_ path: String) {
    self.path = path
    resolved = FileSystem.resolvedFuture(path)
  }

  var ledger: String { join(path, ".pipe") }
  var receipts: String { ledger + "/receipts" }
  var reviews: String { ledger + "/review" }
  var reviewBook: String { join(path, "review.html") }
  var log: String { ledger + "/joblog.tsv" }
  var segments: String { ledger + "/segments" }
  var current: String { ledger + "/run.json" }
  var lock: String { ledger + "/lock" }
  func file(_ relative: String) -> String { join(path, relative) }
}

func join(_ folder: String, _ name: String) -> String {
  folder == "." ? name : folder.hasSuffix("/") ? folder + name : folder + "/" + name
}

/// Where the outputs of each input go.
struct OutputLayout: Sendable {
  var roots: [OutputRoot] = []
  /// For each input root: which of `roots`, and the folder below it (empty, or ending in a slash).
  var places: [(root: Int, prefix: String)] = []

  /// Without `-o`, a folder's outputs go to its sibling `<folder>-<pipeline>`, a file's beside it. With it, all go
  /// below; several folders keep their own names there.
  /// Throws a usage `Failure` where an output folder would lie inside an input.
  init(_ inputs: [InputRoot], output: String?, pipeline: String) throws {
    let folders = inputs.filter { $0.kind == .folder }
    for input in inputs {
      var prefix = ""
      let path: String
      switch (output, input.kind) {
      case (let output?, .file):
        path = output
      case (let output?, .folder):
        path = output
        if folders.count > 1 {
          let name = Self.name(input)
          prefix = name + "/"
          if let twin = folders.first(where: { $0 != input && Self.name($0) == name }) {
            throw Failure(
              "\(twin.path) and \(input.path) have the same name, so their outputs would mix",
              advice: "run them one by one, each with its own -o", exitCode: .usage)
          }
        }
      case (nil, .file):
        let parent = input.path.parentFolder
        path = parent.isEmpty ? "." : parent
      case (nil, .folder):
        guard input.resolved != "/" else {
          throw Failure("the output of / has no place beside it", advice: "say where by -o DIR", exitCode: .usage)
        }
        // `.` and `..` have no name of their own; what they stand for has.
        let named = [".", ".."].contains((input.path as NSString).lastPathComponent) ? input.resolved : input.path
        path = named + "-" + pipeline.replacingOccurrences(of: "/", with: "_")
      }
      places.append((index(of: OutputRoot(path)), prefix))
    }
    try refuseInsideInputs(inputs)
  }

  private static func name(_ input: InputRoot) -> String { (input.resolved as NSString).lastPathComponent }

  private mutating func index(of root: OutputRoot) -> Int {
    if let index = roots.firstIndex(where: { $0.resolved == root.resolved }) { return index }
    roots.append(root)
    return roots.count - 1
  }

  private func refuseInsideInputs(_ inputs: [InputRoot]) throws {
    for input in inputs where input.kind == .folder {
      let folder = input.resolved == "/" ? "/" : input.resolved + "/"
      for (index, place) in places.enumerated() where inputs[index].kind == .folder || place.prefix.isEmpty {
        let root = roots[place.root]
        let target = (root.resolved == "/" ? "" : root.resolved) + "/" + place.prefix
        // A file given by itself keeps its output beside it, even where its folder is an input, too.
        let beside =
          inputs[index].kind == .file && root.resolved == inputs[index].resolved.parentFolder
        if target.hasPrefix(folder), !beside {
          throw Failure(
            "the output \(root.path) lies inside the input \(input.path)",
            advice: "choose a folder outside it by -o DIR", exitCode: .usage)
        }
      }
    }
  }
}

import Foundation
import Pipeline

/// Tells our own outputs from inputs, by the receipts in the folders above a file.
///
/// An output is not taken together with the input it came from, nor by the pipeline that made it; another pipeline
/// may well be given the outputs of a first one.
struct OwnOutputs {
  private let scan: Scan
  /// Of each folder that was asked for: those of it and the folders above it that hold a ledger.
  private var ledgers: [String: [String]] = ["": Self.hasLedger("/") ? [""] : []]

  init(_ scan: Scan) { self.scan = scan }

  /// Why a file is no input, or nil.
  mutating func reason(_ file: InputFile, pipeline: String) -> String? {
    let path = scan.resolved(file)
    for folder in ledgersAbove(Self.parent(path)) {
      let relative = String(path.utf8.dropFirst(folder.utf8.count + 1)) ?? ""
      guard case .receipt(let receipt)? = Receipt.load(Receipt.path(OutputRoot(folder + "/"), relative)) else {
        continue
      }
      if receipt.pipelineName == pipeline { return "an output of this pipeline" }
      let source = FileSystem.resolved(receipt.input.path) ?? receipt.input.path
      if scan.covers(source) { return "an output made from another input" }
    }
    return nil
  }

  /// - Parameter folder: absolute and resolved; empty for the root.
  private mutating func ledgersAbove(_ folder: String) -> [String] {
    if let known = ledgers[folder] { return known }
    let result = (Self.hasLedger(folder) ? [folder] : []) + ledgersAbove(Self.parent(folder))
    ledgers[folder] = result
    return result
  }

  private static func parent(_ path: String) -> String { path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "" }

  private static func hasLedger(_ folder: String) -> Bool { FileSystem.status(folder + "/.pipe/receipts") != nil }
}

extension Scan {
  /// The path of a file without links in its folders.
  func resolved(_ file: InputFile) -> String {
    let root = roots[file.root]
    return root.kind == .file ? root.resolved : (root.resolved == "/" ? "" : root.resolved) + "/" + file.relative
  }

  /// Whether a file is among the inputs, by its resolved path.
  func covers(_ path: String) -> Bool {
    roots.contains { $0.kind == .file ? $0.resolved == path : path.hasPrefix($0.resolved + "/") }
  }
}

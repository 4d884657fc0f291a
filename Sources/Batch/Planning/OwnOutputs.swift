import Foundation
import Pipeline

/// Tells our own outputs from inputs, by the receipts in the folders above a file.
///
/// An output is not taken together with the input it came from, nor by the pipeline that made it; another pipeline
/// may well be given the outputs of a first one.
struct OwnOutputs {
  private let scan: Scan
  /// Folders and whether they hold a ledger.
  private var ledgers: [String: Bool] = [:]

  init(_ scan: Scan) { self.scan = scan }

  /// Why a file is no input, or nil.
  mutating func reason(_ file: InputFile, pipeline: String) -> String? {
    let root = scan.roots[file.root]
    let path = root.kind == .file ? root.resolved : (root.resolved == "/" ? "" : root.resolved) + "/" + file.relative
    var folder = (path as NSString).deletingLastPathComponent
    while true {
      if hasLedger(folder) {
        let relative = String(path.dropFirst(folder == "/" ? 1 : folder.count + 1))
        if case .receipt(let receipt)? = Receipt.load(Receipt.path(OutputRoot(folder), relative)) {
          if receipt.pipelineName == pipeline { return "an output of this pipeline" }
          let source = FileSystem.resolved(receipt.input.path) ?? receipt.input.path
          if scan.covers(source) { return "an output made from another input" }
        }
      }
      if folder == "/" || folder.isEmpty { return nil }
      folder = (folder as NSString).deletingLastPathComponent
    }
  }

  private mutating func hasLedger(_ folder: String) -> Bool {
    if let known = ledgers[folder] { return known }
    let found = FileSystem.status(join(folder, ".pipe/receipts")) != nil
    ledgers[folder] = found
    return found
  }
}

extension Scan {
  /// Whether a file is among the inputs, by its resolved path.
  func covers(_ path: String) -> Bool {
    roots.contains { $0.kind == .file ? $0.resolved == path : path.hasPrefix($0.resolved + "/") }
  }
}

import Foundation
import Frames
import Media
import Pipeline

/// Brings what a sink has completed to its place, with its receipt.
///
/// The receipt is written first, with the identity of the file under its temporary name, which renaming keeps: so a
/// run that is killed in between leaves either nothing, or a receipt by which the next run only has to rename.
struct Publisher: Sendable {
  let root: OutputRoot
  let relative: String

  private var receiptPath: String { Receipt.path(root, relative) }
  private var reviewPath: String { RunReview.path(root, relative) }

  /// Throws a `Failure`, with the temporary files removed, where the output cannot be published.
  func publish(_ report: SinkReport, _ receipt: Receipt) throws -> Receipt {
    var receipt = receipt
    let files = report.files
    guard !files.isEmpty else { throw Failure("the pipeline wrote no file") }
    for file in files {
      let relative = try below(file.path)
      try flush(file.part)
      guard let identity = FileIdentity(path: file.part), identity.size > 0,
        let hash = try ContentHash.of(file: file.part)
      else { throw Failure("its output \(file.part) went away before it could be published") }
      receipt.outputs.append(Receipt.Output(relative: relative, identity: identity, sha256: hash))
    }
    do {
      // Before the receipt: by that the output counts as done, and nobody would write its review any more.
      if let review = report.review { try keep(review) }
      try receipt.write(to: receiptPath)
      for file in files { try FileSystem.rename(file.part, to: file.path) }
      for folder in Set(files.map { $0.path.parentFolder }) {
        try FileSystem.flush(folder.isEmpty ? "." : folder)
      }
    } catch let error as SystemError {
      throw error.failure()
    }
    return receipt
  }

  private func keep(_ review: SinkReport.Review) throws {
    unlink(reviewPath)
    try FileSystem.makeFolders(reviewPath.parentFolder)
    if let part = review.part { try FileSystem.rename(part, to: reviewPath) }
  }

  /// Sets an output aside that did not pass its gate. Returns the folder.
  func quarantine(_ files: [SinkReport.File]) throws -> String {
    let folder = join(root.ledger, "quarantine/" + relative).parentFolder
    try FileSystem.makeFolders(folder)
    for file in files {
      try FileSystem.rename(file.part, to: join(folder, (file.path as NSString).lastPathComponent))
    }
    return folder
  }

  /// Completes what a killed run had begun.
  func finish(_ receipt: Receipt) throws {
    do {
      for output in receipt.outputs {
        let path = root.file(output.relative)
        if FileIdentity(path: path) == output.identity { continue }
        try FileSystem.rename(TemporaryName.fitting(path, suffix: ".part"), to: path)
        try FileSystem.flush(path.parentFolder)
      }
    } catch let error as SystemError {
      throw error.failure()
    }
  }

  /// The ledger's entry of an input that failed for good.
  func record(_ receipt: Receipt) {
    unlink(reviewPath)
    // A ledger that cannot be written costs a repeated attempt, no more.
    try? receipt.write(to: receiptPath)
  }

  /// Forgets an earlier outcome: what it says is no longer true.
  func forget() {
    unlink(receiptPath)
    unlink(reviewPath)
  }

  /// Removes everything that an unfinished attempt has left: the output's own temporary file, and those of files that
  /// a sink writes beside it, whose names begin with the same stem.
  func removeParts() {
    let output = root.file(relative)
    let folder = output.parentFolder
    let name = (output as NSString).lastPathComponent
    unlink(TemporaryName.fitting(output, suffix: ".part"))
    let numbered = name.range(of: "{n}").map { String(name[..<$0.lowerBound]) }
    let stem = numbered ?? (name as NSString).deletingPathExtension + "."
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder.isEmpty ? "." : folder) else {
      return
    }
    for candidate in names where candidate.hasSuffix(".part") && candidate.hasPrefix(stem) {
      unlink(join(folder.isEmpty ? "." : folder, candidate))
    }
  }

  /// Removes what killed runs have left of the outputs that are about to be made.
  static func sweep(_ plan: Plan) {
    var folders: [String: [PlannedJob]] = [:]
    for job in plan.toRun {
      folders[plan.output(of: job).parentFolder, default: []].append(job)
    }
    for (folder, jobs) in folders {
      let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.nonEmpty ?? ".")) ?? []
      guard names.contains(where: { $0.hasSuffix(".part") }) else { continue }
      for job in jobs { Publisher(root: plan.roots[job.root], relative: job.relativeOutput).removeParts() }
    }
  }

  private func below(_ path: String) throws -> String {
    let prefix = root.path == "." ? "" : root.path + (root.path.hasSuffix("/") ? "" : "/")
    guard path.hasPrefix(prefix), !path.dropFirst(prefix.count).split(separator: "/").contains("..") else {
      throw Failure("the pipeline wrote outside of the output folder: \(path)")
    }
    return String(path.dropFirst(prefix.count))
  }

  private func flush(_ path: String) throws {
    do { try FileSystem.flush(path) } catch let error as SystemError { throw error.failure() }
  }
}

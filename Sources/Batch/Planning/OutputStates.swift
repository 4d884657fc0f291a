import Foundation
import Media
import Pipeline

/// Decides whether an output is up to date, and if not, why.
struct OutputStates: Sendable {
  let key: PipelineKey
  let fresh: Bool

  func decide(_ job: inout PlannedJob, root: OutputRoot) {
    let output = root.file(job.relativeOutput)
    let data = FileSystem.contents(Receipt.path(root, job.relativeOutput))
    if let data, !fresh, let identity = FileIdentity(path: output) {
      let digest = Receipt.digest(pipelineKey: key.hash, input: job.input.identity, output: identity)
      if data.dropFirst().starts(with: digest.utf8) {
        job.action = .upToDate
        job.why = ""
        return
      }
    }
    switch data.map({ Receipt.load($0) }) {
    case nil:
      if !fresh, FileSystem.status(output) != nil {
        job.action = .failed
        job.why = "\(output) exists, and pipe did not make it; move it, choose another -o, or replace it by --fresh"
      } else {
        job.why = "new"
      }
    case .unreadable:
      job.why = "its receipt is damaged"
    case .receipt(let receipt):
      job.receipt = receipt
      if fresh {
        job.why = "--fresh"
      } else if receipt.pipelineKey != key.hash {
        job.why = key.change(from: receipt.pipeline)
      } else if let change = inputChange(job.input, receipt.input) {
        job.why = change
      } else {
        outcome(&job, receipt, root)
      }
    }
  }

  private func inputChange(_ input: InputFile, _ before: Receipt.Input) -> String? {
    if input.relative != before.relative { return "input changed: it was \(before.relative)" }
    if input.identity == before.identity { return nil }
    // Touched, copied or restored: the content decides.
    guard input.identity.size == before.identity.size, let hash = before.sha256 else { return "input changed" }
    return (try? ContentHash.of(file: input.path)) == hash ? nil : "input changed"
  }

  private func outcome(_ job: inout PlannedJob, _ receipt: Receipt, _ root: OutputRoot) {
    switch receipt.status {
    case .failed:
      job.action = .failed
      job.why = "failed before: \(receipt.failure?.message ?? "unknown"); --fresh tries it again"
    case .quarantined:
      job.action = .failed
      job.why = "it did not meet 'require' before: \(receipt.failure?.message ?? "unknown"); --fresh tries it again"
    case .done:
      for output in receipt.outputs {
        let path = root.file(output.relative)
        if let identity = FileIdentity(path: path) {
          if identity == output.identity { continue }
          guard identity.size == output.identity.size, (try? ContentHash.of(file: path)) == output.sha256 else {
            job.why = "output altered"
            return
          }
        } else if FileIdentity(path: TemporaryName.fitting(path, suffix: ".part")) == output.identity {
          job.unpublished = true
        } else {
          job.why = "output missing"
          return
        }
      }
      job.action = .upToDate
      job.why = job.unpublished ? "complete, only to be renamed" : ""
    }
  }
}

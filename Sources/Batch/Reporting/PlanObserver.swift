import Foundation
import Frames

/// Prints a plan as the result that it is in a dry run, on standard output.
public final class PlanObserver: RunObserver {
  public init() {}

  public func handle(_ event: BatchEvent) {
    switch event {
    case .plan(let input, let output, let action, let why, let prediction):
      let target = output.isEmpty ? "" : " -> \(output)"
      let remarks = [why, prediction?.text ?? ""].filter { !$0.isEmpty }.joined(separator: "; ")
      print("\(action.rawValue): \(input)\(target)" + (remarks.isEmpty ? "" : " (\(remarks))"))
    case .failed(_, _, let failure, _):
      remark("error: \(failure)")
    default: break
    }
  }

  public func remark(_ text: String) { Terminal.writeError(text + "\n") }
  public func finish() {}
}

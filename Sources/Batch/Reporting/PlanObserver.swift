import Foundation
import Frames

/// Prints a plan as the result that it is in a dry run, on standard output.
public final class PlanObserver: RunObserver {
  public init() {}

  public func handle(_ event: BatchEvent) {
    switch event {
    case .plan(let input, let output, let action, let why):
      let target = output.isEmpty ? "" : " -> \(output)"
      print("\(action.rawValue): \(input)\(target)" + (why.isEmpty ? "" : " (\(why))"))
    case .failed(_, _, let failure, _):
      remark("error: \(failure)")
    default: break
    }
  }

  public func remark(_ text: String) { Terminal.writeError(text + "\n") }
  public func finish() {}
}

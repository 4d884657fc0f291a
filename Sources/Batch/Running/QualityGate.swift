import Foundation
import Frames
import Pipeline

/// `require:`: what an output must meet to be published.
struct QualityGate: Sendable {
  private let requirements: [Chain.Requirement]

  init(_ requirements: [Chain.Requirement]) { self.requirements = requirements }

  /// Why a result does not pass, or nil.
  func objection(to result: JobResult) -> String? {
    for requirement in requirements {
      if requirement.metric == "frames" {
        let (framesIn, framesOut) = (result.report.framesIn, result.report.framesOut)
        if framesIn != framesOut { return "\(framesIn) frames went in and \(framesOut) came out" }
        continue
      }
      guard let value = measured(requirement.metric, result) else {
        return "\(requirement.metric) could not be measured"
      }
      if !Self.holds(value, requirement.condition) {
        return "\(requirement.metric) is \(String(format: "%.2f", value)), not \(requirement.condition)"
      }
    }
    return nil
  }

  private func measured(_ metric: String, _ result: JobResult) -> Double? {
    switch metric {
    case "ocr_confidence":
      switch result.report.sink.details["confidence"] {
      case .double(let value)?: value
      case .int(let value)?: Double(value)
      default: nil
      }
    default: result.metrics[metric]
    }
  }

  /// - Parameter condition: `>= 20` and the like, as the pipeline's reader has checked it.
  static func holds(_ value: Double, _ condition: String) -> Bool {
    let words = condition.split(separator: " ")
    guard words.count == 2, let limit = Double(words[1]) else { return false }
    return switch words[0] {
    case ">=": value >= limit
    case "<=": value <= limit
    case ">": value > limit
    case "<": value < limit
    default: false
    }
  }
}

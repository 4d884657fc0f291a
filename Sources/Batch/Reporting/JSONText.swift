import Foundation
import Pipeline

extension Value {
  /// As JSON with sorted keys, over several lines.
  public var prettyJSON: String { json([.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]) }

  /// As JSON with sorted keys, on one line.
  public var lineJSON: String { json([.sortedKeys, .withoutEscapingSlashes]) }

  private func json(_ formatting: JSONEncoder.OutputFormatting) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = formatting
    // An infinite PSNR is a true result, and JSON has no number for it.
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? "null"
  }
}

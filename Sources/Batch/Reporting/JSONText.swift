import Foundation
import Pipeline

extension Value {
  /// As JSON with sorted keys, over several lines.
  public var prettyJSON: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    // Numbers that JSON cannot state are not made by any caller; text never fails.
    return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? "null"
  }
}

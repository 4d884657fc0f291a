import Foundation
import Frames

/// The name of an output: a template with `{stem}`, `{ext}`, `{name}` and `{n}`.
public enum OutputName {
  static let fields = ["stem", "ext", "name", "n"]

  /// Throws where a template has unknown fields, would leave its folder, or could not be a file's name.
  static func check(_ template: String) throws {
    var rest = Substring(template)
    while let open = rest.firstIndex(of: "{") {
      guard let close = rest[open...].firstIndex(of: "}") else {
        throw Failure("'output' has a '{' without a '}'", exitCode: .usage)
      }
      let field = String(rest[rest.index(after: open)..<close])
      guard fields.contains(field) else {
        throw Failure("'output' has no field '{\(field)}'" + Nearest.hint(field, in: fields), exitCode: .usage)
      }
      rest = rest[rest.index(after: close)...]
    }
    guard !template.contains("/"), !template.contains("\0"), template != ".", template != ".." else {
      throw Failure("'output' names a file, without folders", exitCode: .usage)
    }
    guard template.contains("{stem}") || template.contains("{name}") else {
      throw Failure("'output' needs {stem} or {name}, or all inputs would share one output", exitCode: .usage)
    }
  }

  /// - Parameters:
  ///   - input: the input's file name.
  ///   - unique: use the whole name for `{stem}`, where another input has claimed the plain one.
  ///   - number: `{n}`, for outputs that are several pictures.
  public static func make(_ template: String, input: String, unique: Bool = false, number: Int? = nil) -> String {
    let dot = input.lastIndex(of: ".").flatMap { $0 == input.startIndex ? nil : $0 }
    let stem = unique ? input : dot.map { String(input[..<$0]) } ?? input
    let ext = dot.map { String(input[input.index(after: $0)...]) } ?? ""
    let values = ["stem": stem, "ext": ext, "name": input, "n": number.map(String.init) ?? "{n}"]
    var result = ""
    var rest = Substring(template)
    while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
      let field = String(rest[rest.index(after: open)..<close])
      result += rest[..<open] + (values[field] ?? "{\(field)}")
      rest = rest[rest.index(after: close)...]
    }
    return result + rest
  }
}

import Frames

/// A mistake in a pipeline file and where it stands.
public struct Diagnostic: Sendable, Hashable, CustomStringConvertible {
  public var file: String
  /// Counted from 1.
  public var line: Int
  public var column: Int
  public var message: String

  public init(file: String, line: Int, column: Int, message: String) {
    (self.file, self.line, self.column, self.message) = (file, line, column, message)
  }

  public var description: String { "\(file):\(line):\(column): error: \(message)" }
}

/// Everything that is wrong with a pipeline, at once, in the order of the file.
public struct PipelineErrors: Error, CustomStringConvertible {
  public let diagnostics: [Diagnostic]

  public init(_ diagnostics: [Diagnostic]) {
    self.diagnostics = diagnostics.sorted { ($0.line, $0.column) < ($1.line, $1.column) }
  }

  public var exitCode: ExitCode { .usage }
  public var description: String { diagnostics.map(\.description).joined(separator: "\n") }
}

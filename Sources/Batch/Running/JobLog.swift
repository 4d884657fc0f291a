import Foundation
import Frames
import Pipeline

/// `joblog.tsv`: a line for each attempt, for people with spreadsheets and `awk`.
final class JobLog: Sendable {
  private static let header = "finished\tseconds\tstatus\texit\tinput\toutput\tmessage\n"
  private let path: String
  private let lock = Locked(())

  init(_ root: OutputRoot) { path = root.log }

  /// - Parameters:
  ///   - status: `done`, `failed`, `retry` or `stopped`.
  func append(seconds: Double, status: String, exit: Int32, input: String, output: String, message: String) {
    let time = Date().formatted(.iso8601)
    let fields = [
      time, String(format: "%.3f", seconds), status, String(exit), input, output, message,
    ]
    let line = fields.map(Self.clean).joined(separator: "\t") + "\n"
    lock.withLock { _ in
      let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o666)
      // A log that cannot be written is no reason to stop working.
      guard descriptor >= 0 else { return }
      defer { close(descriptor) }
      var status = stat()
      let isNew = fstat(descriptor, &status) == 0 && status.st_size == 0
      try? FileSystem.write(Data(((isNew ? Self.header : "") + line).utf8), to: descriptor, path)
    }
  }

  private static func clean(_ field: String) -> String {
    String(field.map { $0 == "\t" || $0.isNewline ? " " : $0 })
  }
}

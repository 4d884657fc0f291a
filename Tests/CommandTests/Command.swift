import Foundation
import Frames
import Pipeline

/// Runs the built program as a user does.
struct Command {
  static let program = URL(filePath: Resources.programPath).deletingLastPathComponent().appending(path: "pipe").path

  var code: Int32
  var output: String
  var error: String

  /// - Parameter folder: the working folder; a new, empty one where none is given.
  init(_ arguments: [String], folder: String? = nil) throws {
    try self.init(words: [Self.program] + arguments, folder: folder)
  }

  /// - Parameter words: a program, found along PATH, and its arguments.
  init(words: [String], folder: String? = nil) throws {
    let process = Process()
    let (output, error) = (Foundation.Pipe(), Foundation.Pipe())
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = words
    process.currentDirectoryURL = URL(filePath: folder ?? NSTemporaryDirectory())
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output
    process.standardError = error
    var environment = ProcessInfo.processInfo.environment
    environment["COLUMNS"] = "80"
    process.environment = environment
    try process.run()
    let errors = DispatchQueue(label: "errors")
    let collected = Locked(Data())
    errors.async { collected.withLock { $0 = error.fileHandleForReading.readDataToEndOfFile() } }
    self.output = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    errors.sync {}
    self.error = String(decoding: collected.withLock { $0 }, as: UTF8.self)
    code = process.terminationStatus
  }
}

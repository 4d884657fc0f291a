import Foundation

extension Process {
  /// A program at work beside the test, without words.
  static func silent(_ program: String, _ arguments: [String]) throws -> Process {
    let process = Process()
    process.executableURL = URL(filePath: program)
    process.arguments = arguments
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    process.standardInput = FileHandle.nullDevice
    try process.run()
    return process
  }

  /// Waits for its end: the exit code, or less than nothing after a signal of that number.
  func end() async throws -> Int32 {
    while isRunning { try await Task.sleep(for: .milliseconds(20)) }
    return terminationReason == .uncaughtSignal ? -terminationStatus : terminationStatus
  }
}

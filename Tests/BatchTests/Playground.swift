import Batch
import FaultyStages
import Foundation
import Frames
import Pipeline

/// A folder of its own for a test, with a pipeline of stages that fail on demand.
final class Playground: Sendable {
  let folder: URL
  /// The built programs lie beside the tests.
  static let faultyPipe = URL(filePath: Resources.programPath).deletingLastPathComponent().appending(
    path: "FaultyPipe"
  ).path

  init() throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "pipe-test-\(UUID().uuidString)")
      .resolvingSymlinksInPath()
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try write(
      "copy.yml",
      """
      version: 1
      name: copy
      inputs: { include: ["**/*.{txt,TXT2}"], exclude: ["**/old/**"] }
      output: "{stem}.raw"
      stages: [script, add: 1, raw]
      """)
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  func path(_ name: String) -> String { name.isEmpty ? folder.path : folder.path + "/" + name }

  @discardableResult
  func write(_ name: String, _ text: String) throws -> String {
    let url = URL(filePath: path(name))
    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: url)
    return path(name)
  }

  func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path(name)) }
  func bytes(_ name: String) -> [UInt8]? { FileManager.default.contents(atPath: path(name)).map { Array($0) } }

  /// Returns when there is a file of that name, or after half a minute. It looks from a thread of its own: those of the
  /// tests may all be busy for a while.
  func appearance(of name: String) async {
    await withCheckedContinuation { continuation in
      Thread { [self] in
        for _ in 0..<3000 where !exists(name) { usleep(10_000) }
        continuation.resume()
      }.start()
    }
  }

  /// Every file below a folder except the ledger, sorted.
  func files(_ name: String) -> [String] {
    let all = FileManager.default.enumerator(atPath: path(name))?.compactMap { $0 as? String } ?? []
    return all.filter { !$0.split(separator: "/").contains(".pipe") && isFile(path(name) + "/" + $0) }.sorted()
  }

  private func isFile(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && !isFolder.boolValue
  }

  struct Outcome {
    var code: ExitCode
    var events: [BatchEvent]
    var remarks: [String]

    var summary: BatchEvent.Summary? {
      events.lazy.compactMap { if case .summary(let summary) = $0 { summary } else { nil } }.last
    }
    /// The failures' messages by the input's last path component.
    var failures: [String: Failure] {
      var result: [String: Failure] = [:]
      for case .failed(let input, _, let failure, _) in events {
        result[(input as NSString).lastPathComponent] = failure
      }
      return result
    }
    /// What was planned, by the input's last path component.
    var plan: [String: (action: PlannedJob.Action, why: String)] {
      var result: [String: (PlannedJob.Action, String)] = [:]
      for case .plan(let input, _, let action, let why, _) in events {
        result[(input as NSString).lastPathComponent] = (action, why)
      }
      return result
    }
    var started: Int { events.count { if case .start = $0 { true } else { false } } }
  }

  /// One run, as `WatchRun` makes them.
  func once(stop: StopFlag) -> @Sendable (RunRequest, any RunObserver) throws -> ExitCode {
    {
      try BatchRun(
        $0, registry: faultyStages, worker: WorkerCommand(executable: Self.faultyPipe), stop: stop, observer: $1
      ).run()
    }
  }

  /// Runs `copy.yml` over inputs below the folder, into `out` unless told otherwise.
  func run(
    _ inputs: [String] = ["in"], output: String? = "out", stop: StopFlag = StopFlag(),
    change: (inout RunRequest) -> Void = { _ in }
  ) async throws -> Outcome {
    var request = RunRequest(pipeline: path("copy.yml"), inputs: inputs.map(path))
    request.output = output.map(path)
    request.jobs = 2
    request.stallDeadline = 3
    change(&request)
    let recorder = Recorder()
    let run = BatchRun(
      request, registry: faultyStages,
      worker: WorkerCommand(executable: Self.faultyPipe), stop: stop, observer: recorder)
    // It blocks, and tests run on threads that must not.
    let code = try await withCheckedThrowingContinuation { continuation in
      Thread { continuation.resume(with: Result { try run.run() }) }.start()
    }
    return Outcome(code: code, events: recorder.events, remarks: recorder.remarks)
  }
}

/// Keeps what a run says.
final class Recorder: RunObserver {
  private let state = Locked((events: [BatchEvent](), remarks: [String]()))
  var events: [BatchEvent] { state.withLock { $0.events } }
  var remarks: [String] { state.withLock { $0.remarks } }
  func handle(_ event: BatchEvent) { state.withLock { $0.events.append(event) } }
  func remark(_ text: String) { state.withLock { $0.remarks.append(text) } }
  func finish() {}
}

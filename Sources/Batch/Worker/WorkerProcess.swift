import Foundation
import Frames
import Pipeline

/// How workers are started.
public struct WorkerCommand: Sendable {
  public var executable: String
  public var arguments: [String]

  public init(executable: String, arguments: [String] = ["worker"]) {
    (self.executable, self.arguments) = (executable, arguments)
  }

  /// This program itself, wherever it has been moved or replaced since.
  public static var own: WorkerCommand { WorkerCommand(executable: "/proc/self/exe") }

  /// What a worker's environment adds to ours. Read once by libraries when they are loaded, so set at the start.
  static var environment: [String: String] {
    var values = ["SWIFT_BACKTRACE": "enable=no"]
    // Tesseract's OpenMP teams spin against each other; pages are what we run side by side.
    if ProcessInfo.processInfo.environment["OMP_THREAD_LIMIT"] == nil { values["OMP_THREAD_LIMIT"] = "1" }
    return values
  }
}

/// Runs jobs in a child process, which is started when it is first needed and replaced when it dies.
final class WorkerProcess: JobRunner {
  private let command: WorkerCommand
  private let setup: WorkerSetup
  private let deadline: Double
  private let forwardErrors: Bool
  private var child: ChildProcess?
  private var lines = LineBuffer()
  private var errors = Tail(limit: 4096)

  /// - Parameters:
  ///   - deadline: seconds without a sign of life after which a job counts as hung; ten times as many where its
  ///     processors are at work all the while.
  ///   - forwardErrors: whether what libraries print goes to our standard error.
  init(command: WorkerCommand, setup: WorkerSetup, deadline: Double, forwardErrors: Bool) {
    (self.command, self.setup, self.deadline) = (command, setup, deadline)
    self.forwardErrors = forwardErrors
  }

  deinit { close() }

  func run(
    _ order: JobOrder, stop: @escaping @Sendable () -> StopFlag.Level,
    progress: @escaping @Sendable (JobProgress) -> Void
  ) -> JobOutcome {
    do {
      let child = try self.child ?? start()
      try send(.job(order), to: child)
      return follow(child, stop: stop, progress: progress)
    } catch {
      let reason = child.map { _ in discard(kill: true) }
      if let failure = error as? Failure { return .failed(failure, []) }
      return .crashed(reason ?? "\(error)")
    }
  }

  /// Lets an idle worker go; it ends when its input does.
  func close() {
    guard let child else { return }
    self.child = nil
    shutdownInput(child)
    let limit = ContinuousClock.now + .seconds(2)
    while ContinuousClock.now < limit {
      if case .closed = receive(child, milliseconds: 100) { break }
    }
    child.kill()
    _ = child.wait()
  }

  // MARK: The child

  private func start() throws -> ChildProcess {
    let child = try ChildProcess(
      command.executable, arguments: command.arguments, environment: WorkerCommand.environment)
    self.child = child
    lines = LineBuffer()
    errors = Tail(limit: 4096)
    for descriptor in [child.output, child.error] {
      _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
    }
    try send(.setup(setup), to: child)
    let limit = ContinuousClock.now + .seconds(max(deadline, 20))
    while ContinuousClock.now < limit {
      switch receive(child, milliseconds: 200) {
      case .reply(.ready): return child
      case .reply(.failed(let failure)):
        discard(kill: true)
        throw failure.failure
      case .reply, .nothing: continue
      case .closed:
        throw Failure("a worker ended as it started: \(discard(kill: false))", exitCode: .exhausted, mayPass: true)
      }
    }
    discard(kill: true)
    throw Failure("a worker did not start in time", exitCode: .exhausted, mayPass: true)
  }

  private func send(_ request: WorkerRequest, to child: ChildProcess) throws {
    try FileSystem.write(try MessageCoding.line(request), to: child.input, "a worker")
  }

  private func follow(
    _ child: ChildProcess, stop: () -> StopFlag.Level, progress: (JobProgress) -> Void
  ) -> JobOutcome {
    var heard = ContinuousClock.now
    var busy = heard
    var stopping = false
    while true {
      switch receive(child, milliseconds: 100) {
      case .reply(.progress(let state)):
        heard = .now
        progress(state)
      case .reply(.alive), .reply(.ready): heard = .now
      case .reply(.busy): busy = .now
      case .reply(.done(let result)): return .done(result)
      case .reply(.failed(let failure)): return stopping ? .cancelled : .failed(failure.failure, failure.notes)
      case .reply(.cut(let input)): return .cut(input)
      case .reply(.segment(let frames)): return .segment(frames: frames)
      case .reply(.measured(let extent)): return .measured(extent)
      case .reply(.needs(let memory, let least)): return .needs(memory: memory, least: least)
      case .reply(.refused(let reason)): return .refused(reason)
      case .closed: return .crashed(discard(kill: false))
      case .nothing: break
      }
      let silence = heard.duration(to: .now).seconds
      if min(silence, busy.duration(to: .now).seconds) > deadline || silence > deadline * 10 {
        discard(kill: true)
        return .stalled(seconds: silence)
      }
      switch stop() {
      case .none: break
      case .now:
        discard(kill: true)
        return .cancelled
      case .checkpoint:
        if !stopping {
          stopping = true
          heard = .now
          try? send(.cancel, to: child)
        } else if silence > 5 {
          // A library does not come back: what is stopped is not worth waiting for.
          discard(kill: true)
          return .cancelled
        }
      }
    }
  }

  /// Gives the child up and says how it ended, with the last that it printed.
  @discardableResult
  private func discard(kill: Bool) -> String {
    guard let child else { return "it never ran" }
    self.child = nil
    if kill { child.kill() }
    drainErrors(child)
    let ending = child.wait()
    let last = errors.lastLine
    switch ending {
    case .signalled(let signal):
      return Self.name(of: signal) + (last.isEmpty ? "" : ": \(last)")
    case .exited(let code):
      return "exit \(code)" + (last.isEmpty ? "" : ": \(last)")
    }
  }

  private static func name(of signal: Int32) -> String {
    let names: [Int32: String] = [
      SIGSEGV: "SIGSEGV", SIGABRT: "SIGABRT", SIGILL: "SIGILL", SIGBUS: "SIGBUS", SIGFPE: "SIGFPE",
      SIGKILL: "SIGKILL", SIGTRAP: "SIGTRAP", SIGTERM: "SIGTERM",
    ]
    return names[signal] ?? "signal \(signal)"
  }

  // MARK: Reading

  private enum Received {
    case reply(WorkerReply)
    case nothing
    case closed
  }

  /// The next reply, waiting at most so long.
  private func receive(_ child: ChildProcess, milliseconds: Int32) -> Received {
    if let reply = nextReply() { return reply }
    var polled = [
      pollfd(fd: child.output, events: Int16(POLLIN), revents: 0),
      pollfd(fd: child.error, events: Int16(POLLIN), revents: 0),
    ]
    let count = poll(&polled, 2, milliseconds)
    if count <= 0 { return .nothing }
    if polled[1].revents != 0 { drainErrors(child) }
    guard polled[0].revents != 0 else {
      // A closed error stream is always ready: do not spin on it.
      if polled[1].revents & Int16(POLLHUP) != 0 { usleep(20_000) }
      return .nothing
    }
    let size = 1 << 16
    return withUnsafeTemporaryAllocation(byteCount: size, alignment: 16) { piece in
      let count = read(child.output, piece.baseAddress, size)
      if count < 0 { return errno == EAGAIN || errno == EINTR ? .nothing : .closed }
      guard count > 0, !lines.isTooLong else { return .closed }
      lines.append(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(piece)[..<count]))
      return nextReply() ?? .nothing
    }
  }

  private func nextReply() -> Received? {
    guard let line = lines.next() else { return nil }
    // A worker that sends nonsense is as good as crashed.
    return (try? JSONDecoder().decode(WorkerReply.self, from: line)).map { .reply($0) } ?? .closed
  }

  private func drainErrors(_ child: ChildProcess) {
    let size = 1 << 14
    withUnsafeTemporaryAllocation(byteCount: size, alignment: 16) { piece in
      while true {
        let count = read(child.error, piece.baseAddress, size)
        guard count > 0 else { return }
        let bytes = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(piece)[..<count])
        errors.append(bytes)
        if forwardErrors { FileHandle.standardError.write(Data(bytes)) }
      }
    }
  }

  private func shutdownInput(_ child: ChildProcess) {
    // The descriptor stays ours until `wait`, so put something harmless in its place rather than free its number.
    let null = open("/dev/null", O_WRONLY | O_CLOEXEC)
    if null >= 0 {
      dup2(null, child.input)
      Foundation.close(null)
    }
  }
}

/// The last of what was printed.
private struct Tail {
  private var bytes: [UInt8] = []
  private let limit: Int
  init(limit: Int) { self.limit = limit }

  mutating func append(_ piece: UnsafeRawBufferPointer) {
    bytes += piece
    if bytes.count > limit { bytes.removeFirst(bytes.count - limit) }
  }

  var lastLine: String {
    String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline).last.map(String.init) ?? ""
  }
}

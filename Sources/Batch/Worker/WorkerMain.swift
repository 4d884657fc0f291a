import Foundation
import Frames
import Pipeline

/// The child's half: reads jobs from standard input, runs them one after another, answers on standard output.
public enum WorkerMain {
  /// Returns when the parent closes standard input between jobs, and ends the process when it does so in a job.
  public static func run(registry: StageRegistry) -> Int32 {
    // C libraries print. The protocol keeps the original descriptor; theirs becomes standard error.
    let descriptor = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)
    guard descriptor >= 0, dup2(STDERR_FILENO, STDOUT_FILENO) >= 0 else { return ExitCode.usage.rawValue }
    // The parent decides when to stop; a dead parent is noticed by reading.
    signal(SIGINT, SIG_IGN)
    signal(SIGPIPE, SIG_IGN)
    signal(SIGTERM, SIG_DFL)
    ResourceUse.forbidCoreDumps()
    ResourceUse.offerToMemoryKiller()

    let replies = ReplyWriter(descriptor)
    let requests = RequestReader()
    guard case .setup(let setup)? = requests.next() else { return ExitCode.usage.rawValue }
    if let memory = setup.memory { ResourceUse.limitAddressSpace(memory) }
    let runner: LocalRunner
    do {
      runner = LocalRunner(
        try Chain(text: setup.pipeline, file: setup.file, settings: setup.settings, registry: registry))
    } catch {
      let failure = (error as? Failure) ?? Failure("\(error)", exitCode: .usage)
      replies.send(.failed(JobFailure(failure: failure, notes: [])))
      return ExitCode.usage.rawValue
    }
    replies.send(.ready)
    while let request = requests.next() {
      guard case .job(let order) = request else { continue }
      requests.beginJob()
      // What libraries only reserve is no use of memory.
      if setup.memory != nil, let memory = order.memory { ResourceUse.limitAddressSpace(memory &+ (2 << 30)) }
      let outcome = runner.run(
        order, life: { replies.send($0) }, stop: { requests.isCancelled ? .checkpoint : .none },
        progress: { replies.send(.progress($0)) })
      requests.endJob()
      switch outcome {
      case .done(let result): replies.send(.done(result))
      case .failed(let failure, let notes): replies.send(.failed(JobFailure(failure: failure, notes: notes)))
      case .cut(let input): replies.send(.cut(input))
      case .segment(let frames): replies.send(.segment(frames: frames))
      case .measured(let extent): replies.send(.measured(extent))
      case .needs(let memory, let least): replies.send(.needs(memory: memory, least: least))
      case .refused(let reason): replies.send(.refused(reason))
      default:
        replies.send(
          .failed(JobFailure(failure: Failure("stopped", exitCode: .tryAgain, mayPass: true), notes: [])))
      }
    }
    return 0
  }
}

/// Reads requests on a thread of its own, so that a job can be cancelled and the parent's death be noticed.
private final class RequestReader: @unchecked Sendable {
  // Unchecked: all state is touched under `condition` alone.
  private let condition = NSCondition()
  private var waiting: [WorkerRequest] = []
  private var ended = false
  private var working = false
  private var cancelled = false

  init() {
    let thread = Thread { [self] in read() }
    thread.name = "requests"
    thread.start()
  }

  func next() -> WorkerRequest? {
    condition.lock()
    defer { condition.unlock() }
    while waiting.isEmpty && !ended { condition.wait() }
    return waiting.isEmpty ? nil : waiting.removeFirst()
  }

  func beginJob() {
    condition.lock()
    (working, cancelled) = (true, false)
    condition.unlock()
  }

  func endJob() {
    condition.lock()
    working = false
    condition.unlock()
  }

  var isCancelled: Bool {
    condition.lock()
    defer { condition.unlock() }
    return cancelled
  }

  private func read() {
    var lines = LineBuffer()
    let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
    while true {
      let count = Foundation.read(STDIN_FILENO, piece.baseAddress, piece.count)
      if count < 0, errno == EINTR { continue }
      guard count > 0, !lines.isTooLong else { return end() }
      lines.append(UnsafeRawBufferPointer(rebasing: piece[..<count]))
      while let line = lines.next() {
        guard let request = try? JSONDecoder().decode(WorkerRequest.self, from: line) else { return end() }
        condition.lock()
        if case .cancel = request { cancelled = true } else { waiting.append(request) }
        condition.broadcast()
        condition.unlock()
      }
    }
  }

  private func end() {
    condition.lock()
    defer { condition.unlock() }
    // Nobody waits for the result any more, and nothing that a library does may keep this process alive.
    if working { _exit(ExitCode.aborted.rawValue) }
    ended = true
    condition.broadcast()
  }
}

/// Writes replies whole, from any thread.
private final class ReplyWriter: Sendable {
  private let descriptor: Locked<Int32>
  init(_ descriptor: Int32) { self.descriptor = Locked(descriptor) }

  func send(_ reply: WorkerReply) {
    guard let line = try? MessageCoding.line(reply) else { return }
    descriptor.withLock { try? FileSystem.write(line, to: $0, "the parent") }
  }
}

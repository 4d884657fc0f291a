import Foundation
import Frames
import Pipeline
import Subprocess
import SystemPackage

/// A running child with pipes to all three of its standard streams, driven by blocking calls from one thread.
///
/// swift-subprocess spawns and reaps it; its process identifier stays reserved until `wait` returns.
final class ChildProcess {
  enum Ending: Sendable {
    case exited(Int32)
    case signalled(Int32)
  }

  let input: Int32
  let output: Int32
  let error: Int32
  let identifier: pid_t
  private static let starting = NSLock()
  private let release: AsyncStream<Void>.Continuation
  private let ended: Handoff<Ending>

  /// Throws a `Failure` where it cannot be started.
  init(_ executable: String, arguments: [String], environment: [String: String]) throws {
    // Only one starts at a time: no other child may inherit these pipes before they are marked, or their ends would
    // stay open when this child is gone.
    Self.starting.lock()
    defer { Self.starting.unlock() }
    let (stdin, stdout, stderr) = (try Self.pipe(), try Self.pipe(), try Self.pipe())
    let started = Handoff<Result<pid_t, any Error>>()
    let ended = Handoff<Ending>()
    let (stream, release) = AsyncStream<Void>.makeStream()
    var options = PlatformOptions()
    // A group of its own: the terminal's interrupt is the parent's to handle.
    options.processGroupID = 0
    let platform = options
    Task.detached {
      do {
        let result = try await Subprocess.run(
          .path(FilePath(executable)), arguments: Arguments(arguments),
          environment: .inherit.updating(
            Dictionary(
              uniqueKeysWithValues: environment.map { (Environment.Key(stringLiteral: $0.key), Optional($0.value)) })),
          platformOptions: platform,
          input: .fileDescriptor(FileDescriptor(rawValue: stdin.read), closeAfterSpawningProcess: true),
          output: .fileDescriptor(FileDescriptor(rawValue: stdout.write), closeAfterSpawningProcess: true),
          error: .fileDescriptor(FileDescriptor(rawValue: stderr.write), closeAfterSpawningProcess: true)
        ) { execution in
          started.put(.success(execution.processIdentifier.value))
          // Until this body ends the child is not reaped, so its identifier cannot name another process.
          for await _ in stream {}
        }
        switch result.terminationStatus {
        case .exited(let code): ended.put(.exited(code))
        case .signaled(let signal): ended.put(.signalled(signal))
        }
      } catch {
        started.put(.failure(error))
        ended.put(.exited(-1))
      }
    }
    switch started.take() {
    case .success(let identifier): self.identifier = identifier
    case .failure(let error):
      for descriptor in [stdin.write, stdout.read, stderr.read] { close(descriptor) }
      throw Failure("cannot start \(executable): \(error)", exitCode: .exhausted, mayPass: true)
    }
    (input, output, error) = (stdin.write, stdout.read, stderr.read)
    self.release = release
    self.ended = ended
  }

  func kill() {
    // The group too: whatever the child has started goes with it.
    Foundation.kill(-identifier, SIGKILL)
    Foundation.kill(identifier, SIGKILL)
  }

  /// Closes the pipes and waits for the end. Call it once, and only for a child that ends by itself or was killed.
  func wait() -> Ending {
    for descriptor in [input, output, error] { close(descriptor) }
    release.finish()
    return ended.take()
  }

  private static func pipe() throws -> (read: Int32, write: Int32) {
    var ends: [Int32] = [-1, -1]
    guard Foundation.pipe(&ends) == 0 else { throw SystemError("make a", "pipe").failure(.exhausted) }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    return (ends[0], ends[1])
  }
}

/// Hands one value from a task to a blocked thread; later values are dropped.
private final class Handoff<Value: Sendable>: Sendable {
  private let value = Locked(Value?.none)
  private let semaphore = DispatchSemaphore(value: 0)

  func put(_ new: Value) {
    let first = value.withLock {
      guard $0 == nil else { return false }
      $0 = new
      return true
    }
    if first { semaphore.signal() }
  }

  /// Blocks until there is one. For one reader.
  func take() -> Value {
    while true {
      semaphore.wait()
      if let value = value.withLock({ $0 }) { return value }
    }
  }
}

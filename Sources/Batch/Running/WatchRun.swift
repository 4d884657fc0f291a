import Foundation
import Frames
import Pipeline

/// `--watch`: runs again whenever something below the inputs has changed and settled, until it is stopped.
public struct WatchRun: Sendable {
  private let request: RunRequest
  private let stop: StopFlag
  private let observer: any RunObserver
  private let once: @Sendable (RunRequest, any RunObserver) throws -> ExitCode
  /// Seconds in which a file must not have changed.
  private let settle: Double

  /// - Parameter once: makes one run.
  public init(
    _ request: RunRequest, settle: Double = 3, stop: StopFlag, observer: any RunObserver,
    once: @escaping @Sendable (RunRequest, any RunObserver) throws -> ExitCode
  ) {
    (self.request, self.settle, self.stop, self.observer, self.once) = (request, settle, stop, observer, once)
  }

  /// Returns when the run is stopped. Throws what the very first run throws.
  public func run() throws -> ExitCode {
    let settling = Settling(seconds: settle)
    var request = request
    request.settling = settling
    let changes = ChangesOnly(observer)
    var first = true
    while true {
      let watch = FolderWatch(request.inputs)
      settling.begin()
      do {
        let code = try once(request, first ? observer : changes)
        if stop.level > .none { return code }
      } catch let failure as Failure where !first || failure.exitCode == .tryAgain {
        // What is wrong now may be mended while we wait: a folder that is unmounted, another run's lock.
        observer.remark("\(failure); watching on")
      }
      if first { observer.remark("watching \(request.inputs.joined(separator: ", "))") }
      first = false
      // New files settle; others are looked for when the kernel tells, or after a while where it does not.
      watch.wait(seconds: settling.isWaiting ? settle : watch.isReliable ? 60 : 10, stop: stop)
      if stop.level > .none { return stop.level == .now ? .aborted : .tryAgain }
    }
  }
}

/// Which files have stopped changing.
public final class Settling: Sendable {
  private let seconds: Double
  private let state = Locked((seen: [String: (FileIdentity, ContinuousClock.Instant)](), waiting: false))

  init(seconds: Double) { self.seconds = seconds }

  func begin() { state.withLock { $0.waiting = false } }
  /// Whether any file had not settled since `begin`.
  var isWaiting: Bool { state.withLock { $0.waiting } }

  func isSettled(_ file: InputFile) -> Bool {
    state.withLock {
      // By the file's own clock, or by ours where that one is wrong.
      let age = Date().timeIntervalSince1970 - Double(file.identity.modified) / 1e9
      let now = ContinuousClock.now
      if age >= seconds {
        $0.seen[file.path] = nil
        return true
      }
      if let (identity, since) = $0.seen[file.path], identity == file.identity {
        if since.duration(to: now).seconds >= seconds { return true }
      } else {
        $0.seen[file.path] = (file.identity, now)
      }
      $0.waiting = true
      return false
    }
  }
}

/// Leaves out what every further run would say again.
private final class ChangesOnly: RunObserver {
  private let observer: any RunObserver
  private let ran = Locked(false)
  init(_ observer: any RunObserver) { self.observer = observer }

  func handle(_ event: BatchEvent) {
    switch event {
    case .plan(_, _, let action, _, _) where action != .run: return
    case .skipped: return
    case .failed(_, _, _, let attempts) where attempts == 0: return
    case .start: ran.withLock { $0 = true }
    case .summary:
      // One summary for each time that something was done.
      guard
        ran.withLock({
          let was = $0; $0 = false; return was
        })
      else { return }
    default: break
    }
    observer.handle(event)
  }

  func remark(_ text: String) {
    if !text.hasPrefix("nothing below") { observer.remark(text) }
  }
  func finish() { observer.finish() }
}

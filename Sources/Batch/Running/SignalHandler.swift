import Foundation
import Frames
import Pipeline

/// Turns SIGINT, SIGTERM and SIGHUP into a stop: the first at the next checkpoint, the second at once.
public final class SignalHandler: Sendable {
  private nonisolated(unsafe) let sources: [any DispatchSourceSignal]

  public init(_ stop: StopFlag, say: @escaping @Sendable (String) -> Void) {
    // A reader of our output who goes away is noticed by the write's error.
    signal(SIGPIPE, SIG_IGN)
    let queue = DispatchQueue(label: "signals")
    // Dispatch begins to listen on a thread of its own; a signal that came before would be lost.
    let listening = DispatchGroup()
    sources = [SIGINT, SIGTERM, SIGHUP].map { number in
      // Dispatch needs the default action out of the way.
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
      source.setEventHandler {
        switch stop.level {
        case .none:
          stop.raise(.checkpoint, "stopped by a signal")
          say("stopping at the next checkpoint; once more to stop at once")
        case .checkpoint, .now:
          stop.raise(.now, "aborted by a second signal")
        }
      }
      listening.enter()
      source.setRegistrationHandler { listening.leave() }
      source.resume()
      return source
    }
    listening.wait()
  }

  deinit { sources.forEach { $0.cancel() } }
}

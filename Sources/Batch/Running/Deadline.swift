import Foundation
import Frames

/// `--until HH:MM`: stops a run at a time of day, today or tomorrow.
public final class Deadline: Sendable {
  private nonisolated(unsafe) let timer: any DispatchSourceTimer

  /// Throws a usage `Failure` where `time` is no time of day.
  public init(_ time: String, _ stop: StopFlag, now: Date = Date(), calendar: Calendar = .current) throws {
    let date = try Self.next(time, after: now, calendar: calendar)
    timer = DispatchSource.makeTimerSource(queue: .global())
    // By the wall clock, so that a laptop that sleeps stops on time.
    timer.schedule(wallDeadline: .now() + date.timeIntervalSince(now))
    timer.setEventHandler { stop.raise(.checkpoint, "it is \(time)") }
    timer.resume()
  }

  deinit { timer.cancel() }

  static func next(_ time: String, after now: Date, calendar: Calendar) throws -> Date {
    let fields = time.split(separator: ":", omittingEmptySubsequences: false)
    guard fields.count == 2, fields.allSatisfy({ (1...2).contains($0.count) && $0.allSatisfy(\.isASCII) }),
      let hour = Int(fields[0]), let minute = Int(fields[1]), (0..<24).contains(hour), (0..<60).contains(minute),
      let date = calendar.nextDate(
        after: now, matching: DateComponents(hour: hour, minute: minute, second: 0), matchingPolicy: .nextTime)
    else { throw Failure("--until \(time) is no time of day such as 06:00", exitCode: .usage) }
    return date
  }
}

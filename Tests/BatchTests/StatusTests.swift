import Foundation
import Frames
import Testing

@testable import Batch

@Suite(.serialized) struct StatusTests {
  @Test func receiptsTellWhatIsDoneAndWhatIsNot() async throws {
    let ground = try Playground()
    try ground.write("in/a.txt", "frames 2")
    try ground.write("in/b.txt", "throw")
    try ground.write("in/c.txt", "throw-once \(ground.path("mark"))")
    _ = try await ground.run { $0.retries = 0 }
    let status = try RunStatus(ground.path("out"))
    #expect(status.pipeline == "copy")
    #expect((status.done, status.frames, status.isRunning) == (1, 2, false))
    #expect(status.failed.map(\.output) == ["b.raw"])
    #expect(status.failed.first?.why == "the script said so")
    #expect(status.left == ["c.raw"])
    #expect(status.text.hasPrefix("copy: 1 done, 1 failed, 1 left\nfailed: "))
  }

  @Test func runThatGoesOnIsSeen() async throws {
    let ground = try Playground()
    try ground.write("in/a.txt", "pause 0.1\nframes 1000")
    let stop = StopFlag()
    async let run = ground.run(stop: stop)
    await ground.appearance(of: "out/a.raw.part")
    let status = try RunStatus(ground.path("out"))
    #expect(status.isRunning)
    #expect(status.left == ["a.raw"])
    stop.raise(.now, "test")
    _ = try await run
  }

  @Test func folderWithoutALedgerIsAUsageError() throws {
    let ground = try Playground()
    for name in ["", "nothing"] {
      #expect { try RunStatus(ground.path(name)) } throws: { ($0 as? Failure)?.exitCode == .usage }
    }
  }

  @Test func untilIsTheNextSuchTime() throws {
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = .gmt
    let noon = Date(timeIntervalSince1970: 12 * 3600)
    #expect(try Deadline.next("13:30", after: noon, calendar: calendar).timeIntervalSince1970 == 13.5 * 3600)
    #expect(try Deadline.next("6:00", after: noon, calendar: calendar).timeIntervalSince1970 == 30 * 3600)
    for wrong in ["", "6", "24:00", "6:60", "six:00", "6:00:00", "-1:00"] {
      #expect { try Deadline.next(wrong, after: noon, calendar: calendar) } throws: {
        ($0 as? Failure)?.exitCode == .usage
      }
    }
  }
}

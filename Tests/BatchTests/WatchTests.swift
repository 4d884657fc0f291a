import Foundation
import Frames
import Testing

@testable import Batch

@Suite(.serialized) struct WatchTests {
  @Test func newFilesAreDoneWhenTheyHaveSettled() async throws {
    let ground = try Playground()
    try ground.write("in/a.txt", "frames 1")
    let stop = StopFlag()
    let (once, recorder) = (ground.once(stop: stop), Recorder())
    var request = RunRequest(pipeline: ground.path("copy.yml"), inputs: [ground.path("in")])
    request.output = ground.path("out")
    let watch = WatchRun(request, settle: 0.4, stop: stop, observer: recorder, once: once)
    let ended = Task.detached {
      try await withCheckedThrowingContinuation { continuation in
        Thread { continuation.resume(with: Result { try watch.run() }) }.start()
      }
    }
    try await until { ground.exists("out/a.raw") }
    try ground.write("in/deep/b.txt", "frames 2")
    try await until { ground.exists("out/deep/b.raw") }
    stop.raise(.checkpoint, "test")
    #expect(try await ended.value == .tryAgain)
    // What was done before is not told again.
    let skipped = recorder.events.count { if case .skipped = $0 { true } else { false } }
    #expect(skipped == 0)
  }

  @Test func growingFileIsLeftAlone() throws {
    let ground = try Playground()
    let path = try ground.write("in/a.txt", "frames 1")
    let settling = Settling(seconds: 0.5)
    func file() throws -> InputFile {
      InputFile(path: path, relative: "a.txt", root: 0, identity: try #require(FileIdentity(path: path)))
    }
    settling.begin()
    #expect(!settling.isSettled(try file()))
    #expect(settling.isWaiting)
    try ground.write("in/a.txt", "frames 1\nframes 1")
    Thread.sleep(forTimeInterval: 0.3)
    #expect(!settling.isSettled(try file()))
    Thread.sleep(forTimeInterval: 0.6)
    settling.begin()
    #expect(settling.isSettled(try file()))
    #expect(!settling.isWaiting)
  }

  private func until(_ condition: () -> Bool) async throws {
    for _ in 0..<1500 where !condition() { try await Task.sleep(for: .milliseconds(20)) }
    #expect(condition())
  }
}

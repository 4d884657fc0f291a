import Foundation
import Frames
import Testing

@testable import Media

/// What may be opened, by which names, and what is said of the rest.
@Suite struct OpeningTests {
  private let scratch: Scratch
  private let clip: String

  init() throws {
    scratch = try Scratch()
    clip = scratch.path("clip.mp4")
    try Tool.ffmpeg("-f lavfi -i testsrc2=s=64x48:r=10:d=0.5 -c:v libx264", to: clip)
  }

  @Test(arguments: [
    "with space.mp4", "über 日本.mp4", "-dash.mp4", "100%d.mp4", "file:a.mp4", "http:b.mp4", "%03d.png.mp4", "*?[a].mp4",
  ])
  func namesMeanNothing(name: String) throws {
    let path = scratch.path(name)
    try FileManager.default.copyItem(atPath: clip, toPath: path)
    #expect(try VideoReader(path).streams.count == 1)
  }

  @Test(arguments: [
    ("list.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nclip.mp4\n#EXT-X-ENDLIST\n", "names other files"),
    ("list.mp4", "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nclip.mp4\n#EXT-X-ENDLIST\n", "names other files"),
    ("script.mkv", "ffconcat version 1.0\nfile clip.mp4\n", "names other files"),
    ("text.mp4", "This is only a text that somebody named wrongly.\n", "is a text file"),
    ("empty.mp4", "", "is empty"),
  ])
  func whatIsNoPlainMediaIsRefused(name: String, content: String, reason: String) throws {
    let path = try scratch.write(content, name)
    let failure = #expect(throws: Failure.self) { try VideoReader(path) }
    #expect(failure?.message.contains(reason) == true, "\(String(describing: failure))")
    #expect(failure?.place == path)
  }

  @Test func whatIsNotThereIsNamed() throws {
    #expect(throws: Failure("no such file or directory", place: "/nonexistent.mp4")) {
      try VideoReader("/nonexistent.mp4")
    }
    let failure = #expect(throws: Failure.self) { try VideoReader(scratch.url.path) }
    #expect(failure?.message == "is not a plain file")
  }

  @Test func soundAloneIsSaidToBeSo() throws {
    let path = scratch.path("tone.m4a")
    try Tool.ffmpeg("-f lavfi -i sine=d=0.2 -c:a aac", to: path)
    #expect(throws: Failure("has sound but no video", place: path)) { try VideoReader(path) }
  }

  @Test func aFileCutShortGivesWhatThereIs() throws {
    let whole = scratch.path("whole.mkv")
    try Tool.ffmpeg("-f lavfi -i testsrc2=s=320x240:r=25:d=4 -c:v libx264 -g 10", to: whole)
    let bytes = try Data(contentsOf: URL(filePath: whole))
    let cut = scratch.path("cut.mkv")
    try bytes.prefix(bytes.count / 2).write(to: URL(filePath: cut))
    let reader = try VideoReader(cut)
    var count = 0
    while try reader.read() != nil { count += 1 }
    #expect(count > 10 && count < 100)
  }
}

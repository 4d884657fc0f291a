import Foundation
import Frames
import Media
import Pipeline
import Testing

@testable import Stages

/// Numbered pictures as a film, and films as numbered pictures.
@Suite struct PictureSequenceTests {
  private let clips: Clips
  init() throws { clips = try Clips() }

  private func pictures(_ name: String, _ format: String) throws {
    try clips.make(name, "-f lavfi -i testsrc2=s=64x48:r=10:d=0.9 -pix_fmt \(format) -start_number 8")
  }

  @Test func numberedPicturesAreAFilmWithAPlaceForThoseThatAreMissing() throws {
    try pictures("shot.%04d.png", "rgb24")
    for number in [11, 12] { try FileManager.default.removeItem(atPath: clips.path("shot.00\(number).png")) }
    try Data("no picture".utf8).write(to: URL(filePath: clips.path("shot.thumb.png")))
    let sequence = try #require(PictureSequence(clips.path("shot.####.png")))
    #expect(sequence.entries.map(\.number) == [8, 9, 10, 13, 14, 15, 16])
    #expect(sequence.gaps == [11...12] && sequence.title == "shot.png")
    let (report, output) = try clips.run(
      "[decode: { fps: 10 }, encode: { codec: ffv1 }]", clips.path("shot.####.png"), to: "out.mkv")
    let frames = try Clips.frames(output)
    #expect(frames.map { ($0.timestamp.seconds * 10).rounded() } == [0, 1, 2, 5, 6, 7, 8])
    #expect(report.notes.contains { $0.kind == .loss && $0.text.contains("pictures 11-12 are missing") })
    let (_, whole) = try clips.run("[decode, save]", clips.path("shot.0013.png"), to: "one.png")
    #expect(try Clips.frames(whole)[0].picture == Clips.frames(clips.path("shot.0013.png"))[0].picture)
    #expect(PictureSequence(clips.path("nothing.####.png")) == nil)
  }

  @Test func sixteenBitsStaySixteenThroughAFilmAndBack() throws {
    try pictures("deep-%03d.png", "rgb48be")
    let (_, first) = try clips.run("[decode, save]", clips.path("deep-###.png"), to: "copy-{n}.png")
    #expect(first.hasSuffix("copy-0001.png.part"))
    for (index, number) in (8...16).enumerated() {
      let a = try Clips.frames(clips.path(String(format: "deep-%03d.png", number)))[0].picture
      let b = try Clips.frames(clips.path(String(format: "copy-%04d.png.part", index + 1)))[0].picture
      // Luma and chroma of 16 bits in limited range are a little coarser than RGB of 16.
      #expect(zip(a.samples(), b.samples()).allSatisfy { abs($0 - $1) <= 2 } && a.format.depth == 16)
    }
  }

  @Test(arguments: ["half", "float"])
  func lightInFloatingPointComesBack(kind: String) throws {
    let source = try clips.make(
      "in.exr", "-f lavfi -i testsrc2=s=64x48:d=1 -frames:v 1 -vf format=gbrpf32le -c:v exr -format \(kind)")
    let (report, output) = try clips.run("[decode, save]", source, to: "out.exr")
    #expect(report.notes.isEmpty)
    func light(_ path: String) throws -> [Float] {
      try clips.make("raw", "-i \(path) -pix_fmt gbrpf32le -f rawvideo")
      return try Data(contentsOf: URL(filePath: clips.path("raw"))).withUnsafeBytes {
        Array($0.bindMemory(to: Float.self))
      }
    }
    let (a, b) = (try light(source), try light(output))
    #expect(a.count == 64 * 48 * 3 && a.count == b.count)
    #expect(zip(a, b).allSatisfy { abs($0 - $1) <= 0.0005 + abs($0) * 0.002 })
  }

  @Test func lightBeyondWhiteIsNamedAsLost() throws {
    let source = try clips.make(
      "in.exr", "-f lavfi -i color=white:s=16x16:d=1 -frames:v 1 -vf format=gbrpf32le,exposure=exposure=1 -c:v exr")
    let (report, _) = try clips.run("[decode, save]", source, to: "out.png")
    #expect(report.notes.contains { $0.kind == .loss && $0.text.contains("beyond white") })
  }

  @Test func printingColoursHaveNoTransparency() throws {
    // One colour, in CMYK, which ffmpeg writes into no JPEG.
    let jpeg =
      "/9j/7gAOQWRvYmUAZAAAAAAA/9sAQwAIBgYHBgUIBwcHCQkICgwUDQwLCwwZEhMPFB0aHx4dGhwcICQuJyAiLCMcHCg3KSwwMTQ0"
      + "NB8nOT04MjwuMzQy/8AAFAgAEAAQBEMRAE0RAFkRAEsRAP/EAB8AAAEFAQEBAQEBAAAAAAAAAAABAgMEBQYHCAkKC//EALUQAAIB"
      + "AwMCBAMFBQQEAAABfQECAwAEEQUSITFBBhNRYQcicRQygZGhCCNCscEVUtHwJDNicoIJChYXGBkaJSYnKCkqNDU2Nzg5OkNERUZH"
      + "SElKU1RVVldYWVpjZGVmZ2hpanN0dXZ3eHl6g4SFhoeIiYqSk5SVlpeYmZqio6Slpqeoqaqys7S1tre4ubrCw8TFxsfIycrS09TV"
      + "1tfY2drh4uPk5ebn6Onq8fLz9PX29/j5+v/aAA4EQwBNAFkASwAAPwD3WvNq9hr1eiiiiiiiiiiiiv/Z"
    try #require(Data(base64Encoded: jpeg)).write(to: URL(filePath: clips.path("in.jpg")))
    let (report, _) = try clips.run("[decode, save]", clips.path("in.jpg"), to: "out.jpg")
    #expect(!report.notes.contains { $0.text.contains("transparency") }, "\(report.notes)")
  }
}

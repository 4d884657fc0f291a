import Foundation
import Frames
import Media
import Pipeline
import Testing

@testable import Stages

/// Streams that change, that are several, and that hide a part of themselves.
@Suite struct StreamsTests {
  private let clips: Clips
  init() throws { clips = try Clips() }

  @Test func aChangeOfSizeInMidStreamIsBroughtToTheFirst() throws {
    var bytes = Data()
    for (index, size) in ["64:48", "96:64"].enumerated() {
      let part = try clips.make(
        "\(index).ts", "-f lavfi -i testsrc2=s=192x128:r=10:d=1 -vf scale=\(size) -c:v libx264 -pix_fmt yuv420p -bf 0",
        "-output_ts_offset \(index) -muxdelay 0 -f mpegts")
      bytes += try Data(contentsOf: URL(filePath: part))
    }
    let source = clips.path("in.ts")
    try bytes.write(to: URL(filePath: source))
    let (report, output) = try clips.run("[decode, encode: { codec: ffv1 }]", source, to: "out.mkv")
    let frames = try Clips.frames(output)
    #expect(frames.count == 20 && frames.allSatisfy { $0.picture.width == 64 && $0.picture.height == 48 })
    #expect(report.notes.contains { $0.kind == .converted && $0.text.contains("changes to 96x64") })
    // The same pattern at both sizes: the second half looks like the first.
    #expect(frames[12].picture.distance(frames[2].picture) < 12)
    let gaps = zip(frames.dropFirst(), frames).map { $0.timestamp.seconds - $1.timestamp.seconds }
    #expect(gaps.allSatisfy { abs($0 - 0.1) < 0.002 }, "\(gaps)")
  }

  @Test func whatIsCroppedInTheStreamIsNotShown() throws {
    let whole = try clips.make(
      "whole.mp4", "-f lavfi -i testsrc2=s=128x96:r=10:d=0.5 -c:v libx264 -qp 0 -pix_fmt yuv420p")
    let source = try clips.make(
      "in.mp4", "-i \(whole) -c copy -bsf:v h264_metadata=crop_left=16:crop_right=8:crop_top=4:crop_bottom=12")
    let (_, output) = try clips.run("[decode, encode: { codec: ffv1 }]", source, to: "out.mkv")
    let (all, shown) = (try Clips.frames(whole)[2].picture, try Clips.frames(output)[2].picture)
    #expect((shown.width, shown.height) == (104, 80))
    let (a, b) = (all.samples(), shown.samples())
    for y in 0..<80 {
      let (left, right) = ((y + 4) * 128 + 16, y * 104)
      let same = a[left..<left + 104].elementsEqual(b[right..<right + 104])
      #expect(same, "row \(y)")
    }
  }

  @Test(arguments: [("all", [64, 96]), ("first", [64]), ("'1'", [96]), ("'0,1'", [64, 96])])
  func severalVideosAreWorkedOnOrChosen(choice: String, widths: [Int]) throws {
    let source = try clips.make(
      "in.mkv", "-f lavfi -i testsrc2=s=64x48:r=10:d=1 -f lavfi -i testsrc=s=96x64:r=5:d=1 -f lavfi -i sine=d=1",
      "-map 0 -map 1 -map 2 -c:v libx264 -pix_fmt yuv420p -c:a flac")
    let (report, output) = try clips.run(
      "[decode: { streams: \(choice) }, resize: 2, encode: { preset: ultrafast }]", source, to: "out.mkv")
    let summary = try MediaSummary(of: output, counting: true)
    let videos = summary.streams.filter { $0.kind == .video }
    #expect(videos.map { ($0.width ?? 0) / 2 } == widths)
    let counts: [Int] = widths.map { $0 == 64 ? 10 : 5 }
    #expect(videos.map { $0.packets ?? 0 } == counts)
    #expect(summary.count(.audio) == 1)
    #expect(report.notes.filter { $0.text.contains("left out") }.count == 2 - widths.count)
  }

  @Test func aStreamThatIsNotThereIsNamed() throws {
    let source = try clips.make("in.mkv", "-f lavfi -i testsrc2=s=64x48:r=10:d=0.5 -c:v ffv1")
    let failure = #expect(throws: Failure.self) {
      try clips.run("[decode: { streams: '3' }, encode: { codec: ffv1 }]", source, to: "out.mkv")
    }
    #expect(failure?.message.contains("no video stream 3") == true && failure?.advice == "its video streams are 0")
  }

  @Test(arguments: ["mkv", "mov"])
  func proResKeepsTenBits(container: String) throws {
    let source = try clips.make(
      "in.mkv", "-f lavfi -i testsrc2=s=96x64:r=10:d=0.5 -pix_fmt yuv422p10le -c:v ffv1 -color_range tv")
    let (_, output) = try clips.run("[decode, encode: { codec: prores }]", source, to: "out.\(container)")
    let (a, b) = (try Clips.frames(source), try Clips.frames(output))
    #expect(b.count == 5 && b[0].picture.format == PixelFormat(.yuv422, depth: 10))
    #expect(zip(a, b).allSatisfy { $0.picture.distance($1.picture) < 6 })
    #expect(try MediaSummary(of: output).streams[0].codec == "prores")
  }
}

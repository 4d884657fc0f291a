import Foundation
import Frames
import Media
import Pipeline
import Testing

@testable import Stages

/// Chains of the stages around the pictures, run on small clips.
@Suite struct VideoStagesTests {
  private let folder: URL

  init() throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "stages-tests-" + UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  private func clip(_ name: String, _ arguments: String) throws -> String {
    let path = folder.appending(path: name).path
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["ffmpeg", "-v", "error", "-y"] + arguments.split(separator: " ").map(String.init) + [path]
    try process.run()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0)
    return path
  }

  private func run(_ stages: String, _ input: String, to name: String) throws -> (JobReport, String) {
    let chain = try Chain(
      text: "version: 1\ninputs: { include: [\"*\"] }\noutput: \"{stem}.mkv\"\nstages: \(stages)", file: "t.yml",
      registry: builtinStages)
    try chain.check()
    let job = Job(input: input, output: folder.appending(path: name).path, threads: 2)
    let report = try ChainRunner(chain).run(job)
    return (report, report.sink.files[0].part)
  }

  private func frames(_ path: String) throws -> [Frame] {
    let reader = try VideoReader(path)
    var result: [Frame] = []
    while let frame = try reader.read() { result.append(frame) }
    return result
  }

  @Test func aClipIsResizedAndEncoded() throws {
    let source = try clip("in.mp4", "-f lavfi -i testsrc2=s=64x48:r=10:d=1 -f lavfi -i sine=d=1 -c:v libx264 -c:a aac")
    let (report, output) = try run("[decode, resize: 2, encode: { preset: ultrafast }]", source, to: "out.mkv")
    #expect((report.framesIn, report.framesOut) == (10, 10))
    let summary = try MediaSummary(of: output, counting: true)
    #expect(summary.streams.map(\.codec) == ["hevc", "aac"])
    #expect((summary.streams[0].width, summary.streams[0].height) == (128, 96))
    #expect(summary.streams[0].packets == 10)
  }

  @Test func interlacedFramesBecomeWholeAndProgressiveOnesAreNotTouched() throws {
    let pattern = "-f lavfi -i testsrc2=s=128x96:r=50:d=1 -vf tinterlace=interleave_top,fieldorder=tff"
    let source = try clip("in.mkv", pattern + " -c:v mpeg2video -q:v 2 -flags +ilme+ildct")
    #expect(try frames(source)[3].fields == .topFirst)
    let (report, output) = try run("[decode, deinterlace: auto, encode: { codec: ffv1 }]", source, to: "out.mkv")
    #expect((report.framesIn, report.framesOut) == (25, 25))
    let whole = try frames(output)
    #expect(try whole.map(\.timestamp.seconds) == frames(source).map(\.timestamp.seconds))
    #expect(combing(whole[10].picture) * 2 < combing(try frames(source)[10].picture))

    let plain = try clip("plain.mkv", "-f lavfi -i testsrc2=s=64x48:r=10:d=1 -c:v ffv1 -pix_fmt yuv420p")
    let (_, copy) = try run("[decode, deinterlace: auto, encode: { codec: ffv1 }]", plain, to: "copy.mkv")
    #expect(try zip(frames(plain), frames(copy)).allSatisfy { $0.picture == $1.picture })
  }

  /// How much neighbouring lines differ beyond what lines two apart do.
  private func combing(_ picture: Picture) -> Int {
    picture.withPlanes { planes in
      let luma = planes[0]
      var sum = 0
      for y in 2..<luma.height - 2 {
        let rows = (-1...1).map { luma.row(y + $0, as: UInt8.self) }
        for x in 0..<luma.width {
          let (a, b, c) = (Int(rows[0][x]), Int(rows[1][x]), Int(rows[2][x]))
          sum += max(0, min(abs(b - a), abs(b - c)) - abs(a - c))
        }
      }
      return sum
    }
  }

  @Test func framesASecondChangeOnlyWhereAsked() throws {
    let source = try clip("in.mkv", "-f lavfi -i testsrc2=s=64x48:r=10:d=2 -c:v ffv1 -pix_fmt yuv420p")
    let (report, _) = try run("[decode: { fps: 5 }, encode: { codec: ffv1 }]", source, to: "out.mkv")
    #expect(report.framesOut == 10)
  }

  @Test func depthIsTheSourcesUnlessAskedFor() throws {
    let source = try clip("in.mkv", "-f lavfi -i testsrc2=s=64x48:r=10:d=0.5 -c:v ffv1 -pix_fmt yuv420p10le")
    let (_, same) = try run("[decode, encode: { preset: ultrafast }]", source, to: "a.mkv")
    #expect(try frames(same)[0].picture.format == PixelFormat(.yuv420, depth: 10))
    let (_, less) = try run("[decode: { depth: 8 }, encode: { preset: ultrafast }]", source, to: "b.mkv")
    #expect(try frames(less)[0].picture.format == PixelFormat(.yuv420))
  }

  @Test func picturesAreSavedAndNumbered() throws {
    let source = try clip("in.png", "-f lavfi -i testsrc2=s=64x48:d=1 -frames:v 1 -pix_fmt rgb24")
    let (_, saved) = try run("[decode, save]", source, to: "out.png")
    #expect(try frames(saved)[0].picture == frames(source)[0].picture)
    let video = try clip("in.mkv", "-f lavfi -i testsrc2=s=64x48:r=5:d=1 -c:v ffv1")
    let (report, _) = try run("[decode, save]", video, to: "v-{n}.png")
    #expect(report.sink.files.map { ($0.path as NSString).lastPathComponent } == (1...5).map { "v-000\($0).png" })
    #expect(throws: Failure.self) { try run("[decode, save]", video, to: "v.png") }
  }

  @Test func brightSourcesAreKeptMappedOrRefused() throws {
    let source = try clip(
      "in.mkv",
      "-f lavfi -i testsrc2=s=64x48:r=5:d=0.4 -pix_fmt yuv420p10le -c:v ffv1 -colorspace bt2020nc -color_primaries bt2020 -color_trc smpte2084 -color_range tv"
    )
    let (_, kept) = try run("[decode, encode: { codec: ffv1 }]", source, to: "a.mkv")
    #expect(try frames(kept)[0].picture.colour.isPQ)
    let (_, mapped) = try run("[decode: { hdr: tonemap }, encode: { codec: ffv1 }]", source, to: "b.mkv")
    let picture = try frames(mapped)[0].picture
    #expect((picture.colour.transfer, picture.colour.matrix, picture.format.depth) == (1, 1, 8))
    #expect(throws: Failure.self) { try run("[decode: { hdr: refuse }, encode: { codec: ffv1 }]", source, to: "c.mkv") }
  }

  @Test func anOutputLargerThanAllowedIsRefused() throws {
    let source = try clip("in.mp4", "-f lavfi -i testsrc2=s=64x48:r=10:d=1 -c:v libx264 -crf 40")
    #expect(throws: Failure.self) {
      try run("[decode, encode: { codec: ffv1, max_size_ratio: 1.0 }]", source, to: "out.mkv")
    }
  }
}

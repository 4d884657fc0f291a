import Foundation
import Frames
import Media
import Pipeline
import Testing

@testable import Stages

/// Fields of every order, rightly and wrongly marked, against the whole frames that they were made of.
@Suite struct DeinterlaceTests {
  private let clips: Clips
  init() throws { clips = try Clips() }

  /// A disc that swings over a soft texture: smooth, so that what stands out is combing.
  private static func swing(_ rate: String, _ seconds: Double) -> String {
    "-f lavfi -i nullsrc=s=192x128:r=\(rate):d=\(seconds),"
      + "geq=lum='110+40*sin(X/9+T*20)+60*lt(hypot(X-96-60*sin(T*6),Y-64),24)':cb=128:cr=128"
  }

  private func interlaced(_ order: String, marked: String) throws -> (whole: [Frame], path: String) {
    let whole = try clips.make("whole.mkv", DeinterlaceTests.swing("50", 1.2), "-pix_fmt yuv420p -c:v ffv1")
    let weave = "interleave_\(order == "tff" ? "top" : "bottom")"
    let path = try clips.make(
      "in.mkv", "-i \(whole) -vf tinterlace=\(weave),setfield=\(marked) -c:v mpeg2video -q:v 2",
      marked == "prog" ? "" : "-flags +ilme+ildct")
    return (try Clips.frames(whole), path)
  }

  /// Thin lines that move look like fields of two moments, but nobody has marked them so.
  @Test(arguments: [
    ("320x180", "yuv420p -c:v libx264"), ("64x64", "yuv420p -c:v libx264"), ("640x360", "yuv420p -c:v libx264"),
    ("192x108", "bgr0 -c:v ffv1"), ("192x108", "gray10le -c:v ffv1"),
  ])
  func finePatternsAreNoFields(size: String, encoding: String) throws {
    let source = try clips.make("in.mkv", "-f lavfi -i testsrc2=s=\(size):r=25:d=2", "-pix_fmt \(encoding)")
    let (report, _) = try clips.run("[decode, deinterlace, encode: { codec: ffv1 }]", source, to: "out.mkv")
    #expect(!report.notes.contains { $0.text.contains("interlaced") }, "\(report.notes)")
  }

  @Test(arguments: ["tff", "bff"], ["tff", "bff", "prog"])
  func fieldsBecomeTheFramesOfTheirMoments(order: String, marked: String) throws {
    let (whole, source) = try interlaced(order, marked: marked)
    let combed = try Clips.frames(source)
    let (report, output) = try clips.run("[decode, deinterlace, encode: { codec: ffv1 }]", source, to: "out.mkv")
    let frames = try Clips.frames(output)
    #expect(report.framesOut == combed.count && frames.count == 30)
    #expect(frames.map(\.timestamp.seconds) == combed.map(\.timestamp.seconds))
    #expect(report.notes.contains { $0.kind == .converted && $0.text.contains(order == "tff" ? "top" : "bottom") })
    for index in 2..<28 {
      let (picture, reference) = (frames[index].picture, whole[2 * index].picture)
      #expect(picture.combing < 0.25 && combed[index].picture.combing > 1, "frame \(index)")
      // The first field's moment, not the second's.
      #expect(picture.distance(reference) < 0.7 * picture.distance(whole[2 * index + 1].picture), "frame \(index)")
    }
  }

  @Test func wholeFramesMarkedAsInterlacedAreLeftAsTheyAre() throws {
    let source = try clips.make(
      "in.mkv", DeinterlaceTests.swing("25", 1.2), "-pix_fmt yuv420p -vf setfield=tff -c:v mpeg2video -q:v 2",
      "-flags +ilme+ildct")
    #expect(try Clips.frames(source)[3].fields == .topFirst)
    let (report, output) = try clips.run("[decode, deinterlace, encode: { codec: ffv1 }]", source, to: "out.mkv")
    #expect(zip(try Clips.frames(source), try Clips.frames(output)).allSatisfy { $0.picture == $1.picture })
    #expect(report.notes.contains { $0.text.contains("marked as interlaced, but") })
    #expect(report.framesOut == 30)
  }

  @Test(arguments: ["top", "bottom"])
  func telecinedFilmIsRestored(first: String) throws {
    let film = try clips.make("film.mkv", DeinterlaceTests.swing("24000/1001", 3), "-pix_fmt yuv420p -c:v ffv1")
    let source = try clips.make(
      "in.mkv", "-i \(film) -vf telecine=first_field=\(first):pattern=23 -c:v mpeg2video -q:v 2 -flags +ilme+ildct")
    let (report, output) = try clips.run("[decode, deinterlace, encode: { codec: ffv1 }]", source, to: "out.mkv")
    let (whole, frames) = (try Clips.frames(film), try Clips.frames(output))
    #expect(abs(frames.count - whole.count) <= 1 && report.framesIn > frames.count)
    #expect(report.notes.contains { $0.text.contains("pulldown") })
    // Two frames of five are woven in the source.
    #expect(try Clips.frames(source).filter { $0.picture.combing > 1 }.count > 20)
    for index in 2..<min(frames.count, whole.count) - 3 {
      #expect(frames[index].picture.combing < 0.6, "frame \(index)")
      let near = (index - 1...index + 1).min {
        frames[index].picture.distance(whole[$0].picture) < frames[index].picture.distance(whole[$1].picture)
      }
      #expect(near == index, "frame \(index) is film frame \(near ?? -1)")
      #expect(abs(frames[index].timestamp.seconds - whole[index].timestamp.seconds) < 0.02)
    }
    let steps = zip(frames.dropFirst(), frames).map { $0.timestamp.seconds - $1.timestamp.seconds }
    #expect(steps.dropLast(4).allSatisfy { abs($0 - 1001.0 / 24000) < 0.0021 }, "\(steps)")
  }

  @Test func combsAreNotEnlargedUnlessToldTo() throws {
    for marked in ["tff", "prog"] {
      let (_, source) = try interlaced("tff", marked: marked)
      let refusal = #expect(throws: Failure.self) {
        try clips.run("[decode, upscale, encode: { codec: ffv1 }]", source, to: "out.mkv")
      }
      #expect(refusal?.message.contains("interlaced") == true)
      #expect(refusal?.advice?.contains("deinterlace: auto") == true)
    }
    let (_, source) = try interlaced("tff", marked: "tff")
    let (report, _) = try clips.run("[decode, deinterlace: off, upscale, encode: { codec: ffv1 }]", source, to: "o.mkv")
    #expect(report.framesOut == 30)
  }

  @Test(arguments: ["hevc", "h264", "ffv1"])
  func fieldsThatAreKeptAreMarkedInTheOutput(codec: String) throws {
    let (_, source) = try interlaced("tff", marked: "tff")
    let (_, output) = try clips.run("[decode, encode: { codec: \(codec) }]", source, to: "out.mkv")
    let order = Command.run(
      "ffprobe",
      ["-v", "error", "-select_streams", "v", "-show_entries", "stream=field_order", "-of", "csv=p=0", output])
    #expect(order.map { String(decoding: $0, as: UTF8.self) }?.hasPrefix("tt") == true)
  }
}

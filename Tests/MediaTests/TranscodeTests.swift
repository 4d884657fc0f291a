import Foundation
import Frames
import Testing

@testable import Media

/// Whole files in and out, read back by ffprobe.
@Suite struct TranscodeTests {
  private let scratch: Scratch
  init() throws { scratch = try Scratch() }

  /// 25 frames at irregular times, with sound, subtitles, chapters, a font, and tags.
  private func rich(_ name: String) throws -> String {
    let subtitles = try scratch.write("1\n00:00:00,200 --> 00:00:01,500\nGrüße & <i>Gruß</i>\n", "s.srt")
    let chapters = try scratch.write(
      ";FFMETADATA1\ntitle=A film\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=1000\ntitle=One\n"
        + "[CHAPTER]\nTIMEBASE=1/1000\nSTART=1000\nEND=2000\ntitle=Two\n", "c.txt")
    let path = scratch.path(name)
    let mkv = name.hasSuffix("mkv")
    try Tool.run(
      "ffmpeg",
      [
        "-v", "error", "-y", "-f", "lavfi", "-i", "testsrc2=s=96x64:r=25:d=2", "-f", "lavfi", "-i", "sine=d=2", "-i",
        subtitles, "-i", chapters,
      ]
        + ["-map", "0", "-map", "1", "-map", "2", "-map_metadata", "3", "-map_chapters", "3"]
        + ["-vf", "select='mod(n,2)+not(mod(n,5))'", "-vsync", "vfr", "-c:v", "libx264", "-bf", "2", "-c:a", "aac"]
        + (mkv ? ["-c:s", "srt", "-attach", chapters, "-metadata:s:t", "mimetype=font/ttf"] : ["-c:s", "mov_text"])
        + ["-metadata:s:a:0", "language=deu", path])
    return path
  }

  @Test(arguments: [("in.mkv", Container.mkv), ("in.mp4", .mkv), ("in.mkv", .mp4), ("in.mp4", .mp4)])
  func timesAndCompanionsArrive(name: String, container: Container) throws {
    let source = try rich(name)
    let target = scratch.path("out.part")
    let notes = try transcode(source, to: target, .fast(container))
    func times(_ path: String, _ stream: String, _ entry: String) throws -> [Double] {
      try Tool.probe(path, stream, entry).compactMap { Double($0.split(separator: ",")[0]) }
    }
    let (before, after) = (
      try times(source, "v:0", "frame=best_effort_timestamp_time"),
      try times(target, "v:0", "frame=best_effort_timestamp_time")
    )
    #expect(before.count == 30)
    #expect(after.count == before.count)
    #expect(zip(before, after).allSatisfy { abs($0 - $1) < 0.00051 })
    let sound = (try times(source, "a:0", "packet=pts_time"), try times(target, "a:0", "packet=pts_time"))
    #expect(sound.0.count == sound.1.count)
    #expect(abs(sound.0[5] - sound.1[5]) < 0.00051)
    #expect(try Tool.probe(target, "a:0", "stream_tags=language") == ["deu"])
    #expect(try Tool.probe(target, "s:0", "stream=codec_name") == [container == .mkv ? "subrip" : "mov_text"])
    #expect(
      try Tool.run("ffprobe", ["-v", "error", "-show_chapters", "-of", "compact", target]).contains("tag:title=Two"))
    #expect(
      try Tool.run("ffprobe", ["-v", "error", "-show_entries", "format_tags=title", "-of", "csv=p=0", target]).contains(
        "A film"))
    let said = notes.map(\.text).joined(separator: "\n")
    #expect(said.contains("subtitle stream 2 became") == (name.hasSuffix("mkv") != (container == .mkv)))
    #expect(said.contains("attachment 3") == (name.hasSuffix("mkv") && container == .mp4))
    let text = scratch.path("out.srt")
    try Tool.ffmpeg("-i \(target) -map 0:s:0 -c:s srt", to: text)
    #expect(try String(contentsOfFile: text, encoding: .utf8).contains("Grüße & <i>Gruß</i>"))
  }

  @Test(arguments: ["yuv420p", "yuv422p10le", "yuv444p12le", "gray"])
  func samplesSurviveALosslessCodec(format: String) throws {
    let (source, target) = (scratch.path("in.nut"), scratch.path("out.mkv"))
    try Tool.ffmpeg("-f lavfi -i testsrc2=s=64x48:r=5:d=1 -pix_fmt \(format) -c:v ffv1", to: source)
    try transcode(source, to: target, .fast(.mkv, codec: .ffv1))
    func hashes(_ path: String) throws -> [String] {
      try Tool.run("ffmpeg", ["-v", "error", "-i", path, "-f", "framemd5", "-"]).split(separator: "\n").filter {
        !$0.hasPrefix("#")
      }
      .compactMap { $0.split(separator: ",").last.map { $0.trimmingCharacters(in: .whitespaces) } }
    }
    #expect(try Tool.probe(target, "v:0", "stream=pix_fmt") == [format])
    #expect(try hashes(source) == hashes(target))
  }

  @Test func redGreenAndBlueComeBackOutOfLumaAndChroma() throws {
    let (source, target) = (scratch.path("in.mkv"), scratch.path("out.mkv"))
    try Tool.ffmpeg("-f lavfi -i testsrc2=s=64x48:r=5:d=0.4 -c:v libx264rgb -crf 0", to: source)
    let notes = try transcode(source, to: target, .fast(.mkv, codec: .ffv1))
    #expect(try Tool.probe(target, "v:0", "stream=pix_fmt") == ["yuv444p10le"])
    #expect(notes.map(\.text).contains { $0.hasSuffix("luma and chroma of 10 bits") })
    func pixels(_ path: String) throws -> Data {
      let reader = try VideoReader(path)
      let picture = try #require(try reader.read()).picture
      _ = try PictureWriter(.png, depth: 8).write(picture, to: scratch.path("frame.png"))
      try Tool.ffmpeg("-i \(scratch.path("frame.png")) -pix_fmt rgb24 -f rawvideo", to: scratch.path("raw"))
      return try Data(contentsOf: URL(filePath: scratch.path("raw")))
    }
    try Tool.ffmpeg("-i \(source) -frames:v 1 -pix_fmt rgb24 -f rawvideo", to: scratch.path("truth"))
    let truth = try Data(contentsOf: URL(filePath: scratch.path("truth")))
    let seen = try pixels(target)
    #expect(seen.count == 64 * 48 * 3 && truth.count == seen.count)
    #expect(zip(seen, truth).allSatisfy { abs(Int($0) - Int($1)) <= 1 })
  }

  /// Those that QuickTime numbers; its writer knows German and Swedish by other codes than those in use.
  @Test(arguments: [("deu", "ger"), ("swe", "sve"), ("fra", "fra"), ("gsw", nil)])
  func languagesArriveInQuickTime(language: String, kept: String?) throws {
    let (source, target) = (scratch.path("in.mp4"), scratch.path("out.part"))
    try Tool.ffmpeg(
      "-f lavfi -i testsrc2=s=64x48:r=5:d=0.4 -f lavfi -i sine=d=0.4 -c:v libx264 -c:a aac",
      "-metadata:s:a:0 language=\(language)", to: source)
    let notes = try transcode(source, to: target, .fast(.mov))
    #expect(try Tool.probe(target, "a:0", "stream_tags=language") == (kept.map { [$0] } ?? []))
    #expect(notes.contains { $0.kind == .loss && $0.text.contains(language) } == (kept == nil))
  }

  @Test func colourAndLightAreCarried() throws {
    let (source, target) = (scratch.path("in.mp4"), scratch.path("out.mkv"))
    let light =
      "master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50):max-cll=1000,400:log-level=none"
    try Tool.ffmpeg(
      "-f lavfi -i testsrc2=s=64x64:r=5:d=0.6 -pix_fmt yuv420p10le -c:v libx265 -colorspace bt2020nc -color_primaries bt2020",
      "-color_trc smpte2084 -color_range tv -chroma_sample_location topleft -x265-params \(light):chromaloc=2",
      to: source)
    try transcode(source, to: target, .fast(.mkv))
    let entries = "stream=pix_fmt,color_range,color_space,color_transfer,color_primaries,chroma_location"
    #expect(try Tool.probe(target, "v:0", entries) == Tool.probe(source, "v:0", entries))
    let side = try Tool.run(
      "ffprobe", ["-v", "error", "-select_streams", "v:0", "-show_frames", "-read_intervals", "%+#1", target])
    #expect(side.contains("max_content=1000") && side.contains("max_luminance=10000000/10000"))
  }

  @Test(arguments: [90, 180, 270])
  func rotationIsAppliedInMatroskaAndCarriedInMP4(angle: Int) throws {
    let plain = scratch.path("plain.mp4")
    let source = scratch.path("in.mp4")
    try Tool.ffmpeg("-f lavfi -i testsrc2=s=96x64:r=5:d=0.4 -pix_fmt yuv420p -c:v libx264 -qp 0", to: plain)
    try Tool.ffmpeg("-i \(plain) -c copy -metadata:s:v:0 rotate=\(angle)", to: source)
    func shown(_ path: String) throws -> Data {
      let raw = scratch.path("raw")
      try Tool.ffmpeg("-i \(path) -vf scale=16:16:flags=area,format=gray -f rawvideo", to: raw)
      return try Data(contentsOf: URL(filePath: raw))
    }
    let expected = try shown(source)
    for container in [Container.mkv, .mp4] {
      let target = scratch.path("out.part")
      try transcode(source, to: target, .fast(container))
      let size = try Tool.probe(target, "v:0", "stream=width,height")
      #expect(size == [container == .mkv && angle != 180 ? "64,96" : "96,64"])
      let difference = zip(try shown(target), expected).map { abs(Int($0) - Int($1)) }
      #expect(difference.count == expected.count && difference.reduce(0, +) / difference.count < 4)
    }
  }

  /// Opus begins before 0 by what its encoder needs to settle; WMA's decoder gives its last sound without a time.
  /// What FFmpeg decodes of WMA it also dates up to two frames late.
  @Test(arguments: [
    ("libopus", "mkv", "opus"), ("libopus", "webm", "opus"), ("wmav2", "wmv", "wmav2"), ("pcm_alaw", "avi", "pcm_alaw"),
  ])
  func soundStaysWhereItIs(encoder: String, container: String, kept: String) throws {
    let source = scratch.path("in.\(container)")
    let video = container == "webm" ? "libvpx" : "mpeg4"
    try Tool.run(
      "ffmpeg",
      ["-v", "error", "-y", "-f", "lavfi", "-i", "testsrc2=s=96x64:r=25:d=2", "-f", "lavfi", "-i", "sine=d=2"]
        + ["-c:v", video, "-c:a", encoder, source])
    for (audio, codec, within) in [(CompanionSettings.Audio.copy, kept, 0.00051), (.convert(.flac), "flac", 0.1)] {
      let target = scratch.path("out.part")
      var settings = WriterSettings.fast(.mkv)
      settings.companions.audio = audio
      _ = try transcode(source, to: target, settings)
      #expect(try Tool.probe(target, "a:0", "stream=codec_name") == [codec])
      func span(_ path: String) throws -> (apart: Double, end: Double) {
        let sound = try Tool.probe(path, "a:0", "packet=pts_time,duration_time").map {
          $0.split(separator: ",").compactMap { Double($0) }
        }
        let picture = try #require(Double(try Tool.probe(path, "v:0", "packet=pts_time")[0]))
        let last = try #require(sound.last)
        return (sound[0][0] - picture, last[0] + (last.count > 1 ? last[1] : 0) - picture)
      }
      let (before, after) = (try span(source), try span(target))
      #expect(abs(before.apart - after.apart) < within && abs(before.end - after.end) < max(within, 0.05), "\(codec)")
    }
  }

  /// Some codecs say that RGB uses all values, others say nothing.
  @Test(arguments: [("png", "mov", "pc"), ("rawvideo", "avi", "tv")])
  func aFilmOfRGBKeepsItsRange(codec: String, container: String, range: String) throws {
    let source = scratch.path("in.\(container)")
    try Tool.run(
      "ffmpeg",
      ["-v", "error", "-y", "-f", "lavfi", "-i", "color=0xff8040:s=96x64:r=25:d=0.2"]
        + ["-pix_fmt", codec == "png" ? "rgb24" : "bgr24", "-c:v", codec, source])
    let target = scratch.path("out.part")
    _ = try transcode(source, to: target, .fast(.mkv))
    #expect(try Tool.probe(target, "v:0", "stream=color_range") == [range])
    // As a player shows it.
    let shown = scratch.path("shown.raw")
    try Tool.run(
      "ffmpeg",
      ["-v", "error", "-i", target, "-frames:v", "1", "-vf", "scale=1:1:flags=area,format=rgb24", "-f", "rawvideo"]
        + [shown])
    let colour = try Data(contentsOf: URL(filePath: shown))
    #expect(zip(colour, [255, 128, 64] as [Int]).allSatisfy { abs(Int($0) - $1) < 4 }, "\(Array(colour))")
  }

  @Test func anOddSizeBecomesFullChroma() throws {
    let (source, target) = (scratch.path("in.mkv"), scratch.path("out.mkv"))
    try Tool.ffmpeg("-f lavfi -i testsrc2=s=62x42:r=5:d=0.4,crop=61:41:exact=1 -pix_fmt yuv420p -c:v ffv1", to: source)
    let notes = try transcode(source, to: target, .fast(.mkv))
    #expect(try Tool.probe(target, "v:0", "stream=width,height,pix_fmt") == ["61,41,yuv444p"])
    #expect(notes.contains { $0.kind == .converted && $0.text.contains("odd side") })
  }

  @Test func theBitsDoNotDependOnThreads() throws {
    let source = scratch.path("in.mkv")
    try Tool.ffmpeg("-f lavfi -i testsrc2=s=320x192:r=25:d=1 -c:v libx264 -qp 10", to: source)
    var files: [Data] = []
    for threads in [1, 2, 3] {
      var settings = WriterSettings.fast(.mkv)
      settings.encoder.threads = threads
      try transcode(source, to: scratch.path("out"), settings)
      files.append(try Data(contentsOf: URL(filePath: scratch.path("out"))))
    }
    #expect(files[0] == files[1] && files[1] == files[2])
  }

  @Test func aWrongParameterIsFoundBeforeAnythingRuns() {
    let unknown = #expect(throws: Failure.self) { try EncoderSettings(params: ["aq-mod": "3"]).check() }
    #expect(unknown?.exitCode == .usage && unknown?.message.contains("aq-mod") == true)
    let preset = #expect(throws: Failure.self) { try EncoderSettings(preset: "fastish").check() }
    #expect(preset?.exitCode == .usage)
    #expect(throws: Never.self) { try EncoderSettings(preset: "fast", tune: "grain", params: ["aq-mode": "3"]).check() }
  }

  @Test(arguments: [EncoderSettings.Codec.hevc, .h264])
  func captionsInThePictureStreamStayInIt(codec: EncoderSettings.Codec) throws {
    let reader = try { () throws -> VideoReader in
      let source = scratch.path("in.mkv")
      try Tool.ffmpeg("-f lavfi -i testsrc2=s=64x64:r=10:d=1 -c:v libx264", to: source)
      return try VideoReader(source)
    }()
    let target = scratch.path("out.mkv")
    let writer = try VideoWriter(target, .fast(.mkv, codec: codec), streams: reader.streams, companionsOf: nil)
    var captions: [[UInt8]] = []
    while var frame = try reader.read() {
      captions.append([0xfc, UInt8(captions.count), 0x00, 0xfd, 0x00, 0x00])
      frame.sideData = [FrameSideData(type: 1, bytes: captions[captions.count - 1])]
      try writer.write(frame)
    }
    _ = try writer.finish()
    let again = try VideoReader(target)
    var found: [[UInt8]] = []
    while let frame = try again.read() { found += frame.sideData.filter { $0.type == 1 }.map(\.bytes) }
    #expect(found == captions)
  }
}

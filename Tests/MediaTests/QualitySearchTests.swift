import Foundation
import Frames
import Testing

@testable import Media

@Suite struct QualitySearchTests {
  private let scratch: Scratch
  init() throws { scratch = try Scratch() }

  private func pictures(_ path: String) throws -> [Picture] {
    let reader = try VideoReader(path)
    var result: [Picture] = []
    while let frame = try reader.read() { result.append(frame.picture) }
    return result
  }

  @Test func likenessIsWhatFFmpegsFilterCallsIt() throws {
    let (a, b) = (scratch.path("a.mkv"), scratch.path("b.mkv"))
    try Tool.ffmpeg("-f lavfi -i testsrc2=s=192x128:r=5:d=1 -pix_fmt yuv420p -c:v ffv1", to: a)
    try Tool.ffmpeg("-i \(a) -vf gblur=1.5 -c:v ffv1", to: b)
    let log = scratch.path("log")
    try Tool.ffmpeg("-i \(a) -i \(b) -lavfi ssim=stats_file=\(log) -f null", to: "-")
    let theirs = try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n").map { line in
      try #require(line.split(separator: " ").first { $0.hasPrefix("Y:") }.flatMap { Double($0.dropFirst(2)) })
    }
    let ours = try zip(pictures(a), pictures(b)).map { Likeness.ssim($0, $1) }
    #expect(ours.count == 5 && theirs.count == 5)
    #expect(zip(ours, theirs).allSatisfy { abs($0 - $1) < 0.0005 }, "\(ours) \(theirs)")
  }

  /// Where half of a film is far harder than the other, and its one key frame at the start of the easy half.
  @Test(arguments: [0.93, 0.95]) func aWantedLikenessIsFound(target: Double) throws {
    let source = scratch.path("in.mp4")
    try Tool.ffmpeg(
      "-f lavfi -i testsrc2=s=256x192:r=25:d=6,noise=alls=14:allf=t:enable=gt(t\\,3) -pix_fmt yuv420p -c:v libx264 -qp 4 -g 999",
      to: source)
    let format = try VideoReader(source).streams[0]
    let settings = EncoderSettings(preset: "ultrafast", threads: 2)
    let found = try QualitySearch(source, format, settings).run(target: target)
    #expect(found.evaluations <= 4)
    #expect(abs(found.ssim - target) < 0.002, "\(found)")
    var writing = WriterSettings.fast(.mkv)
    writing.encoder.crf = found.crf
    try transcode(source, to: scratch.path("out.mkv"), writing)
    let whole = try zip(pictures(source), pictures(scratch.path("out.mkv"))).map { Likeness.ssim($0, $1) }
    let got = whole.reduce(0, +) / Double(whole.count)
    #expect(whole.count == 150 && abs(got - target) < 0.015, "\(found) gives \(got)")
  }
}

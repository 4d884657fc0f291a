import Foundation
import Frames
import Testing

@testable import Media

/// Colours, levels and moments, measured before and after.
@Suite struct ExactnessTests {
  private let scratch: Scratch
  init() throws { scratch = try Scratch() }

  private func middle(_ path: String) throws -> [[Int]] {
    let picture = try #require(try VideoReader(path).read()).picture
    return picture.withPlanes { planes in
      // The middles of seven bars.
      (0..<7).map { bar in
        planes.map { plane in
          let (x, y) = (plane.width * (2 * bar + 1) / 14, plane.height / 4)
          return picture.format.depth > 8
            ? Int(plane.row(y, as: UInt16.self)[x]) : Int(plane.row(y, as: UInt8.self)[x])
        }
      }
    }
  }

  @Test(arguments: ["bt709", "smpte170m", "bt2020nc"], ["tv", "pc"])
  func barsKeepTheirColours(matrix: String, range: String) throws {
    for format in ["yuv420p", "yuv420p10le"] {
      let (source, target) = (scratch.path("in.mkv"), scratch.path("out.mkv"))
      try Tool.ffmpeg(
        "-f lavfi -i smptebars=s=448x256:r=5:d=0.4 -vf scale=out_range=\(range),format=\(format) -c:v ffv1",
        "-colorspace \(matrix) -color_range \(range)", to: source)
      try transcode(source, to: target, .fast(.mkv))
      let entries = "stream=color_range,color_space"
      #expect(try Tool.probe(source, "v:0", entries) == Tool.probe(target, "v:0", entries))
      for (a, b) in zip(try middle(source), try middle(target)) {
        #expect(zip(a, b).allSatisfy { abs($0 - $1) <= (format.contains("10") ? 4 : 1) }, "\(a) \(b)")
      }
    }
  }

  @Test(arguments: ["mkv", "mp4"])
  func soundStaysWithThePicture(container: String) throws {
    // A white frame and a beep once a second; frames at irregular times.
    let (source, target) = (scratch.path("in.mp4"), scratch.path("out." + container))
    try Tool.ffmpeg(
      "-f lavfi -i color=black:s=64x64:r=50:d=4,drawbox=c=white:t=fill:enable='lt(mod(t,1),0.02)'",
      "-f lavfi -i aevalsrc='if(lt(mod(t,1),0.02),sin(6283*t),0)':s=48000:d=4",
      "-vf select='not(mod(n,3))+not(mod(n,25))' -vsync vfr -c:v libx264 -c:a aac", to: source)
    try transcode(source, to: target, .fast(try #require(Container(rawValue: container))))
    func offset(_ path: String) throws -> [Double] {
      let frames = try Tool.probe(path, "v:0", "frame=best_effort_timestamp_time").compactMap {
        Double($0.split(separator: ",")[0])
      }
      let sound = try Tool.probe(path, "a:0", "packet=pts_time").compactMap { Double($0.split(separator: ",")[0]) }
      return zip(frames, frames.indices).map { $0.0 - sound[min($0.1 + 2, sound.count - 1)] }
    }
    let (before, after) = (try offset(source), try offset(target))
    #expect(before.count == after.count && before.count > 60)
    #expect(zip(before, after).allSatisfy { abs($0 - $1) < 0.00105 })
  }

  @Test func soundIsConvertedWhereTheContainerCannotHoldIt() throws {
    let (source, target) = (scratch.path("in.mov"), scratch.path("out.mp4"))
    try Tool.ffmpeg(
      "-f lavfi -i testsrc2=s=64x64:r=10:d=2 -f lavfi -i sine=d=2 -c:v libx264 -c:a pcm_s16le", to: source)
    let notes = try transcode(source, to: target, .fast(.mp4))
    #expect(notes.contains { $0.kind == .converted && $0.text.contains("alac") })
    func samples(_ path: String) throws -> Data {
      try Tool.ffmpeg("-i \(path) -map 0:a -f s16le", to: scratch.path("raw"))
      return try Data(contentsOf: URL(filePath: scratch.path("raw")))
    }
    #expect(try samples(source) == samples(target))
  }
}

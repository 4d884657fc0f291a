import Foundation
import Frames
import Media
import Pipeline
import Testing

@testable import Stages

/// Colours and gradients through the shipped pipelines, as a viewer decodes them.
@Suite struct ColourTests {
  private let clips: Clips
  init() throws { clips = try Clips() }

  private func run(shipped name: String, _ input: String, to output: String) throws -> String {
    let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../pipelines/\(name)")
    let text = try String(contentsOf: file.standardized, encoding: .utf8)
    let chain = try Chain(text: text, file: name, registry: builtinStages)
    return try ChainRunner(chain).run(Job(input: input, output: clips.path(output), threads: 2)).sink.files[0].part
  }

  /// Means of the middles of seven bars, for each plane.
  private func patches(_ path: String) throws -> [[Double]] {
    let picture = try #require(try Clips.frames(path).last).picture
    return (0..<picture.format.planeCount).map { plane in
      let samples = picture.samples(plane)
      let size = picture.format.planeSize(plane, width: picture.width, height: picture.height)
      return (0..<7).map { bar in
        let (x, y, r) = (size.width * (2 * bar + 1) / 14, size.height / 4, 6)
        let inside = (y - r..<y + r).flatMap { row in (x - r..<x + r).map { samples[row * size.width + $0] } }
        return Double(inside.reduce(0, +)) / Double(inside.count)
      }
    }
  }

  @Test(arguments: ["transcode.yml", "upscale.yml"], ["bt709", "smpte170m", "bt2020nc"])
  func barsComeOutWithinOneCodeValue(pipeline: String, matrix: String) throws {
    for (range, format) in [("tv", "yuv420p"), ("pc", "yuv420p"), ("tv", "yuv420p10le"), ("pc", "yuv420p10le")] {
      let source = try clips.make(
        "in.mkv",
        "-f lavfi -i smptebars=s=448x256:r=5:d=0.4 -vf scale=out_range=\(range):out_color_matrix=\(matrix == "bt2020nc" ? "bt2020" : matrix),format=\(format)",
        "-c:v ffv1 -colorspace \(matrix) -color_range \(range)")
      let output = try run(shipped: pipeline, source, to: "out.mkv")
      let tags = try [source, output].map { try #require(try Clips.frames($0).first).picture.colour }
      #expect(tags[0].range == tags[1].range && tags[0].matrix == tags[1].matrix, "\(format) \(range)")
      for (plane, (a, b)) in zip(try patches(source), try patches(output)).enumerated() {
        #expect(zip(a, b).allSatisfy { abs($0 - $1) <= 1 }, "\(format) \(range) plane \(plane): \(a) \(b)")
      }
    }
  }

  /// Every code of 10 bits from black to white, a column each.
  private func ramp(_ colour: String) throws -> String {
    try clips.make(
      "ramp.mkv", "-f lavfi -i nullsrc=s=877x64:r=5:d=0.4,format=yuv444p10le,geq=lum='64+X':cb=512:cr=512",
      "-pix_fmt yuv420p10le -c:v ffv1 -color_range tv", colour)
  }

  @Test(arguments: ["", "-color_trc smpte2084 -color_primaries bt2020 -colorspace bt2020nc", "-color_trc arib-std-b67"])
  func aGradientKeepsItsLevelsWhenItIsEnlarged(colour: String) throws {
    let source = try ramp(colour)
    let (_, output) = try clips.run("[decode, upscale, encode: { codec: ffv1 }]", source, to: "exact.mkv")
    let exact = try #require(try Clips.frames(output).first).picture
    #expect(exact.format.depth == 10)
    #expect(Set(exact.samples()).count >= 877)
    // Two columns an old code. Eight bits would make plateaus of eight columns, and steps of four codes.
    let row = Array(exact.samples()[64 * exact.width..<65 * exact.width]).dropFirst(16).dropLast(16)
    var (same, longest) = (1, 1)
    for (a, b) in zip(row, row.dropFirst()) {
      same = a == b ? same + 1 : 1
      longest = max(longest, same)
    }
    #expect(longest < 7)
    for start in stride(from: row.startIndex, to: row.endIndex - 32, by: 32) {
      let mean = Double(row[start..<start + 32].reduce(0, +)) / 32
      #expect(abs(mean - (64 + Double(start) / 2 + 7.75)) < 1, "columns \(start)")
    }

    let encoded = try #require(try Clips.frames(try self.run(shipped: "upscale.yml", source, to: "out.mkv")).first)
      .picture
    #expect(encoded.format.depth == 10)
    #expect(Set(encoded.samples()).count >= 877)
  }
}

import Foundation
import Frames
import Inference
import Media
import Pipeline
import Testing

@testable import Stages

/// Networks on red, green and blue, as users bring them, in the stages.
@Suite struct RGBNetworkTests {
  /// A compact Real-ESRGAN of random weights in eight bits, twice as large.
  static let model = URL(filePath: #filePath).appending(path: "../../InferenceTests/Goldens/coloured.onnx")
    .standardizedFileURL.path

  private func upscaled(_ pictures: [Picture], threads: Int = 1) throws -> [Picture] {
    let first = pictures[0]
    let format = StreamFormat(
      width: first.width, height: first.height, pixelFormat: first.format, colour: first.colour,
      timeBase: Rational(1, 25))
    var options = Upscale.Options()
    options.model = Self.model
    let filter = try Upscale(options).open(format, Job(input: "in", output: "out", threads: threads))
    var results: [Picture] = []
    for picture in pictures {
      try filter.process(Frame(picture: picture, timestamp: Timestamp(0, timeBase: Rational(1, 25)))) {
        results.append($0.picture)
      }
    }
    #expect(filter.output.width == 2 * first.width && filter.output.height == 2 * first.height)
    return results
  }

  /// Colours that RGB can hold, with an edge.
  private func picture(
    _ format: PixelFormat, _ colour: Colour = Colour(range: .limited, matrix: 1, chromaLocation: 1), width: Int = 45,
    height: Int = 30, shift: Int = 0
  ) -> Picture {
    Picture(width: width, height: height, format: format, colour: colour) { planes in
      for (index, plane) in planes.enumerated() {
        for y in 0..<plane.height {
          for x in 0..<plane.width {
            let (across, down) = (x * 40 / plane.width, y * 40 / plane.height)
            var value =
              index == 0 ? 80 + across + (across + shift > down ? 60 : 0) : 116 + (index == 1 ? across : down) / 2
            if index == format.alphaPlane { value = across > 20 ? 255 : 60 }
            if format.depth > 8 {
              plane.row(y, as: UInt16.self)[x] = UInt16(value << (format.depth - 8))
            } else {
              plane.row(y, as: UInt8.self)[x] = UInt8(value)
            }
          }
        }
      }
    }
  }

  @Test(arguments: [
    PixelFormat(.none), PixelFormat(.yuv420), PixelFormat(.yuv422, depth: 10), PixelFormat(.yuv420, alpha: true),
    PixelFormat(.yuv444, depth: 16, alpha: true),
  ])
  func everyFormatComesOutTwiceAsLargeAndInTheSameFormat(format: PixelFormat) throws {
    for (width, height) in [(1, 1), (33, 17), (64, 48)] {
      let input = picture(format, width: width, height: height)
      let output = try upscaled([input])[0]
      #expect((output.width, output.height, output.format) == (2 * width, 2 * height, format))
      #expect(output.colour == input.colour)
      #expect(try upscaled([input], threads: 3)[0] == output, "the same bits for any number of threads")
    }
  }

  @Test func framesDoNotDependOnThoseBefore() throws {
    let format = PixelFormat(.yuv420, depth: 10)
    let frames = [0, 0, 1, 5].map { picture(format, shift: $0) }
    let results = try upscaled(frames)
    for (frame, result) in zip(frames, results) { #expect(try upscaled([frame])[0] == result) }
    #expect(results[0] == results[1] && results[1] != results[2])
  }

  /// What the network makes of eight bits of RGB, brought to luma and chroma by the matrix's own definition.
  @Test(arguments: [(1, 0.2126, 0.0722), (6, 0.299, 0.114), (9, 0.2627, 0.0593)], [Colour.Range.limited, .full])
  func coloursAreThoseOfTheNetwork(_ matrix: (code: Int, kr: Double, kb: Double), range: Colour.Range) throws {
    let input = picture(PixelFormat(.yuv444), Colour(range: range, matrix: matrix.code))
    let bytes = try RGBConverter().planes(of: input).bytes
    let (width, height) = (2 * input.width, 2 * input.height)
    let runner = NetworkRunner(try Network(contentsOf: URL(filePath: Self.model)), threads: 1)
    var rgb = [UInt8](repeating: 0, count: 3 * width * height)
    bytes.withUnsafeBytes { from in
      rgb.withUnsafeMutableBytes { to in
        guard let from = from.baseAddress, let to = to.baseAddress else { return }
        runner.run(
          (0..<3).map {
            Plane(
              base: from + $0 * input.width * input.height, stride: input.width, width: input.width,
              height: input.height)
          }, depth: 8,
          into: (0..<3).map {
            MutablePlane(base: to + $0 * width * height, stride: width, width: width, height: height)
          }, outputDepth: 8)
      }
    }
    let output = try upscaled([input])[0]
    let planes = (0..<3).map { output.samples($0) }
    let full = range == .full
    var most = 0.0
    for index in 0..<width * height {
      let (r, g, b) = (Double(rgb[index]), Double(rgb[width * height + index]), Double(rgb[2 * width * height + index]))
      let y = matrix.kr * r + (1 - matrix.kr - matrix.kb) * g + matrix.kb * b
      let expected = [
        (full ? 0 : 16) + y * (full ? 1 : 219.0 / 255),
        128 + (b - y) / (2 - 2 * matrix.kb) * (full ? 1 : 224.0 / 255),
        128 + (r - y) / (2 - 2 * matrix.kr) * (full ? 1 : 224.0 / 255),
      ]
      for plane in 0..<3 { most = max(most, abs(Double(planes[plane][index]) - expected[plane])) }
    }
    // Between lie samples of sixteen bits, not of eight.
    #expect(most < 1.6, "\(most)")
    #expect(Set(planes[1]).count > 8 && Set(planes[2]).count > 8)
  }

  @Test func clipsAndPicturesRunThroughPipelines() throws {
    let clips = try Clips()
    let source = try clips.make(
      "in.mkv", "-f lavfi -i testsrc2=s=96x64:r=5:d=1 -vf scale=out_color_matrix=bt709,format=yuv420p10le",
      "-c:v ffv1 -colorspace bt709 -color_range tv")
    let (report, output) = try clips.run(
      "[decode, upscale: { model: \"\(Self.model)\" }, encode: { codec: ffv1 }]", source, to: "out.mkv")
    let (before, after) = (try Clips.frames(source), try Clips.frames(output))
    #expect(report.framesOut == 5 && after.count == 5)
    let expected = try upscaled(before.map(\.picture))
    for (frame, picture) in zip(after, expected) {
      #expect(frame.picture == picture && frame.picture.colour.matrix == 1)
      #expect(frame.picture.format == PixelFormat(.yuv420, depth: 10))
    }
    let still = try clips.make(
      "in.png", "-f lavfi -i testsrc2=s=50x40:d=1 -frames:v 1 -vf format=rgba,colorchannelmixer=aa=0.5")
    let (_, path) = try clips.run("[decode, upscale: { model: \"\(Self.model)\" }, save]", still, to: "out.png")
    let enlarged = try #require(try Clips.frames(path).first).picture
    #expect((enlarged.width, enlarged.height, enlarged.format.alpha) == (100, 80, true))
    #expect(Set(enlarged.samples(3)).count == 1)
  }

  /// A float network as PyTorch exports it, quantised here.
  private func quantised(_ name: String, in clips: Clips) throws -> String {
    let folder = URL(filePath: Self.model).deletingLastPathComponent()
    var quantizer = try Quantizer(Data(contentsOf: folder.appending(path: name + ".onnx")), name: name)
    let samples = try [UInt8](Data(contentsOf: folder.appending(path: name + ".in")))
    try quantizer.calibrate(.init(width: 37, height: 22, samples: samples))
    try quantizer.quantised(.meanSquare).write(to: URL(filePath: clips.path(name + ".onnx")))
    return clips.path(name + ".onnx")
  }

  @Test func oneForFourTimesRunsOnce() throws {
    let clips = try Clips()
    var options = Upscale.Options()
    options.model = try quantised("compact-rgb-x4", in: clips)
    #expect {
      try Upscale(options).check()
    } throws: { ($0 as? Failure)?.message.hasSuffix("makes pictures 4 times larger") == true }
    options.scale = 4
    for format in [PixelFormat(.yuv420), PixelFormat(.yuv444, depth: 10, alpha: true)] {
      let input = picture(format)
      let stream = StreamFormat(
        width: 45, height: 30, pixelFormat: format, colour: input.colour, timeBase: Rational(1, 25))
      let filter = try Upscale(options).open(stream, Job(input: "in", output: "out", threads: 2))
      var result: Picture?
      try filter.process(Frame(picture: input, timestamp: Timestamp(0, timeBase: Rational(1, 25)))) {
        result = $0.picture
      }
      let output = try #require(result)
      #expect((output.width, output.height, output.format) == (180, 120, format))
      // Samples repeated, and what random weights add.
      let (before, after) = (input.samples(), output.samples())
      let errors = after.indices.map { abs(after[$0] - before[$0 / 180 / 4 * 45 + $0 % 180 / 4]) >> (format.depth - 8) }
      #expect(Double(errors.reduce(0, +)) / Double(errors.count) < 16)
    }
  }

  @Test func denoiseTakesThemToo() throws {
    let clips = try Clips()
    var options = Denoise.Options()
    options.model = try quantised("dncnn-rgb", in: clips)
    let input = picture(PixelFormat(.yuv420))
    let stream = StreamFormat(
      width: 45, height: 30, pixelFormat: input.format, colour: input.colour, timeBase: Rational(1, 25))
    let filter = try Denoise(options).open(stream, Job(input: "in", output: "out", threads: 2))
    var result: Picture?
    try filter.process(Frame(picture: input, timestamp: Timestamp(0, timeBase: Rational(1, 25)))) {
      result = $0.picture
    }
    let output = try #require(result)
    #expect(output.format == input.format && output.colour == input.colour && output != input)
    #expect(output.distance(input) < 48)
  }

  @Test func modelsForSomethingElseAreNamed() throws {
    var options = Upscale.Options()
    options.model = URL(filePath: Self.model).deletingLastPathComponent().appending(path: "denoiser.onnx").path
    #expect {
      try Upscale(options).check()
    } throws: { ($0 as? Failure)?.message.hasSuffix("makes pictures 1 times larger") == true }
  }
}

import Frames
import Pipeline
import Testing

@testable import Stages

@Suite struct UpscaleTests {
  private func filter(_ picture: Picture, scale: Int = 2, threads: Int = 1) throws -> any Filter {
    var options = Upscale.Options()
    options.scale = scale
    let format = StreamFormat(
      width: picture.width, height: picture.height, pixelFormat: picture.format, colour: picture.colour,
      timeBase: Rational(1, 25))
    return try Upscale(options).open(format, Job(input: "in", output: "out", threads: threads))
  }

  private func upscaled(_ picture: Picture, scale: Int = 2, threads: Int = 1) throws -> Picture {
    let filter = try filter(picture, scale: scale, threads: threads)
    var results: [Frame] = []
    try filter.process(Frame(picture: picture, timestamp: Timestamp(7, timeBase: Rational(1, 25)))) {
      results.append($0)
    }
    #expect(results.count == 1 && results[0].timestamp.value == 7)
    #expect((filter.output.width, filter.output.height) == (results[0].picture.width, results[0].picture.height))
    return results[0].picture
  }

  /// Waves in every plane, so that nothing is right by accident.
  private func waves(_ width: Int, _ height: Int, _ format: PixelFormat) -> Picture {
    Picture(width: width, height: height, format: format, colour: Colour(range: .limited, chromaLocation: 1)) {
      planes in
      for (index, plane) in planes.enumerated() {
        for y in 0..<plane.height {
          for x in 0..<plane.width {
            let value = (x * (5 + index) + y * 11 + x * y % 7) % 220 + 16
            if format.depth > 8 {
              plane.row(y, as: UInt16.self)[x] = UInt16(value << (format.depth - 8) | x & 3)
            } else {
              plane.row(y, as: UInt8.self)[x] = UInt8(value)
            }
          }
        }
      }
    }
  }

  @Test(arguments: [
    PixelFormat(.none), PixelFormat(.yuv420), PixelFormat(.yuv422, depth: 10),
    PixelFormat(.yuv444, depth: 16, alpha: true),
  ])
  func everyFormatComesOutTwiceAsLargeAndInTheSameFormat(format: PixelFormat) throws {
    for (width, height) in [(1, 1), (33, 17), (64, 48)] {
      let input = waves(width, height, format)
      let output = try upscaled(input)
      #expect((output.width, output.height, output.format) == (2 * width, 2 * height, format))
      #expect(output.colour == input.colour)
      #expect(try upscaled(input, threads: 3) == output, "the same bits for any number of threads")
    }
  }

  @Test func fourTimesIsTwiceTwice() throws {
    let input = waves(20, 14, PixelFormat(.yuv420))
    let twice = try upscaled(try upscaled(input))
    #expect(try upscaled(input, scale: 4) == twice)
  }

  /// Rows that did not change come from the frame before, with the same bits.
  @Test(arguments: [PixelFormat(.yuv420), PixelFormat(.yuv444, depth: 10, alpha: true)])
  func framesDoNotDependOnThoseBefore(format: PixelFormat) throws {
    let first = waves(40, 60, format)
    let changes: [(plane: Int, row: Int)] = [(0, 30), (1, 3), (2, 29), (0, 0)]
    let frames =
      [first, first]
      + changes.map { change in
        Picture(width: 40, height: 60, format: format, colour: first.colour) { outputs in
          first.withPlanes { inputs in
            for (index, plane) in inputs.enumerated() {
              for y in 0..<plane.height {
                let (from, to) = (plane.row(y, as: UInt8.self), outputs[index].row(y, as: UInt8.self))
                for x in 0..<plane.width * format.bytesPerSample { to[x] = from[x] }
                if index == change.plane && y == change.row { to[4] ^= 0x55 }
              }
            }
          }
        }
      }
    let filter = try filter(first)
    for (number, frame) in frames.enumerated() {
      var result: Picture?
      try filter.process(Frame(picture: frame, timestamp: Timestamp(0, timeBase: Rational(1, 25)))) {
        result = $0.picture
      }
      #expect(try result == upscaled(frame), "frame \(number)")
      if number > 1 { #expect(try result != upscaled(first)) }
    }
  }

  /// A picture without detail must stay what it is, at every level.
  @Test(arguments: [16, 128, 235]) func flatPicturesStayFlat(level: Int) throws {
    let flat = Picture(width: 32, height: 32, format: PixelFormat(.none)) { planes in
      for y in 0..<32 { for x in 0..<32 { planes[0].row(y, as: UInt8.self)[x] = UInt8(level) } }
    }
    let output = try upscaled(flat)
    output.withPlanes { planes in
      for y in 16..<48 {
        for x in 16..<48 { #expect(abs(Int(planes[0].row(y, as: UInt8.self)[x]) - level) <= 2) }
      }
    }
  }

  @Test func unknownModelsAndScalesAreNamed() throws {
    var options = Upscale.Options()
    options.model = "sr-x2-fas"
    #expect {
      try Upscale(options).check()
    } throws: { error in
      (error as? Failure)?.message == "there is no model 'sr-x2-fas'; did you mean 'sr-x2-fast'?"
        && (error as? Failure)?.exitCode == .usage
    }
    options.scale = 3
    #expect(throws: Failure("upscale.scale can be 2 or 4", exitCode: .usage)) { try Upscale(options) }
  }
}

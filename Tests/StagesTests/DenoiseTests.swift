import Foundation
import Frames
import Pipeline
import Testing

@testable import Stages

@Suite struct DenoiseTests {
  private func filter(_ picture: Picture, _ strength: Automatic, threads: Int = 1) throws -> any Filter {
    var options = Denoise.Options()
    options.strength = strength
    let format = StreamFormat(
      width: picture.width, height: picture.height, pixelFormat: picture.format, colour: picture.colour,
      timeBase: Rational(1, 25))
    return try Denoise(options).open(format, Job(input: "in", output: "out", threads: threads))
  }

  private func denoised(_ picture: Picture, _ strength: Automatic = .auto, threads: Int = 1) throws -> Picture {
    var results: [Frame] = []
    let frame = Frame(picture: picture, timestamp: Timestamp(7, timeBase: Rational(1, 25)))
    try filter(picture, strength, threads: threads).process(frame) { results.append($0) }
    #expect(results.count == 1 && results[0].timestamp.value == 7)
    return results[0].picture
  }

  /// Edges and slopes, with noise of `sigma` levels of eight bits on every plane but opacity.
  private func scene(
    _ width: Int, _ height: Int, _ format: PixelFormat = PixelFormat(.yuv420), sigma: Double = 0, seed: UInt64 = 1
  ) -> Picture {
    var noise = Noise(seed: seed)
    return Picture(width: width, height: height, format: format, colour: Colour(range: .limited)) { planes in
      for (index, plane) in planes.enumerated() {
        for y in 0..<plane.height {
          for x in 0..<plane.width {
            var level = 60 + 40 * Double(x) / Double(plane.width) + Double((x / 40 + y / 24) % 2) * 60
            if index != format.alphaPlane { level += sigma * noise.next() }
            let sample = (min(max(level, 0), 255) * Double(1 << (format.depth - 8))).rounded()
            if format.depth > 8 {
              plane.row(y, as: UInt16.self)[x] = UInt16(sample)
            } else {
              plane.row(y, as: UInt8.self)[x] = UInt8(sample)
            }
          }
        }
      }
    }
  }

  private func psnr(_ a: Picture, _ b: Picture, plane index: Int) -> Double {
    a.withPlanes { a in
      b.withPlanes { b in
        PlaneError.psnr(a[index], b[index], depth: 8)
      }
    }
  }

  @Test(arguments: [Automatic.auto, .value(21)]) func noiseIsTakenOutOfLumaAndChroma(strength: Automatic) throws {
    let clean = scene(160, 128)
    let noisy = scene(160, 128, sigma: 12)
    let result = try denoised(noisy, strength)
    for plane in 0..<3 {
      let (before, after) = (psnr(noisy, clean, plane: plane), psnr(result, clean, plane: plane))
      #expect(after > before + 4, "plane \(plane): \(before) dB before, \(after) after")
    }
  }

  @Test(arguments: [
    PixelFormat(.none), PixelFormat(.yuv420), PixelFormat(.yuv422, depth: 10),
    PixelFormat(.yuv444, depth: 16, alpha: true),
  ])
  func everyFormatAndSizeKeepsItsForm(format: PixelFormat) throws {
    for (width, height) in [(1, 1), (33, 17), (64, 48)] {
      let input = scene(width, height, format, sigma: 10)
      let output = try denoised(input, .value(20))
      #expect((output.width, output.height, output.format) == (width, height, format))
      #expect(output.colour == input.colour)
      #expect(try denoised(input, .value(20), threads: 3) == output, "the same bits for any number of threads")
      guard let alpha = format.alphaPlane else { continue }
      input.withPlanes { before in
        output.withPlanes { after in
          for y in 0..<height {
            #expect(
              memcmp(
                before[alpha].base + y * before[alpha].stride, after[alpha].base + y * after[alpha].stride, 2 * width)
                == 0)
          }
        }
      }
    }
  }

  /// Noise that is independent on red, green and blue is less on their mean than on luma; edges seldom are between
  /// colours alone.
  @Test(arguments: [Automatic.auto, .value(20)]) func coloursOfLumasSizeHelpLuma(strength: Automatic) throws {
    func picture(sigma: Double) -> Picture {
      var noise = Noise(seed: 5)
      return Picture(
        width: 256, height: 192, format: PixelFormat(.yuv444), colour: Colour(range: .limited)
      ) { planes in
        for y in 0..<192 {
          for x in 0..<256 {
            let level = 60 + 40 * Double(x) / 256 + Double((x / 20 + y / 12) % 2) * 60
            let tint = Double(y) / 8
            let (r, g, b) = (
              level + sigma * noise.next(), level - tint + sigma * noise.next(), level + tint + sigma * noise.next()
            )
            let luma = 0.299 * r + 0.587 * g + 0.114 * b
            let samples = [
              16 + luma * 219 / 255, 128 + (b - luma) / 1.772 * 224 / 255, 128 + (r - luma) / 1.402 * 224 / 255,
            ]
            for (plane, sample) in zip(planes, samples) {
              plane.row(y, as: UInt8.self)[x] = UInt8(min(max(sample.rounded(), 0), 255))
            }
          }
        }
      }
    }
    let (clean, noisy) = (picture(sigma: 0), picture(sigma: 20))
    let alone = noisy.withPlanes {
      Picture(
        lending: [$0[0]], owner: noisy, width: 256, height: 192, format: PixelFormat(.none),
        colour: Colour(range: .full))
    }
    let shares = NoiseShares(Colour(range: .limited), hasChroma: true)
    let together = try psnr(denoised(noisy, strength), clean, plane: 0)
    let apart = try psnr(denoised(alone, .value(20 * shares.planes[0])), clean, plane: 0)
    #expect(together > apart + 0.5, "\(together) dB, by itself \(apart)")
  }

  /// Where noise is clipped, differences of colours have less of it, and are flat.
  @Test func differencesAreMeasuredWhereTheMeanIs() throws {
    var noise = Noise(seed: 6)
    let planes = Picture(width: 320, height: 240, format: PixelFormat(.yuv444)) { planes in
      for y in 0..<240 {
        for x in 0..<320 {
          let level = y < 160 ? 0.0 : 90 + Double(x) / 8
          let (r, g, b) = (level + 20 * noise.next(), level + 20 * noise.next(), level + 20 * noise.next())
          func clip(_ value: Double) -> Double { min(max(value, 0), 255) }
          planes[0].row(y, as: UInt8.self)[x] = UInt8((clip(r) + clip(g) + clip(b)) / 3)
          planes[1].row(y, as: UInt8.self)[x] = UInt8((clip(r) - clip(b)) / 2 + 128)
          planes[2].row(y, as: UInt8.self)[x] = 128
        }
      }
    }
    try planes.withPlanes { planes in
      let mean = try #require(NoiseEstimate(planes[0], depth: 8))
      let alone = try #require(NoiseEstimate(planes[1], depth: 8))
      let difference = try #require(NoiseEstimate(planes[1], depth: 8, in: mean.blocks))
      #expect(abs(difference.sigma - 14.1) < 1 && alone.sigma < 11, "\(difference.sigma), by itself \(alone.sigma)")
    }
  }

  @Test func strengthNoughtAndCleanPicturesChangeNothing() throws {
    let noisy = scene(96, 64, sigma: 10)
    #expect(try denoised(noisy, .value(0)) == noisy)
    let clean = scene(96, 64)
    #expect(try denoised(clean) == clean)
  }

  @Test func aModelForSomethingElseIsRefusedByName() throws {
    var options = Denoise.Options()
    options.model = "sr-x2"
    #expect {
      try Denoise(options).check()
    } throws: { error in
      let failure = error as? Failure
      return failure?.message == "the model 'sr-x2' is made for 'upscale'" && failure?.exitCode == .usage
    }
    var other = Upscale.Options()
    other.model = "denoise-fast"
    #expect {
      try Upscale(other).check()
    } throws: { error in
      (error as? Failure)?.message == "the model 'denoise-fast' is made for 'denoise'"
    }
  }

  @Test func independentNoiseOnColoursIsLessOnLuma() {
    let shares = NoiseShares(Colour(range: .limited), hasChroma: true)
    for (share, known) in zip(shares.planes, [0.5745, 0.5473, 0.5773]) { #expect(abs(share - known) < 0.001) }
    #expect(NoiseShares(Colour(range: .full), hasChroma: false).planes == [1])
  }

  @Test(arguments: [8, 10, 16]) func noiseIsMeasured(depth: Int) throws {
    for sigma in [0.0, 3, 10, 25] {
      let picture = scene(320, 240, PixelFormat(.none, depth: depth), sigma: sigma)
      let estimate = try #require(picture.withPlanes { NoiseEstimate($0[0], depth: depth) })
      #expect(abs(estimate.sigma - sigma) < 0.4 + 0.05 * sigma, "\(estimate.sigma) for \(sigma)")
    }
    let tiny = scene(16, 16, PixelFormat(.none, depth: depth))
    #expect(tiny.withPlanes { NoiseEstimate($0[0], depth: depth) } == nil)
  }

  @Test func aShotHasOneLevelAndTheNextItsOwn() throws {
    func estimate(_ sigma: Double, shows level: Double) throws -> NoiseEstimate {
      var estimate = try #require(scene(64, 64).withPlanes { NoiseEstimate($0[0], depth: 8) })
      estimate.sigma = sigma
      estimate.means = [level, level]
      return estimate
    }
    var tracker = NoiseTracker()
    for sigma in [10, 10.8, 9.1, 10.3, 11, 9.5, 16, 10] {
      #expect(tracker.update(try estimate(sigma, shows: 100)) == 10, "one level for a shot")
    }
    #expect(tracker.update(try estimate(4, shows: 150)) == 4, "a cut begins anew")
    for _ in 0..<30 { _ = tracker.update(try estimate(8, shows: 150)) }
    #expect(tracker.level == 8, "what stays is followed")
  }

  @Test func pagesAreMeasuredEachByItself() throws {
    let (light, heavy) = (scene(128, 96, sigma: 2, seed: 3), scene(128, 96, sigma: 15, seed: 4))
    let filter = try filter(light, .auto)
    var results: [Picture] = []
    for (number, picture) in [light, heavy].enumerated() {
      let page = Page(number: number, width: 96, height: 72, dpi: (96, 96), pixels: (128, 96))
      let frame = Frame(picture: picture, timestamp: Timestamp(number, timeBase: Rational(1, 1)), page: page)
      try filter.process(frame) { results.append($0.picture) }
    }
    #expect(results[1] == (try denoised(heavy)))
  }
}

/// Normal deviates from a small generator: the same everywhere.
private struct Noise {
  private var state: UInt64
  init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 }

  private mutating func uniform() -> Double {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Double(state >> 11) / Double(1 << 53)
  }

  mutating func next() -> Double {
    // The sum of twelve uniform variables has variance 1, and tails good enough.
    (0..<12).reduce(-6) { sum, _ in sum + uniform() }
  }
}

private enum PlaneError {
  static func psnr(_ a: Plane, _ b: Plane, depth: Int) -> Double {
    var sum = 0.0
    for y in 0..<a.height {
      for x in 0..<a.width {
        let difference = Double(a.row(y, as: UInt8.self)[x]) - Double(b.row(y, as: UInt8.self)[x])
        sum += difference * difference
      }
    }
    return 10 * log10(255 * 255 / max(sum / Double(a.width * a.height), 1e-9))
  }
}

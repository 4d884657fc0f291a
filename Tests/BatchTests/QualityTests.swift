import Foundation
import Frames
import Media
import Testing

@testable import Batch

@Suite struct QualityTests {
  private func ramp(_ depth: Int, add: Int = 0) -> Picture {
    Picture(width: 64, height: 48, format: PixelFormat(.none, depth: depth)) { planes in
      for y in 0..<48 {
        for x in 0..<64 {
          let value = (2 * x + 2 * y + add) << (depth - 8)
          if depth == 8 {
            planes[0].row(y, as: UInt8.self)[x] = UInt8(value)
          } else {
            planes[0].row(y, as: UInt16.self)[x] = UInt16(value)
          }
        }
      }
    }
  }

  @Test func equalPicturesAreEqual() throws {
    let quality = try PictureQuality(of: ramp(8), against: ramp(8))
    #expect(quality.psnr == .infinity)
    #expect(quality.ssim == 1)
  }

  @Test func errorIsMeasuredOnOneScaleForAllDepths() throws {
    // An error of 1 of 255 everywhere is 48.13 dB.
    for depth in [8, 10, 16] {
      let quality = try PictureQuality(of: ramp(depth, add: 1), against: ramp(8))
      #expect(abs(quality.psnr - 48.13) < 0.01)
      #expect(quality.ssim > 0.98 && quality.ssim < 1)
    }
  }

  @Test func otherSizesAreRefused() throws {
    let small = Picture(width: 8, height: 8, format: PixelFormat(.none)) { _ in }
    #expect { try PictureQuality(of: small, against: ramp(8)) } throws: { ($0 as? Failure)?.exitCode == .usage }
  }

  @Test func picturesAreComparedFromFiles() throws {
    let ground = try Playground()
    try PictureWriter(.png).write(ramp(8), to: ground.path("a.png"))
    try PictureWriter(.png).write(ramp(8, add: 1), to: ground.path("b.png"))
    let files = ["b.png", "a.png", "a.png"].map(ground.path)
    let comparison = try VideoComparison(files, threads: 1, image: ground.path("sheet.png"))
    #expect(comparison.results.map(\.frames.count) == [1, 1])
    #expect(comparison.results[1].psnr == .infinity)
    #expect(comparison.results[0].psnr > 45 && comparison.results[0].psnr < 52)
    #expect(comparison.text.contains("PSNR inf dB, SSIM 1.0000"))
    let sheet = try VideoReader(ground.path("sheet.png")).read()?.picture
    #expect(sheet?.width == 3 * 48 * 3 + 2 * 6 || sheet?.width == 3 * 64 * 3 + 2 * 6)
    #expect { try VideoComparison([files[0], ground.path("copy.yml")], threads: 1) } throws: { $0 is Failure }
  }

  @Test func conditionsHoldOrNot() {
    #expect(QualityGate.holds(20, ">= 20"))
    #expect(!QualityGate.holds(19.9, ">= 20"))
    #expect(QualityGate.holds(3, "< 4"))
    #expect(!QualityGate.holds(4, "< 4"))
    #expect(QualityGate.holds(4, "<= 4"))
    #expect(!QualityGate.holds(4, "> 4"))
    #expect(!QualityGate.holds(4, "about 4"))
  }

  @Test func whatDoesNotPassIsSetAside() async throws {
    let ground = try Playground()
    try ground.write("in/a.txt", "frames 2")
    try ground.write(
      "copy.yml",
      String(contentsOfFile: ground.path("copy.yml"), encoding: .utf8) + "\nrequire: { ocr_confidence: \">= 50\" }")
    let outcome = try await ground.run()
    #expect(outcome.code == .someFailed)
    #expect(outcome.failures["a.txt"]?.message.contains("ocr_confidence could not be measured") == true)
    #expect(ground.files("out").isEmpty)
    #expect(ground.bytes("out/.pipe/quarantine/a.raw")?.count == 32)
    let again = try await ground.run()
    #expect(again.started == 0)
    #expect(again.code == .someFailed)
  }
}

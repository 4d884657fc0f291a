import Foundation
import Frames
import Testing

@testable import Media

/// What cameras put beside the picture.
@Suite struct PhotographTests {
  private let scratch: Scratch
  init() throws { scratch = try Scratch() }

  /// A JPEG with an EXIF segment that states an orientation and a maker.
  private func photograph(orientation: UInt8) throws -> String {
    let plain = scratch.path("plain.jpg")
    try Tool.ffmpeg("-f lavfi -i testsrc2=s=64x48:d=1 -frames:v 1 -q:v 2", to: plain)
    let tiff: [UInt8] =
      [0x49, 0x49, 42, 0, 8, 0, 0, 0, 2, 0]
      + [0x0f, 0x01, 2, 0, 4, 0, 0, 0, 0x41, 0x63, 0x6d, 0]  // Make: "Acm"
      + [0x12, 0x01, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0] + [0, 0, 0, 0]
    let body = Array("Exif".utf8) + [0, 0] + tiff
    let segment: [UInt8] = [0xff, 0xe1, 0, UInt8(body.count + 2)] + body
    var bytes = Array(try Data(contentsOf: URL(filePath: plain)))
    bytes.insert(contentsOf: segment, at: 2)
    try Data(bytes).write(to: URL(filePath: scratch.path("photo.jpg")))
    return scratch.path("photo.jpg")
  }

  @Test func theOrientationIsKnownAndOtherTagsAreNamedAsLost() throws {
    let reader = try VideoReader(photograph(orientation: 6))
    let matrix = try #require(reader.streams[0].displayMatrix)
    #expect(Orientation(displayMatrix: matrix) == Orientation(exif: 6))
    #expect(reader.notes.contains { $0.kind == .loss && $0.text.contains("Make") })
  }

  @Test func aTIFFIsReadThoughFFmpegDoesNotKnowItsTags() throws {
    // The unit of resolution is such a tag.
    let path = scratch.path("in.tiff")
    try Tool.ffmpeg("-f lavfi -i testsrc2=s=64x48:d=1 -frames:v 1 -compression_algo raw", to: path)
    #expect(try VideoReader(path).read()?.picture.width == 64)
  }

  @Test func aProfileGoesAlong() throws {
    let profile = (0..<300).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    let picture = Picture(width: 16, height: 16, format: PixelFormat(.none)) { planes in
      for y in 0..<16 { for x in 0..<16 { planes[0].row(y, as: UInt8.self)[x] = UInt8(16 * y + x) } }
    }
    let path = scratch.path("icc.png")
    let type = FrameSideData(type: 15, bytes: profile)
    #expect(type.isICCProfile)
    try PictureWriter(.png).write(picture, sideData: [type], to: path)
    let frame = try #require(try VideoReader(path).read())
    #expect(frame.picture == picture)
    #expect(frame.sideData.first { $0.isICCProfile }?.bytes == profile)
  }

  @Test func halfAPhotographIsNone() throws {
    let whole = scratch.path("whole.png")
    try Tool.ffmpeg("-f lavfi -i testsrc2=s=320x240:d=1 -frames:v 1", to: whole)
    let bytes = try Data(contentsOf: URL(filePath: whole))
    var damaged = bytes
    damaged[bytes.count / 2] ^= 0xff
    try damaged.write(to: URL(filePath: scratch.path("damaged.png")))
    #expect(throws: Failure.self) { try VideoReader(scratch.path("damaged.png")).read() }
  }
}

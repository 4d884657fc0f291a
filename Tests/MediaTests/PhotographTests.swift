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

  @Test(arguments: [PictureFormat.jpeg, .png]) func cameraTagsGoAlongUpright(format: PictureFormat) throws {
    let reader = try VideoReader(photograph(orientation: 6))
    let matrix = try #require(reader.streams[0].displayMatrix)
    let turn = try #require(Orientation(displayMatrix: matrix))
    #expect(turn == Orientation(exif: 6))
    let frame = try #require(try reader.read())
    #expect(!reader.notes.contains { $0.kind == .loss })
    let path = scratch.path("out." + format.rawValue)
    try PictureWriter(format).write(frame.picture.turned(turn), sideData: frame.sideData, to: path)
    let again = try VideoReader(path)
    #expect((again.streams[0].width, again.streams[0].height) == (48, 64) && again.streams[0].displayMatrix == nil)
    let tags = try #require(PictureTags(of: path)?.exif)
    #expect(tags.orientation == 1)
    #expect(tags.bytes.count == PictureTags(of: scratch.path("photo.jpg"))?.exif?.bytes.count)
    #expect(String(decoding: tags.bytes, as: UTF8.self).contains("Acm"))
    // Others read it as well: ffmpeg, strictly.
    try Tool.ffmpeg("-err_detect explode -i \(path) -f null", to: "-")
  }

  @Test func theOrientationOfATIFFIsItsOwnTag() throws {
    let path = scratch.path("in.tiff")
    try Tool.ffmpeg("-f lavfi -i testsrc2=s=64x48:d=1 -frames:v 1 -compression_algo raw", to: path)
    #expect(try VideoReader(path).streams[0].displayMatrix == nil)
    var bytes = Array(try Data(contentsOf: URL(filePath: path)))
    // FFmpeg's folder of tags gets one more, at the end of the file.
    let folder = (0..<4).reduce(0) { $0 | Int(bytes[4 + $1]) << (8 * $1) }
    let count = Int(bytes[folder]) | Int(bytes[folder + 1]) << 8
    let entries = bytes[folder + 2..<folder + 2 + 12 * count]
    let orientation: [UInt8] = [0x12, 0x01, 3, 0, 1, 0, 0, 0, 8, 0, 0, 0]
    // Tags come in rising order.
    let sorted = stride(from: 0, to: 12 * count, by: 12).map { Array(entries.dropFirst($0).prefix(12)) } + [orientation]
    let place = bytes.count
    bytes += [UInt8(count + 1), 0]
    bytes += sorted.sorted { (Int($0[0]) | Int($0[1]) << 8) < (Int($1[0]) | Int($1[1]) << 8) }.joined() + [0, 0, 0, 0]
    for index in 0..<4 { bytes[4 + index] = UInt8(place >> (8 * index) & 255) }
    try Data(bytes).write(to: URL(filePath: path))
    let matrix = try #require(try VideoReader(path).streams[0].displayMatrix)
    #expect(Orientation(displayMatrix: matrix) == Orientation(exif: 8))
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

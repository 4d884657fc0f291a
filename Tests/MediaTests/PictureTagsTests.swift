import Foundation
import Frames
import Testing

@testable import Media

/// What stands in a picture file beside its pixels, from file to file.
@Suite struct PictureTagsTests {
  private let scratch: Scratch
  init() throws { scratch = try Scratch() }

  private static let formats: [PictureFormat] = [.png, .jpeg, .tiff, .webp]

  private func grey(_ width: Int = 32, _ height: Int = 16) -> Picture {
    Picture(width: width, height: height, format: PixelFormat(.yuv444), colour: Colour(range: .full)) { planes in
      for plane in planes { for y in 0..<height { plane.row(y, as: UInt8.self).update(repeating: 128, count: width) } }
    }
  }

  /// A camera's tags with a folder within, a place, XMP, Photoshop's block and 300 dots an inch.
  private func tags() throws -> PictureTags {
    var folder = TagFolder()
    folder.set(TagFolder.text(271, "Acm"))
    folder.set(TagFolder.text(270, "a grüße of a text"))
    var camera = TagFolder()
    camera.set(TagFolder.rational(0x829a, 0.008))
    camera.set(TagFolder.short(0x8827, 400))
    folder.children[0x8769] = camera
    var place = TagFolder()
    place.set(TagFolder.text(1, "N"))
    folder.children[0x8825] = place
    var tags = PictureTags()
    tags.exif = EXIF(folder.file)
    tags.xmp = Array("<x:xmpmeta xmlns:x='adobe:ns:meta/'>tagged</x:xmpmeta>".utf8)
    tags.density = 300 / 0.0254
    return tags
  }

  private let profile = FrameSideData(type: 15, bytes: (0..<301).map { UInt8(truncatingIfNeeded: $0 &* 7) })

  @Test(arguments: formats, formats) func allGoesFromEachFormatToEach(first: PictureFormat, second: PictureFormat)
    throws
  {
    var tags = try tags()
    let photoshop = [first, second].allSatisfy { $0 == .jpeg || $0 == .tiff }
    if photoshop { tags.photoshop = Array("8BIM".utf8) + [4, 4, 0, 0, 0, 0, 0, 2, 0x1c, 2] }
    let (one, two) = (scratch.path("one"), scratch.path("two"))
    let sideData = FrameSideData.tags(tags, width: 32, height: 16) + [profile]
    #expect(try PictureWriter(first, quality: 100).write(grey(), sideData: sideData, to: one) == [])
    let reader = try VideoReader(one)
    let frame = try #require(try reader.read())
    #expect(reader.notes.isEmpty, "\(reader.notes)")
    // Twice as large, and so as large on paper.
    let larger = try Scaler(
      from: PictureLayout(width: 32, height: 16, format: frame.picture.format),
      to: PictureLayout(width: 64, height: 32, format: frame.picture.format)
    ).scale(frame.picture)
    #expect(try PictureWriter(second, quality: 100).write(larger, sideData: frame.sideData, to: two) == [])
    for (path, dots) in [(one, 300.0), (two, 600.0)] {
      let again = try #require(PictureTags(of: path))
      let folder = try #require(again.exif?.folder)
      #expect(folder[271] == TagFolder.text(271, "Acm") && folder[270] == TagFolder.text(270, "a grüße of a text"))
      #expect(folder.children[0x8769]?[0x829a] == TagFolder.rational(0x829a, 0.008))
      #expect(folder.children[0x8769]?[0x8827] == TagFolder.short(0x8827, 400))
      #expect(folder.children[0x8825]?[1] == TagFolder.text(1, "N"))
      #expect(again.xmp == tags.xmp && again.photoshop == tags.photoshop)
      let density = try #require(again.density ?? PictureTags.density(folder))
      #expect(abs(density * 0.0254 - dots) < 0.1)
      let back = try #require(try VideoReader(path).read())
      #expect(back.sideData.first { $0.isICCProfile } == profile)
    }
    // Others read it as well: ffmpeg, strictly.
    if second != .tiff { try Tool.ffmpeg("-err_detect explode -i \(two) -f null", to: "-") }
  }

  @Test func textsGoAlongOrAreNamed() throws {
    var tags = PictureTags()
    tags.texts = [("Title", "ours"), ("Comment", "viele Grüße"), ("Author", "A. N. Other"), ("Warning", "hot")].map {
      PictureTags.Text(name: $0.0, value: $0.1)
    }
    let sideData = FrameSideData.tags(tags, width: 32, height: 16)
    let path = scratch.path("out")
    #expect(try PictureWriter(.png).write(grey(), sideData: sideData, to: path) == [])
    #expect(PictureTags(of: path)?.texts == tags.texts)
    #expect(try PictureWriter(.jpeg).write(grey(), sideData: sideData, to: path) == [])
    let values = ["Title: ours", "viele Grüße", "Author: A. N. Other", "Warning: hot"]
    #expect(PictureTags(of: path)?.texts.map(\.value) == values)
    for format in [PictureFormat.tiff, .webp] {
      // The title is there, so that the comment has no tag of its own left.
      let lost = try PictureWriter(format).write(grey(), sideData: sideData, to: path)
      #expect(lost == ["the text 'Comment'", "the text 'Warning'"])
      let folder = try #require(PictureTags(of: path)?.exif?.folder)
      #expect(folder[270] == TagFolder.text(270, "ours") && folder[315] == TagFolder.text(315, "A. N. Other"))
    }
    #expect(try PictureWriter(.exr).write(grey(), sideData: sideData, to: path).count == 4)
  }

  @Test func compressedTextsAreUnpackedOrNamed() throws {
    let path = scratch.path("in.png")
    try Tool.ffmpeg("-f lavfi -i testsrc2=s=32x16:d=1 -frames:v 1 -pix_fmt rgb24", to: path)
    var bytes = Array(try Data(contentsOf: URL(filePath: path)))
    // "squeezed" in zlib's stored form, as a zTXt chunk; checksums are made by our own writer's rule.
    let stored: [UInt8] = [0x78, 0x01, 0x01, 8, 0, 0xf7, 0xff] + Array("squeezed".utf8) + [0x0f, 0x9e, 0x03, 0x67]
    let body = Array("zTXt".utf8) + Array("Tight".utf8) + [0, 0] + stored
    let chunk =
      PictureTags.big(UInt32(body.count - 4)) + body + PictureTags.big(PictureTags.checksum(body))
    bytes.insert(contentsOf: chunk, at: 33)
    try Data(bytes).write(to: URL(filePath: path))
    let reader = try VideoReader(path)
    #expect(reader.notes.isEmpty)
    let frame = try #require(try reader.read())
    let texts = PictureTags(frame.sideData, width: 32, height: 16).texts
    #expect(texts == [PictureTags.Text(name: "Tight", value: "squeezed")], "\(texts) \(reader.notes)")
  }

  @Test func tagsOfTheOtherByteOrderAreTurned() throws {
    // Make and orientation, big-endian, with a number of two bytes in its field.
    let bytes: [UInt8] =
      [0x4d, 0x4d, 0, 42, 0, 0, 0, 8, 0, 2]
      + [0x01, 0x0f, 0, 2, 0, 0, 0, 4, 0x41, 0x63, 0x6d, 0] + [0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0] + [0, 0, 0, 0]
    let folder = try #require(EXIF(bytes)?.folder)
    #expect(folder[271] == TagFolder.text(271, "Acm") && folder[0x0112] == TagFolder.short(0x0112, 6))
    #expect(EXIF(folder.file)?.orientation == 6)
  }

  @Test func losslessWebPWithoutTransparencyHasNone() throws {
    let path = scratch.path("in.webp")
    try Tool.ffmpeg("-f lavfi -i testsrc2=s=32x16:d=1 -frames:v 1 -pix_fmt bgra -lossless 1", to: path)
    #expect(try VideoReader(path).streams[0].pixelFormat.alpha == false)
    try Tool.ffmpeg(
      "-f lavfi -i testsrc2=s=32x16:d=1,format=rgba,colorchannelmixer=aa=0.5 -frames:v 1 -lossless 1", to: path)
    #expect(try VideoReader(path).streams[0].pixelFormat.alpha)
  }

  /// Files whose tags lie about places and lengths end in what can be read of them.
  @Test(arguments: formats) func damagedTagsDoNoHarm(format: PictureFormat) throws {
    let sideData = FrameSideData.tags(try tags(), width: 32, height: 16) + [profile]
    let whole = try PictureWriter(format).encode(grey(), sideData: sideData).bytes
    let path = scratch.path("in")
    var state: UInt64 = 7
    func random(_ limit: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % limit
    }
    for round in 0..<400 {
      var bytes = whole
      for _ in 0..<4 { bytes[random(bytes.count)] = [0, 1, 0x7f, 0xff, UInt8(random(256))][random(5)] }
      if round % 4 == 0 { bytes = Array(bytes.prefix(random(bytes.count))) }
      try Data(bytes).write(to: URL(filePath: path))
      guard let tags = PictureTags(of: path) else { continue }
      for other in Self.formats { _ = tags.embedded(in: whole, other, profile: nil) }
    }
  }
}

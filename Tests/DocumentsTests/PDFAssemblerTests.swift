import CTesseract
import Foundation
import Frames
import Testing

@testable import Documents

@Suite struct PDFAssemblerTests {
  /// The one image of a page as it is stored.
  private func image(_ path: String, page: Int = 0) throws -> (object: PDFObject, raw: [UInt8]) {
    let file = try PDFFile(path: path)
    let objects = try file.page(page)["/Resources"]["/XObject"]
    let object = objects[try #require(objects.keys.first)]
    return (object, try #require(object.stored()))
  }

  private func assemble(_ input: String, _ output: String, _ results: [PageResult] = []) throws -> PDFAssembler {
    let assembler = try PDFAssembler(input: input, maximumPixels: 1_000_000)
    for result in results { try assembler.add(result) }
    try assembler.write(to: output)
    try assembler.verify(output)
    return assembler
  }

  @Test func `a JPEG is kept byte for byte, with its resolution`() throws {
    let folder = try Folder()
    let bytes = try Pix(Samples.picture(), dpi: (100, 100)).encoded(.jpeg(quality: 80))
    try Data(bytes).write(to: folder.url.appending(path: "a.jpg"))
    _ = try assemble(folder.path("a.jpg"), folder.path("a.pdf"))
    let stored = try image(folder.path("a.pdf"))
    #expect(stored.raw == bytes)
    #expect(stored.object["/Filter"].name == "/DCTDecode")
    let frame = PageFrame(try PDFFile(path: folder.path("a.pdf")).page(0))
    #expect(abs(frame.width - 86.4) < 0.01 && abs(frame.height - 57.6) < 0.01)
  }

  @Test(arguments: ["jpg", "png", "tif"]) func `a picture's own colours are kept`(kind: String) throws {
    let folder = try Folder()
    let colours = Picture(width: 40, height: 30, format: PixelFormat(.yuv444), colour: RGBWords.colour) { planes in
      for y in 0..<30 {
        for (index, plane) in planes.enumerated() {
          plane.row(y, as: UInt8.self).update(repeating: UInt8(60 + 50 * index), count: 40)
        }
      }
    }
    let picture = folder.path("a." + kind)
    try write(Pix(colours).encoded(.png), to: picture, profile: ColourProfile.sRGB)
    _ = try assemble(picture, folder.path("a.pdf"))
    let space = try image(folder.path("a.pdf")).object["/ColorSpace"].items
    #expect(space.first?.name == "/ICCBased")
    #expect(space.last?["/N"].integer == 3)
    #expect(space.last?.decoded() == ColourProfile.sRGB)
    // A profile of other colours than the samples' is left.
    #expect(!PictureFile.isUsable(ColourProfile.sRGB, channels: 1))
  }

  /// A picture with an ICC profile in each format's own place for it.
  private func write(_ png: [UInt8], to path: String, profile: [UInt8]) throws {
    func number(_ value: Int) -> [UInt8] { [24, 16, 8, 0].map { UInt8(value >> $0 & 255) } }
    func chunk(_ name: String, _ body: [UInt8]) -> [UInt8] { number(body.count) + Array(name.utf8) + body + number(0) }
    switch (path as NSString).pathExtension {
    case "png":
      let body = try Array("sRGB".utf8) + [0, 0] + #require(deflated(profile))
      try Data(png[..<33] + chunk("iCCP", body) + png[33...]).write(to: URL(filePath: path))
    case "jpg":
      let pix = try Pix(owning: png.withUnsafeBufferPointer { pixReadMem($0.baseAddress, $0.count) })
      let body = Array("ICC_PROFILE\0".utf8) + [1, 1] + profile
      let segment = [0xff, 0xe2, UInt8((body.count + 2) >> 8), UInt8((body.count + 2) & 255)] + body
      var jpeg = try pix.encoded(.jpeg(quality: 90))
      jpeg.insert(contentsOf: segment, at: 2)
      try Data(jpeg).write(to: URL(filePath: path))
    default:
      func short(_ value: Int) -> [UInt8] { [UInt8(value & 255), UInt8(value >> 8 & 255)] }
      func long(_ value: Int) -> [UInt8] { short(value & 0xffff) + short(value >> 16) }
      let tags: [(Int, Int, Int, Int)] = [
        (256, 4, 1, 40), (257, 4, 1, 30), (258, 3, 3, 200), (259, 4, 1, 1), (262, 4, 1, 2), (273, 4, 1, 206),
        (277, 4, 1, 3), (278, 4, 1, 30), (279, 4, 1, 3600), (34675, 7, profile.count, 3806),
      ]
      var tiff: [UInt8] = [0x49, 0x49, 42, 0] + long(8) + short(tags.count)
      for tag in tags { tiff += short(tag.0) + short(tag.1) + long(tag.2) + long(tag.3) }
      tiff += long(0)
      tiff += [UInt8](repeating: 0, count: 200 - tiff.count) + [8, 0, 8, 0, 8, 0]
      tiff += [UInt8](repeating: 90, count: 3600) + profile
      try Data(tiff).write(to: URL(filePath: path))
    }
  }

  @Test func `a fax page keeps its CCITT stream`() throws {
    let folder = try Folder()
    let bilevel = try Pix(Samples.picture(), dpi: (200, 200)).making { pixConvertTo1($0, 128) }
    try Data(bilevel.encoded(.groupFour)).write(to: folder.url.appending(path: "a.tif"))
    _ = try assemble(folder.path("a.tif"), folder.path("a.pdf"))
    #expect(try image(folder.path("a.pdf")).object["/Filter"].name == "/CCITTFaxDecode")
    let page = try PDFRenderer(path: folder.path("a.pdf")).render(
      0, scale: (200 / 72, 200 / 72), origin: (0, 0), width: 120, height: 80)
    page.withPlanes { planes in
      #expect(planes[0].row(10, as: UInt8.self)[5] < 60)
      #expect(planes[0].row(50, as: UInt8.self)[60] > 200)
    }
  }

  @Test(arguments: [1, 3, 6, 8]) func `a photo is shown as its EXIF orientation says`(orientation: Int) throws {
    let folder = try Folder()
    var jpeg = try Pix(Samples.picture(), dpi: (72, 72)).encoded(.jpeg(quality: 95))
    let exif: [UInt8] =
      [0xff, 0xe1, 0, 34] + Array("Exif\0\0MM\0*".utf8) + [0, 0, 0, 8, 0, 1, 1, 18, 0, 3, 0, 0, 0, 1]
      + [0, UInt8(orientation), 0, 0, 0, 0, 0, 0]
    jpeg.insert(contentsOf: exif, at: 2)
    try Data(jpeg).write(to: folder.url.appending(path: "a.jpg"))
    _ = try assemble(folder.path("a.jpg"), folder.path("a.pdf"))
    let (read, page) = try Documents.open(folder.path("a.jpg"), ReaderOptions()).page(0)
    let drawn = try PDFRenderer(path: folder.path("a.pdf")).render(
      0, scale: (page.dpi.x / 72, page.dpi.y / 72), origin: (0, 0), width: read.width, height: read.height)
    #expect(read.width == (orientation < 5 ? 120 : 80))
    read.withPlanes { a in
      drawn.withPlanes { b in
        var difference = 0
        for y in 0..<read.height {
          for x in 0..<read.width {
            difference += abs(Int(a[0].row(y, as: UInt8.self)[x]) - Int(b[0].row(y, as: UInt8.self)[x]))
          }
        }
        #expect(difference / (read.width * read.height) < 4)
      }
    }
  }

  @Test func `pictures become PDF/A by claim and structure`() throws {
    let folder = try Folder()
    try Data(Pix(Samples.picture()).encoded(.png)).write(to: folder.url.appending(path: "a.png"))
    let text = Samples.text(["word"], at: Box(x: 10, y: 10, width: 30, height: 8))
    _ = try assemble(folder.path("a.png"), folder.path("a.pdf"), [Samples.result(0, (100, 80), text)])
    let file = try PDFFile(path: folder.path("a.pdf"))
    let metadata = try #require(file.root["/Metadata"].stored())
    #expect(String(decoding: metadata, as: UTF8.self).contains("pdfaid:part=\"2\""))
    let profile = try #require(file.root["/OutputIntents"].items.first?["/DestOutputProfile"].decoded())
    #expect(Array(profile[36..<40]) == Array("acsp".utf8))
    #expect(file.trailer["/ID"].items.count == 2)
  }

  @Test func `the same input gives the same bytes`() throws {
    let folder = try Folder()
    try Data(Pix(Samples.picture()).encoded(.png)).write(to: folder.url.appending(path: "a.png"))
    _ = try assemble(folder.path("a.png"), folder.path("1.pdf"))
    _ = try assemble(folder.path("a.png"), folder.path("2.pdf"))
    #expect(FileManager.default.contentsEqual(atPath: folder.path("1.pdf"), andPath: folder.path("2.pdf")))
  }

  @Test func `a signed PDF stays byte for byte`() throws {
    let folder = try Folder()
    let file = try PDFFile(newNamed: "signed")
    try file.addPage(file.indirect(file.parsed("<< /Type /Page /MediaBox [0 0 100 100] /Resources << >> >>")))
    file.root.set("/AcroForm", try file.parsed("<< /SigFlags 3 /Fields [] >>"))
    try file.write(to: folder.path("a.pdf"))
    let text = Samples.text(["word"], at: Box(x: 10, y: 10, width: 30, height: 8))
    let assembler = try assemble(folder.path("a.pdf"), folder.path("b.pdf"), [Samples.result(0, (100, 100), text)])
    #expect(assembler.seal == "it is signed")
    #expect(FileManager.default.contentsEqual(atPath: folder.path("a.pdf"), andPath: folder.path("b.pdf")))
  }

  @Test func `pages that share resources do not share the text font`() throws {
    let folder = try Folder()
    try Samples.pdf(
      folder.path("a.pdf"),
      pages: [("/MediaBox [0 0 100 100]", "BT /F 9 Tf (one) Tj ET"), ("/MediaBox [0 0 100 100]", "q Q")])
    let text = Samples.text(["word"], at: Box(x: 10, y: 10, width: 30, height: 8))
    _ = try assemble(folder.path("a.pdf"), folder.path("b.pdf"), [Samples.result(1, (100, 100), text)])
    let file = try PDFFile(path: folder.path("b.pdf"))
    #expect(try file.page(0)["/Resources"]["/Font"].keys == ["/F"])
    #expect(try file.page(1)["/Resources"]["/Font"].keys.sorted() == ["/F", TextFont.key])
  }

  @Test func `a page turned for the reader keeps its words in place`() throws {
    let folder = try Folder()
    try Samples.pdf(folder.path("a.pdf"), pages: [("/MediaBox [0 0 300 200]", "q Q")])
    let box = Box(x: 40, y: 30, width: 60, height: 20)
    var result = try Samples.result(0, (200, 300), Samples.text(["word"], at: box))
    result.turn = 90
    _ = try assemble(folder.path("a.pdf"), folder.path("b.pdf"), [result])
    #expect(PageFrame(try PDFFile(path: folder.path("b.pdf")).page(0)).rotation == 90)
    let shown = try #require(result.shownText?.words.map(\.box).first)
    #expect(shown == Box(x: 150, y: 40, width: 20, height: 60))
  }

  @Test(arguments: [
    ("", "0 1 0 rg 10 10 50 50 re f", nil), ("", "0 0 0 1 k 10 10 50 50 re f", "it has CMYK colours"),
    ("", "BT /F 9 Tf (text) Tj ET", "its font Helvetica is not embedded"),
    ("/AA << /O << /S /GoTo >> >>", "q Q", "it has actions that are set off by viewing it"),
    ("/Annots [<< /Type /Annot /Subtype /Movie /Rect [0 0 9 9] >>]", "q Q", "it has an annotation of the kind Movie"),
    ("/Annots [<< /Type /Annot /Subtype /Link /Rect [0 0 9 9] >>]", "q Q", nil),
  ])
  func `an existing PDF becomes a PDF/A-2b, or says why not`(
    attributes: String, content: String, obstacle: String?
  ) throws {
    let folder = try Folder()
    let font = content.contains("Tf")
    let file = try PDFFile(newNamed: "sample")
    let fonts = font ? "/Font << /F << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >>" : ""
    let page = file.indirect(
      try file.parsed("<< /Type /Page /MediaBox [0 0 100 100] /Resources << \(fonts) >> \(attributes) >>"))
    page.set("/Contents", file.stream(Array(content.utf8)))
    try file.addPage(page)
    try file.write(to: folder.path("a.pdf"))

    let assembler = try PDFAssembler(input: folder.path("a.pdf"), maximumPixels: 1_000_000, becomesArchive: true)
    try assembler.add(
      Samples.result(0, (100, 100), Samples.text(["word"], at: Box(x: 10, y: 10, width: 30, height: 8))))
    try assembler.write(to: folder.path("b.pdf"))
    try assembler.verify(folder.path("b.pdf"))
    #expect(assembler.archiveObstacle == obstacle)
    let written = try PDFFile(path: folder.path("b.pdf"))
    #expect(written.root["/OutputIntents"].items.count == (obstacle == nil ? 1 : 0))
    if let link = try written.page(0)["/Annots"].items.first, obstacle == nil { #expect(link["/F"].integer == 4) }
  }
}

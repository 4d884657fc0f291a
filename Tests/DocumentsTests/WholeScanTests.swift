import Foundation
import Frames
import Testing

@testable import Documents

@Suite struct WholeScanTests {
  private static let size = (width: 90, height: 60)

  /// Rough colours, or greys, everywhere.
  private func page(colour: Bool) -> Picture {
    let format = PixelFormat(colour ? .yuv444 : .none)
    return Picture(width: Self.size.width, height: Self.size.height, format: format, colour: RGBWords.colour) {
      for (index, plane) in $0.enumerated() {
        for y in 0..<plane.height {
          for x in 0..<plane.width {
            plane.row(y, as: UInt8.self)[x] =
              index == 0 ? UInt8(40 + (x * 7 + y * 13) % 180) : UInt8(100 + (x + y) % 60)
          }
        }
      }
    }
  }

  /// A PDF of one page that shows a picture as this content says.
  private func reader(
    _ folder: Folder, _ encoding: Pix.Encoding, colour: Bool, box: String = "0 0 90 60",
    content: String = "q 90 0 0 60 0 0 cm /I Do Q"
  ) throws -> (PDFReader, PDFObject) {
    let data = Data(try Pix(page(colour: colour)).encoded(encoding))
    let name = "page.\(data.first == 0xff ? "jpg" : "png")"
    try data.write(to: folder.url.appending(path: name))
    let stream = try #require(ImageStream(PictureFile(path: folder.path(name)), page: 0))
    let file = try PDFFile(newNamed: "sample")
    let page = file.indirect(try file.parsed("<< /Type /Page /Resources << /XObject << >> >> /MediaBox [\(box)] >>"))
    page["/Resources"]["/XObject"].set("/I", try stream.object(in: file))
    page.set("/Contents", file.stream(Array(content.utf8)))
    try file.addPage(page)
    try file.write(to: folder.path("page.pdf"))
    let options = try ReaderOptions()
    return (try PDFReader(path: folder.path("page.pdf"), options), try PDFFile(path: folder.path("page.pdf")).page(0))
  }

  private func taken(_ page: PDFObject) throws -> Picture? {
    let (scan, frame) = (PageScan(page), PageFrame(page))
    return WholeScan.picture(page, scan, PDFReader.Plan(scan, frame, try ReaderOptions()), frame)
  }

  private func drawn(_ folder: Folder) throws -> Picture {
    try PDFRenderer(path: folder.path("page.pdf")).render(
      0, scale: (1, 1), origin: (0, 0), width: Self.size.width, height: Self.size.height)
  }

  @Test(arguments: [true, false]) func `a scan's own samples are those that Poppler draws`(colour: Bool) throws {
    for encoding in [Pix.Encoding.png, .jpeg(quality: 90)] {
      let folder = try Folder()
      let (reader, page) = try reader(folder, encoding, colour: colour)
      let picture = try #require(try taken(page))
      #expect(picture == (try drawn(folder)))
      #expect(try reader.page(0).picture == picture)
    }
  }

  @Test(arguments: [
    "q 90 0 0 60 0 0 cm /I Do Q 9 9 20 20 re f", "q -90 0 0 60 90 0 cm /I Do Q", "q 90 0 0 -60 0 60 cm /I Do Q",
    "q 0 0 45 60 re W n 90 0 0 60 0 0 cm /I Do Q", "q 89 0 0 60 0 0 cm /I Do Q",
    "/OC /A BDC q 90 0 0 60 0 0 cm /I Do Q EMC",
    "q 90 0 0 60 0 0 cm /I Do /I Do Q", "/G gs q 90 0 0 60 0 0 cm /I Do Q",
  ]) func `a page with more on it than one upright picture is drawn`(content: String) throws {
    let folder = try Folder()
    let (_, page) = try reader(folder, .png, colour: true, content: content)
    #expect(try taken(page) == nil)
  }

  @Test func `a picture that reaches beyond the page is drawn`() throws {
    let folder = try Folder()
    let (_, page) = try reader(folder, .png, colour: false, box: "0 0 90 50")
    #expect(try taken(page) == nil)
  }

  @Test func `samples that are cut short are drawn as far as they go`() throws {
    let folder = try Folder()
    let (_, page) = try reader(folder, .png, colour: true)
    let image = page["/Resources"]["/XObject"]["/I"]
    let bytes = try #require(image.stored())
    image.replaceData(
      Array(bytes.prefix(bytes.count / 2)), filter: page.file.name("/FlateDecode"), parameters: image["/DecodeParms"])
    #expect(try taken(page) == nil)
  }
}

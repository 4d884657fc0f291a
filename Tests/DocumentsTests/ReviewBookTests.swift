import Foundation
import Frames
import Testing

@testable import Documents

@Suite struct ReviewBookTests {
  @Test func `doubtful words stand beside their pieces of the page`() throws {
    let folder = try Folder()
    let picture = Samples.picture()
    var text = Samples.text(["sure", "</span><script>"], at: Box(x: 10, y: 10, width: 80, height: 20))
    text.blocks[0].lines[0].words[0].certainty = 95
    text.blocks[0].lines[0].words[1].certainty = 41.6
    text.blocks[0].lines[0].words[1].pixels = Box(x: 20, y: 20, width: 40, height: 20)
    var page = Page(number: 2, width: 86.4, height: 57.6, dpi: (100, 100), pixels: (120, 80))
    page.text = text
    let writer = try ReviewWriter(folder.path("a.jsonl"))
    try writer.add(PageResult(picture, page), picture, isToReview: true, threshold: 60)
    try writer.finish()
    let lines = try Data(contentsOf: URL(filePath: folder.path("a.jsonl")))
    let review = try JSONDecoder().decode(PageReview.self, from: lines)
    #expect(review.number == 3 && review.words.map(\.certainty) == [42])
    let size = try #require(PNGHeader(review.words[0].image))
    #expect(size.width == 64 && size.height == 36)

    var book = try ReviewBook(folder.path("review.html"), title: "scans & more")
    try book.add("a.pdf", link: "javascript:a.pdf", lines: Data("damaged\n".utf8) + lines)
    try book.finish()
    #expect(book.pages == 1 && book.documents == 1 && book.words == 1)
    let html = try String(contentsOfFile: folder.path("review.html"), encoding: .utf8)
    #expect(html.contains(review.words[0].image.base64EncodedString()))
    #expect(html.contains("&lt;/span&gt;&lt;script&gt;") && !html.contains("<script"))
    #expect(html.contains("scans &amp; more") && html.contains("href=\"./javascript%3Aa.pdf#page=3\""))
    #expect(!html.contains(">sure<"))
    #expect(ReviewBook.isOne(folder.path("review.html")) && !ReviewBook.isOne(folder.path("a.jsonl")))
  }

  @Test func `nothing to look at leaves no file`() throws {
    let folder = try Folder()
    let picture = Samples.picture()
    let writer = try ReviewWriter(folder.path("a.jsonl"))
    let page = Page(number: 0, width: 86.4, height: 57.6, dpi: (100, 100), pixels: (120, 80))
    try writer.add(PageResult(picture, page), picture, isToReview: false, threshold: 60)
    try writer.finish()
    #expect(writer.isEmpty && !FileManager.default.fileExists(atPath: folder.path("a.jsonl")))
  }
}

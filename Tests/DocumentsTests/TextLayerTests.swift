import Frames
import Testing

@testable import Documents

@Suite struct TextLayerTests {
  struct Shape: Sendable, CustomTestStringConvertible {
    var attributes: String
    var width: Double
    var height: Double
    var unit = 1.0
    var testDescription: String { attributes }
  }

  static let shapes = [
    Shape(attributes: "/MediaBox [0 0 300 200]", width: 300, height: 200),
    Shape(attributes: "/MediaBox [0 0 200 300] /Rotate 90", width: 300, height: 200),
    Shape(attributes: "/MediaBox [0 0 300 200] /Rotate 180", width: 300, height: 200),
    Shape(attributes: "/MediaBox [0 0 200 300] /Rotate 270", width: 300, height: 200),
    Shape(attributes: "/MediaBox [0 0 200 300] /Rotate -90", width: 300, height: 200),
    Shape(attributes: "/MediaBox [-70 40 230 240]", width: 300, height: 200),
    Shape(attributes: "/MediaBox [230 240 -70 40]", width: 300, height: 200),
    Shape(attributes: "/MediaBox [0 0 500 500] /CropBox [100 120 400 320]", width: 300, height: 200),
    Shape(attributes: "/MediaBox [0 0 500 500] /CropBox [100 120 300 420] /Rotate 90", width: 300, height: 200),
    Shape(attributes: "/MediaBox [0 0 150 100] /UserUnit 2", width: 300, height: 200, unit: 2),
    Shape(attributes: "/MediaBox [10 20 110 170] /UserUnit 2 /Rotate 270", width: 300, height: 200, unit: 2),
  ]

  @Test(arguments: shapes) func `words are found where they stand`(shape: Shape) throws {
    let folder = try Folder()
    let (input, output) = (folder.path("in.pdf"), folder.path("out.pdf"))
    try Samples.pdf(input, pages: [(shape.attributes, "q Q")])
    let box = Box(x: 40, y: 30, width: 160, height: 20)
    let words = ["Hello", "wide", "world"]
    let assembler = try PDFAssembler(input: input, maximumPixels: 1_000_000)
    try assembler.add(Samples.result(0, (shape.width, shape.height), Samples.text(words, at: box)))
    try assembler.write(to: output)
    try assembler.verify(output)

    let frame = PageFrame(try PDFFile(path: output).page(0))
    #expect(frame.width == shape.width && frame.height == shape.height)
    let letters = try PDFRenderer(path: output).letters(0)
    let found = OwnText.text(of: letters, unit: shape.unit)
    #expect(found.words.map(\.text) == words)
    for (word, expected) in zip(found.words, Samples.text(words, at: box).words) {
      #expect(abs(word.box.x - expected.box.x) < 1 && abs(word.box.width - expected.box.width) < 1.5)
      #expect(abs(word.box.y - expected.box.y) < 1 && abs(word.box.height - expected.box.height) < 1.5)
    }
  }

  @Test(arguments: [
    "naïve", "ﬁnd", "日本語の文字", "한국어", "שלום", "مرحبا", "क्षत्रिय", "Ωμέγα", "𝔘𝔫𝔦", "😀", "a\u{301}b",
  ])
  func `letters of every script come back`(word: String) throws {
    let folder = try Folder()
    let (input, output) = (folder.path("in.pdf"), folder.path("out.pdf"))
    try Samples.pdf(input, pages: [("/MediaBox [0 0 300 200]", "q Q")])
    let assembler = try PDFAssembler(input: input, maximumPixels: 1_000_000)
    let text = Samples.text([word], at: Box(x: 40, y: 30, width: 100, height: 20))
    try assembler.add(Samples.result(0, (300, 200), text))
    try assembler.write(to: output)
    let read = try PDFRenderer(path: output).letters(0).map { String($0.scalar) }.joined()
    // Poppler takes ligatures apart and joins marks with their letters.
    #expect(read.decomposedStringWithCompatibilityMapping == word.decomposedStringWithCompatibilityMapping)
  }

  @Test func `words of a slanted line stay whole`() throws {
    let folder = try Folder()
    let (input, output) = (folder.path("in.pdf"), folder.path("out.pdf"))
    try Samples.pdf(input, pages: [("/MediaBox [0 0 300 200]", "q Q")])
    var text = Samples.text(["slanted", "sequencer"], at: Box(x: 40, y: 60, width: 200, height: 12))
    text.blocks[0].lines[0].baseline = [40, 70, 239.5, 56]
    let assembler = try PDFAssembler(input: input, maximumPixels: 1_000_000)
    try assembler.add(Samples.result(0, (300, 200), text))
    try assembler.write(to: output)
    let letters = try PDFRenderer(path: output).letters(0)
    #expect(OwnText.text(of: letters, unit: 1).words.map(\.text).sorted() == ["sequencer", "slanted"])
  }
}

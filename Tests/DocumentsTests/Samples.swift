import Foundation
import Frames

@testable import Documents

/// A folder that goes with the test.
final class Folder {
  let url = FileManager.default.temporaryDirectory.appending(path: "documents-\(UUID().uuidString)")
  init() throws { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) }
  deinit { try? FileManager.default.removeItem(at: url) }
  func path(_ name: String) -> String { url.appending(path: name).path }
}

enum Samples {
  /// A PDF of pages with these attributes and contents, in PDF syntax.
  static func pdf(_ path: String, pages: [(attributes: String, content: String)]) throws {
    let file = try PDFFile(newNamed: "sample")
    for sample in pages {
      let page = file.indirect(
        try file.parsed(
          "<< /Type /Page /Resources << /Font << /F << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> \(sample.attributes) >>"
        ))
      page.set("/Contents", file.stream(Array(sample.content.utf8)))
      try file.addPage(page)
    }
    try file.write(to: path)
  }

  /// A dark cross near the top left corner of a light page.
  static func picture(_ width: Int = 120, _ height: Int = 80) -> Picture {
    Picture(width: width, height: height, format: PixelFormat(.none)) { planes in
      for y in 0..<height {
        for x in 0..<width {
          let dark = (y == 10 && x < 40) || (x == 20 && y < 30)
          planes[0].row(y, as: UInt8.self)[x] = dark ? 20 : 240
        }
      }
    }
  }

  /// One line of words, each in a box of its own, in points of the page.
  static func text(_ words: [String], at box: Box, gap: Double = 10) -> PageText {
    let width = (box.width - gap * Double(words.count - 1)) / Double(words.count)
    let made = words.enumerated().map { index, text in
      let start = Double(index) * (width + gap)
      return PageText.Word(
        text: text, box: Box(x: box.x + start, y: box.y, width: width, height: box.height),
        pixels: Box(x: start, y: 0, width: width, height: box.height), confidence: 90, start: start, length: width,
        rightToLeft: text.unicodeScalars.contains(where: \.isRightToLeft))
    }
    let descent = box.height * 0.2
    let baseline = box.y + box.height - descent
    let line = PageText.Line(
      box: box, baseline: [box.x, baseline, box.x + box.width, baseline], ascent: box.height - descent,
      descent: descent, words: made)
    return PageText(blocks: [.init(box: box, lines: [line])])
  }

  /// What stages make of a page that was read.
  static func result(_ number: Int, _ frame: (width: Double, height: Double), _ text: PageText) throws -> PageResult {
    var page = Page(number: number, width: frame.width, height: frame.height, dpi: (72, 72), pixels: (1, 1))
    page.text = text
    return try PageResult(blankPicture(), page)
  }
}

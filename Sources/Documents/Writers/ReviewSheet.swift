import CTesseract
import Foundation
import Frames

/// A web page of the words that a person should look at: each as it was read beside its piece of the page.
struct ReviewSheet {
  static let suffix = "review.html"
  /// Beyond so many words a sheet helps nobody.
  private static let limit = 2000
  private var shown = 0

  func beginning(input: String) -> String {
    """
    <!DOCTYPE html>
    <html lang="en"><head><meta charset="utf-8"><title>Review of \(input.escapedForXML)</title>
    <style>
    body { font: 16px sans-serif; margin: 2em; color: #222; background: #fff }
    table { border-collapse: collapse } td { padding: .4em 1em; border-bottom: 1px solid #ddd }
    img { max-height: 3em; max-width: 30em } .read { font-family: monospace; font-size: 1.2em }
    </style></head><body>
    <h1>Review of \(input.escapedForXML)</h1>

    """
  }

  /// - Parameter picture: the page that the words' pixels belong to.
  mutating func page(_ page: PageResult, _ picture: Picture, threshold: Double) throws -> String {
    if let note = page.note { return "<h2>Page \(page.number + 1)</h2>\n<p>Not read: \(note.escapedForXML)</p>\n" }
    guard !page.hasOwnText, let text = page.text else { return "" }
    let words = text.words.filter { $0.confidence < threshold }.prefix(max(ReviewSheet.limit - shown, 0))
    if words.isEmpty { return "" }
    shown += words.count
    let pix = try Pix(picture)
    var out = "<h2>Page \(page.number + 1)</h2>\n<table>\n"
    for word in words {
      guard let piece = try ReviewSheet.piece(of: pix, word.pixels) else { continue }
      out += "<tr><td><img alt=\"\" src=\"data:image/png;base64,\(Data(piece).base64EncodedString())\"></td>"
      out += "<td class=\"read\">\(word.text.escapedForXML)</td><td>\(PixelGrid.whole(word.confidence)) %</td></tr>\n"
    }
    return out + "</table>\n"
  }

  func end(_ summary: DocumentSummary) -> String {
    let rest = summary.doubtfulWords - shown
    return """
      <p>\(summary.doubtfulWords) of \(summary.words) words are below \(decimal(summary.threshold, 1)) % confidence\
      \(rest > 0 ? "; \(rest) are not shown" : "").</p>
      </body></html>

      """
  }

  /// The word with a little of what stands around it, as PNG; nil where it lies outside of the page.
  private static func piece(of pix: Pix, _ box: Box) throws -> [UInt8]? {
    let margin = max(box.height * 0.4, 4)
    let left = max(PixelGrid.whole(box.x - margin), 0)
    let top = max(PixelGrid.whole(box.y - margin), 0)
    let right = min(PixelGrid.whole(box.x + box.width + margin), pix.width)
    let bottom = min(PixelGrid.whole(box.y + box.height + margin), pix.height)
    guard right > left, bottom > top else { return nil }
    var frame = boxCreate(Int32(left), Int32(top), Int32(right - left), Int32(bottom - top))
    defer { boxDestroy(&frame) }
    return try pix.making { pixClipRectangle($0, frame, nil) }.encoded(.png)
  }
}

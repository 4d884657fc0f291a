import Foundation
import Frames

/// The content stream that lays a page's text invisibly where it stands.
struct TextLayer {
  let font: TextFont
  /// From points of the shown page to user space.
  let toUserSpace: Affine

  /// Nil where there are no words.
  func content(_ text: PageText) -> [UInt8]? {
    var out = ""
    for line in text.blocks.lazy.flatMap(\.lines) { write(line, to: &out) }
    if out.isEmpty { return nil }
    return Array("q BT 3 Tr\n\(out)ET Q\n".utf8)
  }

  private func write(_ line: PageText.Line, to out: inout String) {
    guard line.baseline.count == 4 else { return }
    let (x, y) = (line.baseline[0], line.baseline[1])
    let run = (x: line.baseline[2] - x, y: line.baseline[3] - y)
    let length = hypot(run.x, run.y)
    let size = line.ascent + line.descent
    guard length > 0, size > 0, size.isFinite else { return }
    let slant = (x: run.x / length, y: run.y / length)
    let along = TextLayer.levelled(slant)
    let upward = (x: along.y, y: -along.x)
    let middle = (line.ascent - line.descent) / 2
    // The font's box is to cover the letters, so its baseline follows from their lower edge.
    let lift = GlyphlessFont.descent * size - line.descent - middle
    let across = toUserSpace.direction(along.x, along.y)
    let up = toUserSpace.direction(upward.x, upward.y)
    let matrix = [across.x, across.y, up.x, up.y].map(TextLayer.factor).joined(separator: " ")
    out += "\(TextFont.key) \(PDFNumber.text(size)) Tf\n"
    for (index, word) in line.words.enumerated() {
      let (codes, letters) = encoded(word, isLast: index == line.words.count - 1)
      guard letters > 0 else { continue }
      let half = word.length / 2
      let centre = (
        x: x + slant.x * (word.start + half) + slant.y * middle, y: y + slant.y * (word.start + half) - slant.x * middle
      )
      let place = toUserSpace.point(
        centre.x - along.x * half + upward.x * lift, centre.y - along.y * half + upward.y * lift)
      let stretch = 100 * word.length / (Double(letters) * GlyphlessFont.width * size)
      out += "\(matrix) \(PDFNumber.text(place.x)) \(PDFNumber.text(place.y)) Tm "
      out += "\(PDFNumber.text(min(max(stretch, 0.1), 100_000))) Tz <\(codes)> Tj\n"
    }
  }

  /// The words of a slightly slanted line stand level, each at its own height: readers take a word apart whose letters
  /// do not share a baseline.
  private static func levelled(_ direction: (x: Double, y: Double)) -> (x: Double, y: Double) {
    let slightly = 0.17
    if abs(direction.y) < slightly { return (direction.x < 0 ? -1 : 1, 0) }
    if abs(direction.x) < slightly { return (0, direction.y < 0 ? -1 : 1) }
    return direction
  }

  /// The word's codes in the order in which they stand from left to right, with a space behind it, and how many
  /// letters they are without that space.
  private func encoded(_ word: PageText.Word, isLast: Bool) -> (codes: String, letters: Int) {
    var codes: [UInt16] = []
    // Marks stay behind the letter that bears them.
    let clusters = word.rightToLeft ? Array(word.text.reversed()) : Array(word.text)
    for cluster in clusters {
      for scalar in cluster.unicodeScalars { if let code = font.code(scalar) { codes.append(code) } }
    }
    let letters = codes.count
    if !isLast, letters > 0 { codes.append(0x20) }
    return (
      codes.map { code in
        let digits = String(code, radix: 16)
        return String(repeating: "0", count: 4 - digits.count) + digits
      }.joined(), letters
    )
  }

  /// A factor of a matrix, finer than a length has to be.
  private static func factor(_ value: Double) -> String {
    if abs(value) < 1e-7 { return "0" }
    if abs(value - value.rounded()) < 1e-7 { return String(Int(value.rounded())) }
    return String(format: "%.6f", value)
  }
}

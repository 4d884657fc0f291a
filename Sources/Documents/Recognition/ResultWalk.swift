import CTesseract
import Foundation
import Frames

/// One walk over what Tesseract has read on a page.
struct ResultWalk {
  private let iterator: OpaquePointer
  private let position: OpaquePointer
  private let toPage: Affine
  /// The legacy engine's letters say less than its words.
  private let asksLetters: Bool

  init(_ iterator: OpaquePointer, toPage: Affine, asksLetters: Bool) {
    self.iterator = iterator
    self.asksLetters = asksLetters
    position = TessResultIteratorGetPageIterator(iterator)
    self.toPage = toPage
  }

  func text() -> PageText {
    var text = PageText(blocks: [])
    var line = LineInPixels()
    TessPageIteratorBegin(position)
    repeat {
      if begins(RIL_BLOCK) {
        finish(&line, in: &text)
        let box = box(RIL_BLOCK) ?? Box(x: 0, y: 0, width: 0, height: 0)
        text.blocks.append(.init(box: toPage.bounds(box), lines: []))
      }
      if begins(RIL_TEXTLINE) {
        finish(&line, in: &text)
        line.startsParagraph = begins(RIL_PARA)
        line.box = box(RIL_TEXTLINE)
        line.baseline = baseline()
      }
      if let word = word() { line.words.append(word) }
    } while TessResultIteratorNext(iterator, RIL_WORD) != 0
    finish(&line, in: &text)
    text.blocks.removeAll { $0.lines.isEmpty }
    return text
  }

  private func begins(_ level: TessPageIteratorLevel) -> Bool {
    TessPageIteratorIsAtBeginningOf(position, level) != 0
  }

  private func box(_ level: TessPageIteratorLevel) -> Box? {
    var (left, top, right, bottom) = (Int32(0), Int32(0), Int32(0), Int32(0))
    guard TessPageIteratorBoundingBox(position, level, &left, &top, &right, &bottom) != 0 else { return nil }
    return Box(x: Double(left), y: Double(top), width: Double(right - left), height: Double(bottom - top))
  }

  private func baseline() -> [Double]? {
    var (x1, y1, x2, y2) = (Int32(0), Int32(0), Int32(0), Int32(0))
    guard TessPageIteratorBaseline(position, RIL_TEXTLINE, &x1, &y1, &x2, &y2) != 0, x1 != x2 || y1 != y2 else {
      return nil
    }
    return [Double(x1), Double(y1), Double(x2), Double(y2)]
  }

  private func word() -> LineInPixels.Word? {
    guard let bytes = TessResultIteratorGetUTF8Text(iterator, RIL_WORD) else { return nil }
    defer { TessDeleteText(bytes) }
    let text = String(cString: bytes).trimmingCharacters(in: .whitespacesAndNewlines)
    guard !text.isEmpty, let box = box(RIL_WORD) else { return nil }
    let confidence = Double(TessResultIteratorConfidence(iterator, RIL_WORD))
    return .init(
      text: text, box: box, confidence: min(max(confidence, 0), 100), certainty: asksLetters ? certainty() : nil)
  }

  /// The mean confidence of the word's letters on a scale of its own: the network is hardly ever less than 95 % sure of
  /// a letter, nor more than 99.5 %. Of words at 99.2 % about a tenth are misread, at 98 % a third, at 96 % two thirds.
  private func certainty() -> Double? {
    guard let letters = TessResultIteratorCopy(iterator) else { return nil }
    defer { TessResultIteratorDelete(letters) }
    let place = TessResultIteratorGetPageIterator(letters)
    var sum = 0.0
    var count = 0.0
    repeat {
      sum += Double(TessResultIteratorConfidence(letters, RIL_SYMBOL))
      count += 1
    } while TessPageIteratorIsAtFinalElement(place, RIL_WORD, RIL_SYMBOL) == 0
      && TessResultIteratorNext(letters, RIL_SYMBOL) != 0
    return min(max((sum / count - 95) / 4.5 * 100, 0), 100)
  }

  private func finish(_ line: inout LineInPixels, in text: inout PageText) {
    defer { line = LineInPixels() }
    guard let result = line.placed(by: toPage) else { return }
    if text.blocks.isEmpty { text.blocks.append(.init(box: result.box, lines: [])) }
    text.blocks[text.blocks.count - 1].lines.append(result)
  }
}

import Frames

/// Text that stands in a PDF already, as lines of words.
struct OwnText {
  /// - Parameter unit: points a unit of user space.
  static func text(of letters: [PDFRenderer.Letter], unit: Double) -> PageText {
    var blocks: [PageText.Block] = []
    var line: [[PDFRenderer.Letter]] = [[]]
    func finish() {
      let words = line.filter { !$0.isEmpty }
      line = [[]]
      guard let made = OwnText.line(words, unit: unit) else { return }
      // A gap of more than a line's height begins a new block, as does the next column.
      if let last = blocks.last?.lines.last, made.box.y >= last.box.y,
        made.box.y - (last.box.y + last.box.height) < last.box.height
      {
        blocks[blocks.count - 1].lines.append(made)
        blocks[blocks.count - 1].box = blocks[blocks.count - 1].box.union(made.box)
      } else {
        blocks.append(.init(box: made.box, lines: [made]))
      }
    }
    for letter in letters {
      if letter.scalar == "\n" {
        finish()
      } else if letter.scalar.properties.isWhitespace {
        if !line[line.count - 1].isEmpty { line.append([]) }
      } else {
        line[line.count - 1].append(letter)
      }
    }
    finish()
    return PageText(blocks: blocks)
  }

  private static func line(_ words: [[PDFRenderer.Letter]], unit: Double) -> PageText.Line? {
    let boxes = words.map { word in
      let box = word.dropFirst().reduce(word[0].box) { $0.union($1.box) }
      return Box(x: box.x * unit, y: box.y * unit, width: box.width * unit, height: box.height * unit)
    }
    guard let first = boxes.first else { return nil }
    let bounds = boxes.dropFirst().reduce(first) { $0.union($1) }
    // Poppler's boxes reach from the font's ascent to its descent, about a fifth of their height.
    let descent = bounds.height * 0.2
    let baseline = bounds.y + bounds.height - descent
    return PageText.Line(
      box: bounds, baseline: [bounds.x, baseline, bounds.x + max(bounds.width, 0.01), baseline],
      ascent: bounds.height - descent, descent: descent,
      words: zip(words, boxes).map { word, box in
        var text = ""
        text.unicodeScalars.append(contentsOf: word.map(\.scalar))
        return PageText.Word(
          text: text, box: box, pixels: Box(x: 0, y: 0, width: 0, height: 0), confidence: 100,
          start: box.x - bounds.x, length: max(box.width, 0.01),
          rightToLeft: text.unicodeScalars.contains(where: \.isRightToLeft))
      })
  }
}

extension Box {
  func union(_ other: Box) -> Box {
    let left = min(x, other.x)
    let top = min(y, other.y)
    return Box(
      x: left, y: top, width: max(x + width, other.x + other.width) - left,
      height: max(y + height, other.y + other.height) - top)
  }

  func overlaps(_ other: Box) -> Bool {
    x < other.x + other.width && other.x < x + width && y < other.y + other.height && other.y < y + height
  }
}

import Foundation
import Frames

/// A line in the pixels it was read from, and its way onto the page.
struct LineInPixels {
  struct Word {
    var text: String
    var box: Box
    var confidence: Double
    var certainty: Double?
  }
  var startsParagraph = false
  var box: Box?
  /// Beginning and end: x, y, x, y.
  var baseline: [Double]?
  var words: [Word] = []

  /// Nil without words.
  func placed(by toPage: Affine) -> PageText.Line? {
    guard !words.isEmpty, let bounds = box ?? words.first?.box else { return nil }
    let line = baseline ?? [bounds.x, bounds.y + bounds.height, bounds.x + bounds.width, bounds.y + bounds.height]
    let length = hypot(line[2] - line[0], line[3] - line[1])
    guard length > 0 else { return nil }
    // Along the line and, at a right angle to it, towards the tops of its letters.
    let along = (x: (line[2] - line[0]) / length, y: (line[3] - line[1]) / length)
    let upward = (x: along.y, y: -along.x)

    var reaches: [(above: Double, below: Double)] = []
    var spans: [(start: Double, length: Double)] = []
    for word in words {
      let size = LineInPixels.size(of: word.box, along: along)
      let centre = (x: word.box.x + word.box.width / 2 - line[0], y: word.box.y + word.box.height / 2 - line[1])
      let distance = centre.x * along.x + centre.y * along.y
      let height = centre.x * upward.x + centre.y * upward.y
      reaches.append((height + size.height / 2, size.height / 2 - height))
      spans.append((distance - size.width / 2, size.width))
    }
    let ascent = reaches.map(\.above).max() ?? 0
    let descent = reaches.map(\.below).max() ?? 0

    let start = toPage.point(line[0], line[1])
    let end = toPage.point(line[2], line[3])
    let stretch = hypot(end.x - start.x, end.y - start.y) / length
    let up = toPage.direction(upward.x, upward.y)
    let rise = hypot(up.x, up.y)
    let placed = zip(words, spans).map { word, span in
      PageText.Word(
        text: word.text, box: toPage.bounds(word.box), pixels: word.box, confidence: word.confidence,
        certainty: word.certainty,
        start: span.start * stretch, length: max(span.length * stretch, 0.01),
        rightToLeft: word.text.unicodeScalars.contains(where: \.isRightToLeft))
    }
    return PageText.Line(
      box: toPage.bounds(bounds), startsParagraph: startsParagraph, baseline: [start.x, start.y, end.x, end.y],
      ascent: max(ascent, 1) * rise, descent: max(descent, 0) * rise, words: placed)
  }

  /// The size of the slanted box that an upright one was drawn around.
  static func size(of box: Box, along: (x: Double, y: Double)) -> (width: Double, height: Double) {
    // Slants are small: a line runs almost along one axis or the other.
    let sideways = abs(along.y) > abs(along.x)
    let (width, height) = sideways ? (box.height, box.width) : (box.width, box.height)
    let (cosine, sine) = sideways ? (abs(along.y), abs(along.x)) : (abs(along.x), abs(along.y))
    let determinant = cosine * cosine - sine * sine
    guard sine > 0.001, determinant > 0.3 else { return (width, height) }
    let flat = (width * cosine - height * sine) / determinant
    let tall = (height * cosine - width * sine) / determinant
    return (max(flat, width * 0.3), max(tall, height * 0.3))
  }
}

extension Unicode.Scalar {
  /// Whether it belongs to a script that is written from right to left.
  var isRightToLeft: Bool {
    switch value {
    case 0x0590...0x08ff, 0xfb1d...0xfdff, 0xfe70...0xfeff, 0x10800...0x10fff, 0x1e800...0x1efff: true
    default: false
    }
  }
}

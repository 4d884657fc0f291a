import Foundation
import Frames

/// What is known of a document when all its pages have been read.
public struct DocumentSummary: Sendable, Hashable, Codable {
  public var pages = 0
  public var words = 0
  /// The mean of all words that were recognised, 0 to 100; nil without any.
  public var confidence: Double?
  /// How many words are below the threshold.
  public var doubtfulWords = 0
  /// Pages that a person should look at, counted from 1.
  public var pagesToReview: [Int] = []

  private var sum = 0.0
  private var recognised = 0
  /// Words of a lower certainty are to be looked at.
  public let threshold: Double
  /// A page is to be looked at where more of its words than this are doubtful.
  static let doubtfulShare = 0.1

  public init(threshold: Double) { self.threshold = threshold }

  private enum CodingKeys: String, CodingKey {
    case pages, words, confidence, doubtfulWords, pagesToReview, threshold
  }

  /// Returns whether a person should look at the page.
  mutating func add(_ page: PageResult) -> Bool {
    pages += 1
    var count = 0
    var doubtful = 0
    for word in page.text?.words.map({ $0 }) ?? [] {
      words += 1
      if page.hasOwnText { continue }
      count += 1
      sum += word.confidence
      if word.certainty < threshold { doubtful += 1 }
    }
    recognised += count
    doubtfulWords += doubtful
    confidence = recognised > 0 ? (sum / Double(recognised) * 100).rounded() / 100 : nil
    let isToReview = page.note != nil || Double(doubtful) > Double(count) * DocumentSummary.doubtfulShare
    if isToReview { pagesToReview.append(page.number + 1) }
    return isToReview
  }
}

/// A form in which the text of a document is written, page by page as they come.
protocol TextFormat {
  /// Behind the name's dot.
  static var suffix: String { get }
  /// - Parameter input: the document's file name.
  func beginning(input: String) -> String
  /// - Parameter index: how many pages came before.
  func page(_ page: PageResult, index: Int) -> String
  func end(_ summary: DocumentSummary) -> String
}

extension TextFormat {
  func beginning(input: String) -> String { "" }
  func end(_ summary: DocumentSummary) -> String { "" }
}

/// Plain text: a line a line, an empty line between blocks and paragraphs, a form feed behind each page.
struct PlainText: TextFormat {
  static let suffix = "txt"

  func page(_ page: PageResult, index: Int) -> String {
    var out = ""
    for block in page.text?.blocks ?? [] {
      for line in block.lines {
        if line.startsParagraph, !out.isEmpty, !out.hasSuffix("\n\n") { out += "\n" }
        out += line.words.map(\.text).joined(separator: " ") + "\n"
      }
      if !out.hasSuffix("\n\n") { out += "\n" }
    }
    return out + "\u{c}\n"
  }
}

/// Tesseract's table: one row a page, block, paragraph, line and word.
struct TabSeparated: TextFormat {
  static let suffix = "tsv"

  func beginning(input: String) -> String {
    "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext\n"
  }

  func page(_ page: PageResult, index: Int) -> String {
    let grid = PixelGrid(page)
    let number = page.number + 1
    var out = "1\t\(number)\t0\t0\t0\t0\t0\t0\t\(grid.width)\t\(grid.height)\t-1\t\n"
    func row(_ level: Int, _ place: [Int], _ box: Box, _ confidence: String, _ text: String) {
      let cells = [level, number] + place + grid.cells(box)
      out += cells.map(String.init).joined(separator: "\t") + "\t\(confidence)\t\(text)\n"
    }
    for (b, block) in (page.text?.blocks ?? []).enumerated() {
      row(2, [b + 1, 0, 0, 0], grid.box(of: block), "-1", "")
      for (p, paragraph) in block.paragraphs.enumerated() {
        row(3, [b + 1, p + 1, 0, 0], grid.box(of: paragraph), "-1", "")
        for (l, line) in paragraph.enumerated() {
          row(4, [b + 1, p + 1, l + 1, 0], grid.box(of: line), "-1", "")
          for (w, word) in line.words.enumerated() {
            let text = word.text.replacing("\t", with: " ")
            row(5, [b + 1, p + 1, l + 1, w + 1], grid.box(of: word), decimal(word.confidence, 2), text)
          }
        }
      }
    }
    return out
  }
}

/// Boxes in whole pixels of the picture that was read.
struct PixelGrid {
  let width: Int
  let height: Int
  private let scale: (x: Double, y: Double)
  private let usesPoints: Bool

  init(_ page: PageResult) {
    width = page.pixels.first ?? 1
    height = page.pixels.last ?? 1
    // Text that stood in the input has no pixels.
    usesPoints = page.hasOwnText
    scale = (Double(width) / max(page.width, 0.01), Double(height) / max(page.height, 0.01))
  }

  func box(of word: PageText.Word) -> Box {
    guard usesPoints else { return word.pixels }
    return Box(
      x: word.box.x * scale.x, y: word.box.y * scale.y, width: word.box.width * scale.x,
      height: word.box.height * scale.y)
  }
  func box(of line: PageText.Line) -> Box { union(line.words.map { box(of: $0) }) }
  func box(of lines: [PageText.Line]) -> Box { union(lines.map { box(of: $0) }) }
  func box(of block: PageText.Block) -> Box { box(of: block.lines) }

  private func union(_ boxes: [Box]) -> Box {
    guard let first = boxes.first else { return Box(x: 0, y: 0, width: 0, height: 0) }
    return boxes.dropFirst().reduce(first) { $0.union($1) }
  }

  /// Left, top, width, height.
  func cells(_ box: Box) -> [Int] { [box.x, box.y, box.width, box.height].map(PixelGrid.whole) }
  /// Left, top, right, bottom.
  func corners(_ box: Box) -> [Int] { [box.x, box.y, box.x + box.width, box.y + box.height].map(PixelGrid.whole) }

  static func whole(_ value: Double) -> Int { value.isFinite ? Int(min(max(value.rounded(), -1e9), 1e9)) : 0 }
}

extension PageText.Block {
  var paragraphs: [[PageText.Line]] {
    var result: [[PageText.Line]] = []
    for line in lines {
      if line.startsParagraph || result.isEmpty { result.append([line]) } else { result[result.count - 1].append(line) }
    }
    return result
  }
}

/// A number with at most so many digits behind the point.
func decimal(_ value: Double, _ digits: Int) -> String {
  guard value.isFinite, abs(value) < 1e12 else { return "0" }
  var power = 1
  for _ in 0..<digits { power *= 10 }
  let scaled = Int((value * Double(power)).rounded())
  if scaled % power == 0 { return String(scaled / power) }
  var fraction = String(abs(scaled) % power)
  fraction = String(repeating: "0", count: digits - fraction.count) + fraction
  while fraction.hasSuffix("0") { fraction.removeLast() }
  return (scaled < 0 ? "-" : "") + String(abs(scaled) / power) + "." + fraction
}

extension String {
  /// For XML and HTML, in text and in attributes; characters that XML cannot hold are left out.
  var escapedForXML: String {
    var out = ""
    for scalar in unicodeScalars {
      switch scalar {
      case "&": out += "&amp;"
      case "<": out += "&lt;"
      case ">": out += "&gt;"
      case "\"": out += "&quot;"
      case "'": out += "&#39;"
      case "\t", "\n", "\r": out.unicodeScalars.append(scalar)
      default: if scalar.value >= 0x20, scalar.value & 0xfffe != 0xfffe { out.unicodeScalars.append(scalar) }
      }
    }
    return out
  }

  /// As a JSON string, with its quotes.
  var quotedForJSON: String {
    var out = "\""
    for scalar in unicodeScalars {
      switch scalar {
      case "\"": out += "\\\""
      case "\\": out += "\\\\"
      case "\n": out += "\\n"
      case "\t": out += "\\t"
      default:
        if scalar.value < 0x20 {
          let digits = String(scalar.value, radix: 16)
          out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        } else {
          out.unicodeScalars.append(scalar)
        }
      }
    }
    return out + "\""
  }
}

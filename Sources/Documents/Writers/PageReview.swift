import CTesseract
import Foundation
import Frames

/// What a person should look at on one page: why it was not read, or the doubtful words, each cut from the page.
/// A document's reviews are kept as one line of JSON a page until its run makes a `ReviewBook` of them.
public struct PageReview: Sendable, Codable {
  public struct Word: Sendable, Codable {
    public var text: String
    /// In whole percent.
    public var certainty: Int
    /// A piece of the page, as PNG.
    public var image: Data
  }

  /// Counted from 1.
  public var number: Int
  /// Enough of it is doubtful for the whole page to be looked at.
  public var isToReview: Bool
  /// Why it was not read.
  public var note: String?
  /// How many words are doubtful; `words` may have fewer.
  public var doubtful: Int
  public var words: [Word]

  /// Beyond so many words of a document nobody looks on.
  static let wordLimit = 500

  /// Nil where there is nothing to look at.
  ///
  /// - Parameters:
  ///   - picture: the page that the words' pixels belong to.
  ///   - threshold: words of a lower certainty are doubtful.
  ///   - limit: how many words to cut out.
  init?(_ page: PageResult, _ picture: Picture, isToReview: Bool, threshold: Double, limit: Int) throws {
    let found = page.hasOwnText ? [] : page.text?.words.filter { $0.certainty < threshold } ?? []
    guard page.note != nil || !found.isEmpty else { return nil }
    number = page.number + 1
    self.isToReview = isToReview
    note = page.note
    doubtful = found.count
    let pix = try found.isEmpty || limit < 1 ? nil : Pix(picture)
    words = try found.prefix(max(limit, 0)).compactMap { word in
      guard let pix, let image = try PageReview.piece(of: pix, word.pixels) else { return nil }
      return Word(text: word.text, certainty: PixelGrid.whole(word.certainty), image: Data(image))
    }
  }

  /// The word with a little of what stands around it; nil where it lies outside of the page.
  private static func piece(of pix: Pix, _ box: Box) throws -> [UInt8]? {
    let margin = max(box.height * 0.4, 4)
    let left = max(PixelGrid.whole(box.x - margin * 1.5), 0)
    let top = max(PixelGrid.whole(box.y - margin), 0)
    let right = min(PixelGrid.whole(box.x + box.width + margin * 1.5), pix.width)
    let bottom = min(PixelGrid.whole(box.y + box.height + margin), pix.height)
    guard right > left, bottom > top else { return nil }
    var frame = boxCreate(Int32(left), Int32(top), Int32(right - left), Int32(bottom - top))
    defer { boxDestroy(&frame) }
    let cut = try pix.making { pixClipRectangle($0, frame, nil) }
    if cut.isBilevel { return try cut.making { pixConvertTo1($0, 128) }.encoded(.png) }
    // What was taken for a word may be half a page.
    let factor = min(1, 900 / Double(cut.width), 300 / Double(cut.height))
    return try (factor < 1 ? cut.making { pixScale($0, Float(factor), Float(factor)) } : cut).encoded(.png)
  }
}

/// Writes a document's reviews as its pages come.
final class ReviewWriter {
  private let file: TextFile
  private let path: String
  private var words = 0
  private(set) var isEmpty = true

  init(_ path: String) throws {
    self.path = path
    file = try TextFile(path)
  }

  func add(_ page: PageResult, _ picture: Picture, isToReview: Bool, threshold: Double) throws {
    let limit = PageReview.wordLimit - words
    guard
      let review = try PageReview(page, picture, isToReview: isToReview, threshold: threshold, limit: limit)
    else { return }
    words += review.words.count
    isEmpty = false
    try file.write(String(decoding: JSONEncoder().encode(review), as: UTF8.self) + "\n")
  }

  /// Leaves no file where there is nothing to look at.
  func finish() throws {
    try file.close()
    if isEmpty { try FileManager.default.removeItem(atPath: path) }
  }
}

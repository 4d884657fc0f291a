import Foundation
import Frames

/// One web page of all that a person should look at after a run: the doubtful words of its documents, each cut from its
/// page beside what was read. It needs nothing but itself: pictures are part of it, and it runs no script.
public struct ReviewBook {
  /// How many pages a person should look at, of how many documents, and how many words are doubtful.
  public private(set) var pages = 0
  public private(set) var documents = 0
  public private(set) var words = 0

  private let file: TextFile
  private var shown = 0
  private var index = ""
  private var listed = 0

  /// Beyond so many words of a run nobody looks on, and browsers grow slow.
  private static let wordLimit = 3000
  private static let listLimit = 500
  private static let mark = "<!DOCTYPE html><!-- review by pipe -->"

  /// Whether a file is such a page, and so may be replaced or removed.
  public static func isOne(_ path: String) -> Bool {
    guard let file = FileHandle(forReadingAtPath: path) else { return false }
    defer { try? file.close() }
    return (try? file.read(upToCount: mark.utf8.count)) == Data(mark.utf8)
  }

  /// Throws `Failure` where the file cannot be written, as do the other calls.
  public init(_ path: String, title: String) throws {
    file = try TextFile(path)
    try file.write(
      """
      \(ReviewBook.mark)
      <html lang="en"><head><meta charset="utf-8">
      <meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <title>Review of \(title.escapedForXML)</title>
      <style>\(ReviewBook.style)</style></head><body>

      """)
  }

  /// Adds a document.
  ///
  /// - Parameters:
  ///   - name: for the reader.
  ///   - link: where its PDF lies, seen from this page; nil where there is none.
  ///   - lines: its `PageReview`s, one line of JSON a page; what cannot be read is passed over.
  public mutating func add(_ name: String, link: String?, lines: Data) throws {
    let decoder = JSONDecoder()
    let reviews = lines.split(separator: 10).compactMap { try? decoder.decode(PageReview.self, from: Data($0)) }
    if reviews.isEmpty { return }
    let toReview = reviews.count { $0.isToReview }
    let doubtful = reviews.reduce(0) { $0 + $1.doubtful }
    documents += 1
    pages += toReview
    words += doubtful
    let count = ReviewBook.count(toReview, "page") + ", " + ReviewBook.count(doubtful, "word")
    list("<li><a href=\"#d\(documents)\">\(name.escapedForXML)</a> <small>\(count)</small></li>\n")
    let target = link.map { ReviewBook.reference($0) }
    let title = ReviewBook.anchor(name.escapedForXML, target)
    try file.write("<section id=\"d\(documents)\"><h2>\(title)</h2>\n")
    for review in reviews { try write(review, target) }
    try file.write("</section>\n")
  }

  public mutating func finish() throws {
    let rest = words - shown
    try file.write(
      """
      <header><h1>\(ReviewBook.count(pages, "page")) to review</h1>
      <p>\(ReviewBook.count(words, "word")) of \(ReviewBook.count(documents, "document")) \
      \(words == 1 ? "was" : "were") read with little certainty\
      \(rest > 0 ? "; \(rest) of them are not shown here" : ""). Each stands beside its piece of the page.</p>
      <ol>
      \(index)\(listed < documents ? "<li class=\"rest\">and \(documents - listed) more</li>\n" : "")</ol></header>
      </body></html>

      """)
    try file.close()
  }

  private mutating func list(_ item: String) {
    guard listed < ReviewBook.listLimit else { return }
    index += item
    listed += 1
  }

  private mutating func write(_ review: PageReview, _ target: String?) throws {
    var out = "<h3>" + ReviewBook.anchor("Page \(review.number)", target.map { "\($0)#page=\(review.number)" })
    if review.isToReview { out += " <b>to review</b>" }
    out += "</h3>\n"
    if let note = review.note { out += "<p class=\"note\">Not read: \(note.escapedForXML)</p>\n" }
    let words = review.words.prefix(max(ReviewBook.wordLimit - shown, 0))
    if !words.isEmpty { out += "<ul>\n" }
    for word in words {
      out += "<li><img alt=\"\" loading=\"lazy\" src=\"data:image/png;base64,\(word.image.base64EncodedString())\">"
      out += "<span>\(word.text.escapedForXML)</span><small>\(word.certainty)&#8239;%</small></li>\n"
    }
    if !words.isEmpty { out += "</ul>\n" }
    if words.count < review.doubtful {
      out += "<p class=\"rest\">and \(ReviewBook.count(review.doubtful - words.count, "more word"))</p>\n"
    }
    shown += words.count
    try file.write(out)
  }

  private static func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }

  private static func anchor(_ text: String, _ target: String?) -> String {
    target.map { "<a href=\"\($0)\">\(text)</a>" } ?? text
  }

  /// A relative reference: a name with a colon is no scheme.
  private static func reference(_ path: String) -> String {
    let allowed = CharacterSet(charactersIn: "-._~/").union(.init(charactersIn: "0"..."9")).union(
      .init(charactersIn: "a"..."z")
    ).union(.init(charactersIn: "A"..."Z"))
    return "./" + (path.addingPercentEncoding(withAllowedCharacters: allowed) ?? "")
  }

  /// The head is written last, when all is counted, and shown first.
  private static let style = """
    :root { color-scheme: light dark; --line: #8884; --soft: #8881; --warm: #c2410c }
    body { display: flex; flex-direction: column; max-width: 70rem; margin: 2rem auto; padding: 0 1rem;
      font: 16px/1.5 system-ui, sans-serif }
    header { order: -1 } h1 { margin: 0 } h2 { margin: 2.5rem 0 0; border-bottom: 1px solid var(--line) }
    h3 { margin: 1rem 0 .5rem; font-size: 1rem } h2 a, h3 a { color: inherit; text-decoration: none }
    h2 a:hover, h3 a:hover { text-decoration: underline } h2, header li { overflow-wrap: anywhere }
    b { font-weight: 600; font-size: .8em; color: #fff; background: var(--warm); border-radius: 1em; padding: .1em .7em }
    small, .rest { opacity: .65 } .note { color: var(--warm); margin: 0 }
    section ul { display: grid; grid-template-columns: repeat(auto-fill, minmax(19rem, 1fr)); gap: .5rem;
      list-style: none; margin: 0; padding: 0 }
    section li { display: grid; grid-template-columns: 1fr 1fr auto; gap: .75rem; align-items: center;
      background: var(--soft); border-radius: .4rem; padding: .4rem .6rem }
    section img { max-width: 100%; max-height: 3.5rem; background: #fff; border-radius: .2rem }
    section span { font-family: ui-monospace, monospace; overflow-wrap: anywhere }
    """
}

import Frames

/// Which pages of a document: `2,3-end`, `1-5`, `end`; all where empty.
public struct PageSelection: Sendable, Hashable {
  private enum Bound: Sendable, Hashable { case page(Int), end }
  private var ranges: [(from: Bound, to: Bound)] = []
  public let text: String

  public static func == (left: PageSelection, right: PageSelection) -> Bool { left.text == right.text }
  public func hash(into hasher: inout Hasher) { hasher.combine(text) }

  /// Throws `Failure` of exit code 2 where `text` is no list of pages.
  public init(_ text: String) throws {
    self.text = text
    for part in text.split(separator: ",", omittingEmptySubsequences: false) where !text.isEmpty {
      let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { PageSelection.bound($0) }
      guard ends.count <= 2, let from = ends.first, let from, let to = ends.last, let to else {
        throw Failure("'\(text)' is no list of pages", advice: "write it as 1,3-5,8-end", exitCode: .usage)
      }
      ranges.append((from, to))
    }
  }

  private static func bound(_ text: Substring) -> Bound? {
    let word = text.filter { $0 != " " }
    if word == "end" || word == "z" { return .end }
    guard let number = Int(word), number >= 1 else { return nil }
    return .page(number)
  }

  /// The selected ones of `count` pages, counted from 0, in ascending order.
  public func pages(of count: Int) -> [Int] {
    if ranges.isEmpty { return Array(0..<count) }
    var selected: Set<Int> = []
    func number(_ bound: Bound) -> Int { if case .page(let number) = bound { number } else { count } }
    for range in ranges {
      let from = number(range.from)
      let to = min(number(range.to), count)
      if from <= to { selected.formUnion(from - 1...to - 1) }
    }
    return selected.sorted()
  }
}

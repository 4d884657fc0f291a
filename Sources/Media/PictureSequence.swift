import Foundation
import Frames

/// Numbered pictures of a folder that are the frames of one film: `frames/shot.####.png`.
///
/// A run of `#` in the name stands for a number of at least as many digits.
public struct PictureSequence: Sendable, Hashable {
  public struct Entry: Sendable, Hashable {
    public var number: Int
    public var path: String
  }

  public let pattern: String
  /// At least one, by number.
  public let entries: [Entry]
  /// What a film made of them is called: the name without its number, or the folder's where nothing else is left.
  public let title: String

  /// Nil where the name has no `#`, a file of that very name exists, or none that it stands for does.
  public init?(_ pattern: String) {
    let (folder, name) = (pattern.parentFolder, (pattern as NSString).lastPathComponent)
    guard let start = name.firstIndex(of: "#"), !FileManager.default.fileExists(atPath: pattern) else { return nil }
    let end = name[start...].firstIndex { $0 != "#" } ?? name.endIndex
    let (prefix, suffix) = (String(name[..<start]), String(name[end...]))
    guard !suffix.contains("#") else { return nil }
    let digits = name.distance(from: start, to: end)
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.isEmpty ? "." : folder)) ?? []
    entries = names.compactMap { candidate -> Entry? in
      guard candidate.count >= prefix.count + digits + suffix.count, candidate.hasPrefix(prefix),
        candidate.hasSuffix(suffix)
      else { return nil }
      let middle = candidate.dropFirst(prefix.count).dropLast(suffix.count)
      guard middle.count == digits || (middle.count > digits && middle.first != "0"),
        middle.allSatisfy({ $0.isASCII && $0.isNumber }), let number = Int(middle)
      else { return nil }
      return Entry(
        number: number, path: folder.isEmpty ? candidate : (folder as NSString).appendingPathComponent(candidate))
    }.sorted { $0.number < $1.number }
    guard !entries.isEmpty else { return nil }
    self.pattern = pattern
    let stem = String(prefix.reversed().drop { "._- ".contains($0) }.reversed())
    let place = URL(filePath: folder.isEmpty ? "." : folder).standardized.lastPathComponent
    let ending = (name as NSString).pathExtension
    title = (stem.isEmpty ? place : stem) + (ending.isEmpty ? "" : "." + ending)
  }

  /// Numbers that are missing between the first and the last.
  public var gaps: [ClosedRange<Int>] {
    zip(entries, entries.dropFirst()).compactMap { $1.number > $0.number + 1 ? $0.number + 1...$1.number - 1 : nil }
  }
}

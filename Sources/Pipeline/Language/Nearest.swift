/// Finds what somebody probably meant.
public enum Nearest {
  /// The candidate with the least edit distance to `word`, if it is near enough to be a slip.
  public static func name(to word: String, in candidates: [String]) -> String? {
    let best = candidates.map { ($0, distance(word.lowercased(), $0.lowercased())) }.min { $0.1 < $1.1 }
    guard let (name, distance) = best, distance <= max(2, name.count / 3) else { return nil }
    return name
  }

  /// "; did you mean 'crf'?", or else the list of what there is.
  static func hint(_ word: String, in candidates: [String]) -> String {
    if let name = name(to: word, in: candidates) { return "; did you mean '\(name)'?" }
    return candidates.isEmpty ? "" : "; there are " + candidates.joined(separator: ", ")
  }

  /// Optimal string alignment distance: insertions, deletions, substitutions and swaps of neighbours.
  static func distance(_ a: String, _ b: String) -> Int {
    // Long words are no slips; this also bounds the work on hostile files.
    let a = Array(a.prefix(64)), b = Array(b.prefix(64))
    var before: [Int] = []
    var last = Array(0...b.count)
    for i in a.indices {
      var row = [i + 1]
      for j in b.indices {
        var cost = min(last[j + 1] + 1, row[j] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { cost = min(cost, before[j - 1] + 1) }
        row.append(cost)
      }
      (before, last) = (last, row)
    }
    return last[b.count]
  }
}

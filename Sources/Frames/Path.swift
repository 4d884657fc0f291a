extension String {
  /// The folder that a path lies in: empty for a name alone, `/` for the root.
  ///
  /// Foundation's `deletingLastPathComponent` of `NSString` (Swift 6.3, Linux) traps on names of one character.
  public var parentFolder: String {
    let path = utf8
    func trimmed(_ end: Index) -> Index {
      var end = end
      while end > path.startIndex, path[path.index(before: end)] == 0x2f { end = path.index(before: end) }
      return end
    }
    let end = trimmed(path.endIndex)
    guard let slash = path[..<end].lastIndex(of: 0x2f) else { return hasPrefix("/") ? "/" : "" }
    let parent = trimmed(slash)
    return parent == path.startIndex ? "/" : String(self[..<parent])
  }
}

/// Names made from other names by a suffix, within the 255 bytes that a file's name may have.
public enum TemporaryName {
  static let longest = 255

  /// `path` with `suffix`; a name that would be too long is cut and told apart by a hash of the whole.
  public static func fitting(_ path: String, suffix: String) -> String {
    let start = path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex
    let name = String(path[start...])
    guard name.utf8.count + suffix.utf8.count > longest else { return path + suffix }
    return path[..<start] + cut(name, to: longest - suffix.utf8.count) + suffix
  }

  /// At most `limit` bytes (but no fewer than the hash needs), ending in a hash of the whole where something was cut.
  public static func cut(_ name: String, to limit: Int) -> String {
    guard name.utf8.count > limit else { return name }
    // FNV-1a: it only has to be the same in every run.
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    let mark = "~" + String(hash, radix: 16)
    var head = name
    while !head.isEmpty, head.utf8.count + mark.utf8.count > limit { head.removeLast() }
    return head + mark
  }
}

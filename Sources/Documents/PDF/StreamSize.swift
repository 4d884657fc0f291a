import Foundation

extension PDFObject {
  /// More than any page's content comes to.
  static let contentLimit = 256 << 20

  /// Whether undoing the stream's filters would give more than `limit` bytes, as only a trap does. Nothing larger than
  /// the stream itself is held to find out.
  func unpacks(beyond limit: Int) -> Bool {
    let filter = self["/Filter"]
    let names = filter.isArray ? filter.items.compactMap(\.name) : [filter.name].compactMap { $0 }
    let packed = names.count { ["/FlateDecode", "/Fl", "/LZWDecode", "/LZW", "/RunLengthDecode", "/RL"].contains($0) }
    guard packed > 0, let raw = stored(), !raw.isEmpty else { return false }
    // LZW makes up to 1365 bytes of one, deflate 1032.
    var most = raw.count
    for _ in 0..<packed { most = most.multipliedReportingOverflow(by: 1400).overflow ? .max : most * 1400 }
    if most <= limit { return false }
    if names == ["/FlateDecode"] { return inflates(raw, beyond: limit) }
    // Rare kinds are not looked into: they are trusted somewhat further.
    return most / 4 > limit
  }

  private func inflates(_ raw: [UInt8], beyond limit: Int) -> Bool {
    guard let inflater = Inflater(Data(raw), [0..<raw.count]) else { return true }
    var piece = [UInt8](repeating: 0, count: 1 << 16)
    var total = 0
    while true {
      let made = inflater.fill(&piece)
      total += made
      if total > limit { return true }
      if made < piece.count { return false }
    }
  }
}

import Foundation

extension PictureTags {
  /// Tags that say how the pixels are stored, or that are carried otherwise: XMP, Photoshop, ICC, IPTC.
  private static let structural: Set<Int> = Set([
    254, 255, 256, 257, 258, 259, 262, 263, 264, 265, 266, 273, 277, 278, 279, 280, 281, 284, 288, 289, 290, 291, 292,
    293, 301, 317, 318, 319, 320, 321, 322, 323, 324, 325, 330, 332, 333, 334, 336, 338, 339, 340, 341, 342, 347, 512,
    513, 514, 515, 517, 518, 519, 520, 521, 529, 530, 531, 532, 700, 33723, 34377, 34675,
  ])

  init(tiff reader: Reader, bigEndian: Bool) {
    guard let head = reader.bytes(4, 4),
      var folder = TagFolder(
        at: PictureTags.big((bigEndian ? head : head.reversed())[...]), bigEndian: bigEndian, read: reader.bytes)
    else { return }
    if folder[324] != nil {
      obstacle = "its picture lies in tiles"
    } else if [[6, 0], [7, 0]].contains(folder[259]?.bytes) {
      obstacle = "its picture is a JPEG inside a TIFF"
    }
    pages = PictureTags.pages(reader, bigEndian: bigEndian)
    xmp = folder[700]?.bytes
    photoshop = folder[34377]?.bytes
    if folder[33723] != nil, photoshop == nil { left.append("IPTC captions") }
    density = PictureTags.density(folder)
    folder.remove(PictureTags.structural)
    if !folder.entries.isEmpty || !folder.children.isEmpty { exif = EXIF(folder.file) }
  }

  /// Pictures that follow each other, but for thumbnails and masks; no more than a hundred are looked for.
  private static func pages(_ reader: Reader, bigEndian: Bool) -> Int {
    func number(_ bytes: [UInt8]) -> Int { big((bigEndian ? bytes : bytes.reversed())[...]) }
    var count = 0
    var place = reader.bytes(4, 4).map(number) ?? 0
    for _ in 0..<100 {
      guard let folder = TagFolder(at: place, bigEndian: bigEndian, read: reader.bytes),
        let entries = reader.bytes(place, 2).map(number)
      else { break }
      if (folder[254]?.bytes.first ?? 0) & 5 == 0 { count += 1 }
      place = reader.bytes(place + 2 + 12 * entries, 4).map(number) ?? 0
    }
    return max(count, 1)
  }

  /// Pixels a metre, by the tags of resolution and its unit.
  static func density(_ folder: TagFolder) -> Double? {
    func value(_ tag: Int) -> Double? {
      guard let entry = folder[tag], entry.type == 5, entry.bytes.count == 8 else { return nil }
      let (a, b) = (big(entry.bytes[..<4].reversed()[...]), big(entry.bytes[4...].reversed()[...]))
      return b > 0 ? Double(a) / Double(b) : nil
    }
    let unit = folder[296].map { Int($0.bytes.first ?? 2) } ?? 2
    guard let x = value(282), x == value(283), x > 0, unit == 2 || unit == 3 else { return nil }
    return x * 100 / (unit == 2 ? 2.54 : 1)
  }

  func inTIFF(_ file: [UInt8], _ profile: [UInt8]?) -> (file: [UInt8], lost: [String]) {
    // FFmpeg writes in this machine's order, which is little-endian wherever pipe runs.
    guard file.starts(with: [0x49, 0x49, 42, 0]) else { return (file, names(profile)) }
    let read: (Int, Int) -> [UInt8]? = { offset, count in
      offset >= 0 && count >= 0 && count <= file.count && offset <= file.count - count
        ? Array(file[offset..<offset + count]) : nil
    }
    let start = PictureTags.big(Array(file[4..<8].reversed())[...])
    guard var target = TagFolder(at: start, bigEndian: false, read: read) else { return (file, names(profile)) }
    var (own, lost) = folder()
    own.remove(PictureTags.structural.union([274, 282, 283, 296]))
    for entry in own.entries { target.set(entry) }
    for (tag, child) in own.children { target.children[tag] = child }
    if let profile { target.set(TagFolder.bytes(34675, type: 7, profile)) }
    if let xmp { target.set(TagFolder.bytes(700, type: 1, xmp)) }
    if let photoshop { target.set(TagFolder.bytes(34377, type: 1, photoshop)) }
    if let density {
      for tag in [282, 283] { target.set(TagFolder.rational(tag, density * 0.0254)) }
      target.set(TagFolder.short(296, 2))
    }
    var result = file
    if result.count % 2 != 0 { result.append(0) }
    guard result.count < 1 << 31 else { return (file, names(profile)) }
    result.replaceSubrange(4..<8, with: TagFolder.little(result.count, 4))
    result += target.serialised(at: result.count)
    lost.sort()
    return (result, lost)
  }

  private func names(_ profile: [UInt8]?) -> [String] {
    embedded(in: [], .exr, profile: profile).lost
  }
}

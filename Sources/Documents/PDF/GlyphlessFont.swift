/// A TrueType font of blank glyphs, half an em wide: text in it is found and selected but never seen.
enum GlyphlessFont {
  /// Width of every letter, of the height and of the part below the baseline, in ems.
  static let width = 0.5
  static let ascent = 0.8
  static let descent = 0.2

  private static let unitsPerEm = 1000

  static let file: [UInt8] = {
    var head = BigEndian()
    head.long(0x0001_0000)
    head.long(0x0001_0000)
    head.long(0)
    head.long(0x5f0f_3cf5)
    head.short(0)
    head.short(unitsPerEm)
    for _ in 0..<4 { head.long(0) }
    for value in [0, -200, 500, 800, 0, 8, 2, 1, 0] { head.short(value) }

    var hhea = BigEndian()
    hhea.long(0x0001_0000)
    for value in [800, -200, 0, 500, 0, 0, 500, 1, 0, 0, 0, 0, 0, 0, 0, 2] { hhea.short(value) }

    var maxp = BigEndian()
    maxp.long(0x0001_0000)
    for value in [2, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0] { maxp.short(value) }

    var hmtx = BigEndian()
    for _ in 0..<2 {
      hmtx.short(500)
      hmtx.short(0)
    }
    var loca = BigEndian()
    for _ in 0..<3 { loca.long(0) }
    // No letter is reached by its code: PDF names glyphs by number.
    var cmap = BigEndian()
    for value in [0, 1, 3, 1] { cmap.short(value) }
    cmap.long(12)
    for value in [4, 24, 0, 2, 2, 0, 0, 0xffff, 0, 0xffff, 1, 0] { cmap.short(value) }
    var post = BigEndian()
    post.long(0x0003_0000)
    for _ in 0..<7 { post.long(0) }

    return sfnt([
      ("cmap", cmap.bytes), ("glyf", [0, 0, 0, 0]), ("head", head.bytes), ("hhea", hhea.bytes), ("hmtx", hmtx.bytes),
      ("loca", loca.bytes), ("maxp", maxp.bytes), ("post", post.bytes),
    ])
  }()

  private static func sfnt(_ tables: [(tag: String, bytes: [UInt8])]) -> [UInt8] {
    var directory = BigEndian()
    directory.long(0x0001_0000)
    for value in [tables.count, 128, 3, tables.count * 16 - 128] { directory.short(value) }
    var body: [UInt8] = []
    var headAt = 0
    for table in tables {
      let offset = 12 + tables.count * 16 + body.count
      if table.tag == "head" { headAt = offset }
      directory.bytes += Array(table.tag.utf8)
      directory.long(Int(checksum(table.bytes)))
      directory.long(offset)
      directory.long(table.bytes.count)
      body += table.bytes
      while body.count % 4 != 0 { body.append(0) }
    }
    var file = directory.bytes + body
    var adjustment = BigEndian()
    adjustment.long(Int(0xb1b0_afba &- checksum(file)))
    file.replaceSubrange(headAt + 8..<headAt + 12, with: adjustment.bytes)
    return file
  }

  private static func checksum(_ bytes: [UInt8]) -> UInt32 {
    var sum: UInt32 = 0
    for (index, byte) in bytes.enumerated() { sum &+= UInt32(byte) << UInt32(24 - index % 4 * 8) }
    return sum
  }
}

/// Bytes of a binary file whose numbers have their highest byte first.
struct BigEndian {
  var bytes: [UInt8] = []
  mutating func short(_ value: Int) {
    bytes.append(UInt8(truncatingIfNeeded: value >> 8))
    bytes.append(UInt8(truncatingIfNeeded: value))
  }
  mutating func long(_ value: Int) {
    short(value >> 16)
    short(value)
  }
}

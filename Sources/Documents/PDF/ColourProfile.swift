/// An ICC profile of sRGB (IEC 61966-2.1), version 4, with its curve as a formula.
enum ColourProfile {
  static let sRGB: [UInt8] = {
    // Primaries and white of sRGB adapted to D50 by the Bradford transform, in 1/65536.
    let tags: [(String, [UInt8])] = [
      ("desc", text("sRGB")),
      ("cprt", text("No copyright, use freely")),
      ("wtpt", numbers("XYZ ", [0.9642, 1, 0.8249])),
      ("chad", numbers("sf32", [1.04788, 0.02292, -0.05022, 0.02959, 0.99048, -0.01707, -0.00925, 0.01508, 0.75168])),
      ("rXYZ", numbers("XYZ ", [0.43607, 0.22249, 0.01392])),
      ("gXYZ", numbers("XYZ ", [0.38515, 0.71687, 0.09708])),
      ("bXYZ", numbers("XYZ ", [0.14307, 0.06061, 0.71410])),
      ("rTRC", curve), ("gTRC", curve), ("bTRC", curve),
    ]
    var table = BigEndian()
    var body: [UInt8] = []
    var places: [[UInt8]: Int] = [:]
    table.long(tags.count)
    for (tag, bytes) in tags {
      let at = places[bytes] ?? 128 + 4 + tags.count * 12 + body.count
      if places.updateValue(at, forKey: bytes) == nil { body += bytes }
      table.bytes += Array(tag.utf8)
      table.long(at)
      table.long(bytes.count)
    }
    var header = BigEndian()
    header.long(128 + table.bytes.count + body.count)
    header.long(0)
    header.long(0x0420_0000)
    header.bytes += Array("mntrRGB XYZ ".utf8)
    for value in [2026, 1, 1, 0, 0, 0] { header.short(value) }
    header.bytes += Array("acsp".utf8)
    for _ in 0..<7 { header.long(0) }
    header.bytes += fixed([0.9642, 1, 0.8249])
    header.bytes += [UInt8](repeating: 0, count: 128 - header.bytes.count)
    return header.bytes + table.bytes + body
  }()

  private static let curve = numbers(
    "para", [2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045], prefix: [0, 3, 0, 0])

  private static func fixed(_ values: [Double]) -> [UInt8] {
    var result = BigEndian()
    for value in values { result.long(Int((value * 65536).rounded())) }
    return result.bytes
  }

  private static func numbers(_ type: String, _ values: [Double], prefix: [UInt8] = []) -> [UInt8] {
    Array(type.utf8) + [0, 0, 0, 0] + prefix + fixed(values)
  }

  private static func text(_ text: String) -> [UInt8] {
    var result = BigEndian()
    result.bytes += Array("mluc".utf8)
    for value in [0, 1, 12] { result.long(value) }
    result.bytes += Array("enUS".utf8)
    result.long(text.utf16.count * 2)
    result.long(28)
    for unit in text.utf16 { result.short(Int(unit)) }
    while result.bytes.count % 4 != 0 { result.bytes.append(0) }
    return result.bytes
  }
}

/// The tags that cameras put beside a picture: a TIFF structure without pictures, carried as it is from file to file,
/// but for what a change of the picture makes untrue.
struct EXIF: Hashable {
  private(set) var bytes: [UInt8]
  private let isBigEndian: Bool

  /// Nil where the bytes do not begin as TIFF does.
  init?(_ bytes: [UInt8]) {
    guard bytes.count >= 14, bytes.count < 1 << 20 else { return nil }
    switch Array(bytes.prefix(4)) {
    case [0x49, 0x49, 42, 0]: isBigEndian = false
    case [0x4d, 0x4d, 0, 42]: isBigEndian = true
    default: return nil
    }
    self.bytes = bytes
  }

  /// How the picture is to be turned, from 1 to 8; nil where nothing is said.
  var orientation: Int? { entry(0x0112, at: mainFolder).flatMap { number($0 + 8, 2) } }

  /// All tags, out of their file.
  var folder: TagFolder? {
    TagFolder(at: mainFolder, bigEndian: isBigEndian) { place, count in
      place >= 0 && count >= 0 && count <= bytes.count && place <= bytes.count - count
        ? Array(bytes[place..<place + count]) : nil
    }
  }

  /// The same tags for a picture that lies upright and has another size; density in pixels a metre.
  mutating func describe(width: Int, height: Int, density: Double? = nil) {
    if let place = entry(0x0112, at: mainFolder) { store(1, at: place + 8, 2) }
    if let density { describe(density) }
    guard let pointer = entry(0x8769, at: mainFolder), let folder = number(pointer + 8, 4) else { return }
    for (tag, value) in [(0xa002, width), (0xa003, height)] {
      guard let place = entry(tag, at: folder), let type = number(place + 2, 2) else { continue }
      store(value, at: place + 8, type == 3 ? 2 : 4)
    }
  }

  private mutating func describe(_ density: Double) {
    let unit = entry(296, at: mainFolder).flatMap { number($0 + 8, 2) } ?? 2
    guard unit == 2 || unit == 3 else { return }
    let value = Int(min(density * (unit == 2 ? 25.4 : 10), 4e9).rounded())
    for tag in [282, 283] {
      guard let place = entry(tag, at: mainFolder), number(place + 2, 2) == 5, let pointer = number(place + 8, 4) else {
        continue
      }
      store(value, at: pointer, 4)
      store(1000, at: pointer + 4, 4)
    }
  }

  // MARK: TIFF's structure

  private var mainFolder: Int { number(4, 4) ?? 0 }

  /// Where the tag's entry of twelve bytes begins.
  private func entry(_ tag: Int, at folder: Int) -> Int? {
    guard folder >= 8, let count = number(folder, 2) else { return nil }
    return (0..<count).lazy.map { folder + 2 + 12 * $0 }.first { number($0, 2) == tag && $0 + 12 <= bytes.count }
  }

  private func number(_ place: Int, _ length: Int) -> Int? {
    guard place >= 0, place + length <= bytes.count else { return nil }
    let part = bytes[place..<place + length]
    return (isBigEndian ? Array(part) : part.reversed()).reduce(0) { $0 << 8 | Int($1) }
  }

  private mutating func store(_ value: Int, at place: Int, _ length: Int) {
    guard place >= 0, place + length <= bytes.count else { return }
    for index in 0..<length {
      bytes[place + index] = UInt8(truncatingIfNeeded: value >> (8 * (isBigEndian ? length - 1 - index : index)))
    }
  }
}

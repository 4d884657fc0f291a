/// A folder of tags as TIFF and EXIF hold them, with the folders within it, out of its file and free of byte order.
struct TagFolder: Hashable {
  struct Entry: Hashable {
    var tag: Int
    /// TIFF's number of the type.
    var type: Int
    var count: Int
    /// Little-endian.
    var bytes: [UInt8]
  }

  var entries: [Entry] = []
  /// By the tag that points at them.
  var children: [Int: TagFolder] = [:]

  /// Camera, place and interoperability.
  private static let pointers: Set<Int> = [0x8769, 0x8825, 0xa005]
  private static let largest = 1 << 20

  init() {}

  /// - Parameters:
  ///   - offset: where the folder begins.
  ///   - read: bytes of the file from a place on, or nil.
  init?(at offset: Int, bigEndian: Bool, depth: Int = 0, read: (Int, Int) -> [UInt8]?) {
    func number(_ bytes: ArraySlice<UInt8>) -> Int {
      (bigEndian ? Array(bytes) : bytes.reversed()).reduce(0) { $0 << 8 | Int($1) }
    }
    guard offset >= 8, let count = read(offset, 2).map({ number($0[...]) }), count <= 4096,
      let raw = read(offset + 2, 12 * count)
    else { return nil }
    var room = TagFolder.largest
    var met: Set<Int> = []
    for index in 0..<count {
      let fields = raw[12 * index..<12 * index + 12]
      let start = fields.startIndex
      let (tag, type) = (number(fields[start..<start + 2]), number(fields[start + 2..<start + 4]))
      let items = number(fields[start + 4..<start + 8])
      guard let (size, unit) = TagFolder.sizes[type], items > 0, items <= room / size else { continue }
      let length = items * size
      let place = number(fields[start + 8..<start + 12])
      if TagFolder.pointers.contains(tag) {
        guard depth < 2, met.insert(tag).inserted,
          let child = TagFolder(at: place, bigEndian: bigEndian, depth: depth + 1, read: read)
        else {
          continue
        }
        children[tag] = child
        continue
      }
      guard var value = length <= 4 ? Array(fields[(start + 8)...].prefix(length)) : read(place, length) else {
        continue
      }
      if bigEndian, unit > 1 {
        for first in stride(from: 0, to: length - unit + 1, by: unit) { value[first..<first + unit].reverse() }
      }
      room -= length
      entries.append(Entry(tag: tag, type: type, count: items, bytes: value))
    }
  }

  /// Bytes of one item, and of what is turned about with the byte order, by type.
  private static let sizes: [Int: (size: Int, unit: Int)] = [
    1: (1, 1), 2: (1, 1), 3: (2, 2), 4: (4, 4), 5: (8, 4), 6: (1, 1), 7: (1, 1), 8: (2, 2), 9: (4, 4), 10: (8, 4),
    11: (4, 4), 12: (8, 8), 13: (4, 4),
  ]

  subscript(tag: Int) -> Entry? { entries.first { $0.tag == tag } }

  mutating func remove(_ tags: Set<Int>) { entries.removeAll { tags.contains($0.tag) } }

  mutating func set(_ entry: Entry) {
    remove([entry.tag])
    entries.append(entry)
  }

  /// An ASCII text that ends in 0, as TIFF wants it; longer characters as UTF-8, as most write them.
  static func text(_ tag: Int, _ value: String) -> Entry {
    let bytes = Array(value.utf8.filter { $0 != 0 }) + [0]
    return Entry(tag: tag, type: 2, count: bytes.count, bytes: bytes)
  }

  static func bytes(_ tag: Int, type: Int, _ value: [UInt8]) -> Entry {
    Entry(tag: tag, type: type, count: value.count, bytes: value)
  }

  static func short(_ tag: Int, _ value: Int) -> Entry {
    Entry(tag: tag, type: 3, count: 1, bytes: little(value, 2))
  }

  static func rational(_ tag: Int, _ value: Double) -> Entry {
    let thousandths = Int(max(0, min(value * 1000, 4e9)).rounded())
    return Entry(tag: tag, type: 5, count: 1, bytes: little(thousandths, 4) + little(1000, 4))
  }

  static func little(_ value: Int, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }

  /// The folder as it lies in a little-endian file from `base` on, with its values and the folders within it after it.
  func serialised(at base: Int) -> [UInt8] {
    let all = entries + children.keys.map { Entry(tag: $0, type: 4, count: 1, bytes: []) }
    var head = TagFolder.little(all.count, 2)
    var rest: [UInt8] = []
    let end = base + 2 + 12 * all.count + 4
    for entry in all.sorted(by: { $0.tag < $1.tag }) {
      head += TagFolder.little(entry.tag, 2) + TagFolder.little(entry.type, 2) + TagFolder.little(entry.count, 4)
      if let child = children[entry.tag], entry.bytes.isEmpty {
        if rest.count % 2 != 0 { rest.append(0) }
        head += TagFolder.little(end + rest.count, 4)
        rest += child.serialised(at: end + rest.count)
      } else if entry.bytes.count <= 4 {
        head += entry.bytes + [UInt8](repeating: 0, count: 4 - entry.bytes.count)
      } else {
        if rest.count % 2 != 0 { rest.append(0) }
        head += TagFolder.little(end + rest.count, 4)
        rest += entry.bytes
      }
    }
    return head + [0, 0, 0, 0] + rest
  }

  /// A file of its own with these tags and no picture: what EXIF is.
  var file: [UInt8] { [0x49, 0x49, 42, 0, 8, 0, 0, 0] + serialised(at: 8) }
}

import Foundation

/// One image file directory of a TIFF file or an EXIF block: its tags, bounds-checked.
struct TIFFDirectory {
  enum Tag: UInt16 {
    case width = 256
    case height = 257
    case bitsPerSample = 258
    case compression = 259
    case photometric = 262
    case fillOrder = 266
    case stripOffsets = 273
    case orientation = 274
    case samplesPerPixel = 277
    case rowsPerStrip = 278
    case stripByteCounts = 279
    case xResolution = 282
    case yResolution = 283
    case resolutionUnit = 296
    case colourProfile = 34675
  }

  /// Where it begins in its data.
  let offset: Int
  private let reader: Reader
  private var entries: [UInt16: (type: UInt16, count: Int, valueAt: Int)] = [:]

  /// Directories of classic and big TIFF data in file order; at most `limit`, and none twice.
  static func all(in data: Data, limit: Int = 65_536) -> [TIFFDirectory] {
    guard let reader = Reader(data) else { return [] }
    var directories: [TIFFDirectory] = []
    var seen: Set<Int> = []
    var next = reader.firstDirectory
    while let offset = next, offset > 0, directories.count < limit, seen.insert(offset).inserted {
      guard let (directory, following) = TIFFDirectory.read(reader, at: offset) else { break }
      directories.append(directory)
      next = following
    }
    return directories
  }

  private static func read(_ reader: Reader, at offset: Int) -> (TIFFDirectory, next: Int?)? {
    guard let count = reader.big ? reader.integer(offset, 8) : reader.integer(offset, 2), count <= 4096 else {
      return nil
    }
    var directory = TIFFDirectory(offset: offset, reader: reader)
    let (header, size, word) = reader.big ? (8, 20, 8) : (2, 12, 4)
    for index in 0..<count {
      let at = offset + header + index * size
      guard let tag = reader.integer(at, 2), let type = reader.integer(at + 2, 2),
        let number = reader.integer(at + 4, word)
      else { return nil }
      let bytes = number.multipliedReportingOverflow(by: Reader.size(ofType: type))
      guard !bytes.overflow else { continue }
      let inline = at + 4 + word
      let valueAt = bytes.partialValue <= word ? inline : reader.integer(inline, word) ?? -1
      directory.entries[UInt16(tag)] = (UInt16(type), number, valueAt)
    }
    return (directory, reader.integer(offset + header + count * size, word))
  }

  private init(offset: Int, reader: Reader) { (self.offset, self.reader) = (offset, reader) }

  /// A tag's value number `index`.
  func integer(_ tag: Tag, _ index: Int = 0) -> Int? {
    guard let entry = entries[tag.rawValue], index < entry.count, entry.valueAt >= 0,
      [1, 3, 4, 16].contains(entry.type)
    else { return nil }
    let size = Reader.size(ofType: Int(entry.type))
    return reader.integer(entry.valueAt + index * size, size)
  }

  /// The value of a tag of bytes, 4 MiB at most.
  func bytes(_ tag: Tag) -> [UInt8]? {
    guard let entry = entries[tag.rawValue], [1, 7].contains(entry.type), entry.count <= 4 << 20 else { return nil }
    return Bytes(reader.data).slice(entry.valueAt, entry.count).map { Array($0) }
  }

  func count(_ tag: Tag) -> Int { entries[tag.rawValue]?.count ?? 0 }

  private func rational(_ tag: Tag) -> Double? {
    guard let entry = entries[tag.rawValue], entry.type == 5, entry.valueAt >= 0,
      let top = reader.integer(entry.valueAt, 4), let bottom = reader.integer(entry.valueAt + 4, 4), bottom > 0
    else { return nil }
    return Double(top) / Double(bottom)
  }

  /// Pixels an inch, where the directory says so.
  var dpi: (x: Double, y: Double)? {
    guard let x = rational(.xResolution), let y = rational(.yResolution) else { return nil }
    switch integer(.resolutionUnit) ?? 2 {
    case 2: return (x, y)
    case 3: return (x * 2.54, y * 2.54)
    default: return nil
    }
  }

  /// 1 to 8; 1 where it is missing or not valid.
  var orientation: Int {
    let value = integer(.orientation) ?? 1
    return (1...8).contains(value) ? value : 1
  }

  /// Numbers in either byte order, nil outside of the data.
  struct Reader {
    let data: Data
    let littleEndian: Bool
    let big: Bool

    init?(_ data: Data) {
      self.data = data
      guard data.count >= 8 else { return nil }
      switch (data[data.startIndex], data[data.startIndex + 1]) {
      case (0x49, 0x49): littleEndian = true
      case (0x4d, 0x4d): littleEndian = false
      default: return nil
      }
      var magic = 0
      for index in 0..<2 {
        magic |= Int(data[data.startIndex + 2 + index]) << (littleEndian ? 8 * index : 8 - 8 * index)
      }
      guard magic == 42 || magic == 43 else { return nil }
      big = magic == 43
    }

    var firstDirectory: Int? { big ? integer(8, 8) : integer(4, 4) }

    func integer(_ at: Int, _ size: Int) -> Int? {
      guard at >= 0, size > 0, at <= data.count - size else { return nil }
      var value: UInt64 = 0
      for index in 0..<size {
        let byte = UInt64(data[data.startIndex + at + index])
        value |= byte << UInt64(littleEndian ? 8 * index : 8 * (size - 1 - index))
      }
      return Int(exactly: value)
    }

    static func size(ofType type: Int) -> Int {
      switch type {
      case 3, 8: 2
      case 4, 9, 11, 13: 4
      case 5, 10, 12, 16, 17, 18: 8
      default: 1
      }
    }
  }
}

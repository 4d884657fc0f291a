import Foundation

/// Tags of picture files that FFmpeg 5.1 does not hand over.
enum PictureTags {
  /// How a picture's file says that it is to be turned; nil where it says nothing.
  static func orientation(of path: String) -> Orientation? {
    guard let file = FileHandle(forReadingAtPath: path), let head = try? file.read(upToCount: 8) else { return nil }
    // TIFF's own tags have the same form, but may lie anywhere in a large file.
    if isTIFF(head) { return orientation(tiffAt: 0, in: file) }
    return EXIF(of: path)?.orientation.flatMap(Orientation.init(exif:))
  }

  private static func isTIFF(_ head: Data) -> Bool {
    head.prefix(4).elementsEqual([0x49, 0x49, 42, 0]) || head.prefix(4).elementsEqual([0x4d, 0x4d, 0, 42])
  }

  /// Looks through the first folder of tags of the TIFF structure that begins at `start`.
  private static func orientation(tiffAt start: UInt64, in file: FileHandle) -> Orientation? {
    guard let head = read(file, start, 8), isTIFF(head) else { return nil }
    let big = head.first == 0x4d
    let folder = start + UInt64(number(head.suffix(4), bigEndian: big))
    guard let count = read(file, folder, 2).map({ number($0, bigEndian: big) }),
      let entries = read(file, folder + 2, 12 * count)
    else { return nil }
    for index in 0..<count {
      let entry = entries.dropFirst(12 * index).prefix(12)
      if number(entry.prefix(2), bigEndian: big) == 0x0112 {
        return Orientation(exif: number(entry.dropFirst(8).prefix(2), bigEndian: big))
      }
    }
    return nil
  }

  private static func read(_ file: FileHandle, _ offset: UInt64, _ count: Int) -> Data? {
    guard (try? file.seek(toOffset: offset)) != nil, let data = try? file.read(upToCount: count), data.count == count
    else { return nil }
    return data
  }

  /// Up to four bytes.
  private static func number(_ bytes: Data, bigEndian: Bool) -> Int {
    (bigEndian ? Array(bytes) : bytes.reversed()).reduce(0) { $0 << 8 | Int($1) }
  }
}

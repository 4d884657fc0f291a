import Foundation
import Frames

/// The tags that cameras put beside a picture: a TIFF structure without pictures, carried as it is from file to file,
/// but for what a change of the picture makes untrue. FFmpeg 5.1 reads some of it and writes none.
struct EXIF {
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

  /// What a JPEG, PNG or WebP file holds of it.
  init?(of path: String) {
    guard let file = FileHandle(forReadingAtPath: path), let head = try? file.read(upToCount: 12) else { return nil }
    let found: [UInt8]?
    if head.prefix(2).elementsEqual([0xff, 0xd8]) {
      found = EXIF.inJPEG(file)
    } else if head.prefix(4).elementsEqual([0x89, 0x50, 0x4e, 0x47]) {
      found = EXIF.inChunks(file, from: 8, named: "eXIf", lengthFirst: true)
    } else if head.prefix(4).elementsEqual("RIFF".utf8), head.suffix(4).elementsEqual("WEBP".utf8) {
      found = EXIF.inChunks(file, from: 12, named: "EXIF", lengthFirst: false)
    } else {
      return nil
    }
    guard var found else { return nil }
    if found.starts(with: Array("Exif\0\0".utf8)) { found.removeFirst(6) }
    self.init(found)
  }

  /// How the picture is to be turned, from 1 to 8; nil where nothing is said.
  var orientation: Int? { entry(0x0112, at: mainFolder).flatMap { number($0 + 8, 2) } }

  /// The same tags for a picture that lies upright and has another size.
  mutating func describe(width: Int, height: Int) {
    if let place = entry(0x0112, at: mainFolder) { store(1, at: place + 8, 2) }
    guard let pointer = entry(0x8769, at: mainFolder), let folder = number(pointer + 8, 4) else { return }
    for (tag, value) in [(0xa002, width), (0xa003, height)] {
      guard let place = entry(tag, at: folder), let type = number(place + 2, 2) else { continue }
      store(value, at: place + 8, type == 3 ? 2 : 4)
    }
  }

  /// A JPEG with these tags as its first segment; nil where they do not fit into one.
  func inserted(intoJPEG file: [UInt8]) -> [UInt8]? {
    let length = bytes.count + 8
    guard length < 65536, file.starts(with: [0xff, 0xd8]) else { return nil }
    let head: [UInt8] = [0xff, 0xd8, 0xff, 0xe1, UInt8(length >> 8), UInt8(length & 255)]
    return head + Array("Exif\0\0".utf8) + bytes + Array(file[2...])
  }

  /// A PNG with these tags as the chunk after its header.
  func inserted(intoPNG file: [UInt8]) -> [UInt8]? {
    // Signature, then the header's chunk: length, name, 13 bytes, checksum.
    let header = 8 + 12 + 13
    guard file.count > header else { return nil }
    let body = Array("eXIf".utf8) + bytes
    func four(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) } }
    let chunk = four(UInt32(bytes.count)) + body + four(EXIF.checksum(body))
    return Array(file[..<header]) + chunk + Array(file[header...])
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

  // MARK: files

  private static func inJPEG(_ file: FileHandle) -> [UInt8]? {
    var offset: UInt64 = 2
    for _ in 0..<100 {
      guard let head = read(file, offset, 4), head[0] == 0xff else { return nil }
      // The picture itself begins.
      if head[1] == 0xda || head[1] == 0xd9 { return nil }
      let length = Int(head[2]) << 8 | Int(head[3])
      if head[1] == 0xe1, length > 8, let body = read(file, offset + 4, length - 2),
        body.starts(with: Array("Exif\0\0".utf8))
      {
        return body
      }
      offset += 2 + UInt64(max(length, 2))
    }
    return nil
  }

  /// Of PNG (length and name, big-endian, with a checksum after) or RIFF (name and length, filled to even).
  private static func inChunks(_ file: FileHandle, from start: UInt64, named: String, lengthFirst: Bool) -> [UInt8]? {
    var offset = start
    for _ in 0..<1000 {
      guard let head = read(file, offset, 8) else { return nil }
      let digits = lengthFirst ? Array(head[0..<4]) : head[4..<8].reversed()
      let length = digits.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      if (lengthFirst ? head[4..<8] : head[0..<4]).elementsEqual(named.utf8) {
        return length < 1 << 20 ? read(file, offset + 8, Int(length)) : nil
      }
      offset += 8 + length + (lengthFirst ? 4 : length & 1)
    }
    return nil
  }

  private static func read(_ file: FileHandle, _ offset: UInt64, _ count: Int) -> [UInt8]? {
    guard (try? file.seek(toOffset: offset)) != nil, let data = try? file.read(upToCount: count), data.count == count
    else { return nil }
    return Array(data)
  }

  /// PNG's CRC-32.
  private static func checksum(_ bytes: [UInt8]) -> UInt32 {
    ~bytes.reduce(~UInt32(0)) { sum, byte in
      (0..<8).reduce(sum ^ UInt32(byte)) { value, _ in value & 1 != 0 ? 0xedb8_8320 ^ value >> 1 : value >> 1 }
    }
  }
}

extension FrameSideData {
  /// Camera tags; FFmpeg has no number for them.
  private static let exifType = -1
  public var isEXIF: Bool { type == FrameSideData.exifType }

  init(_ exif: EXIF) { self.init(type: FrameSideData.exifType, bytes: exif.bytes) }
}

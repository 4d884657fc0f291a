import Foundation

extension PictureTags {
  static let pngSignature: [UInt8] = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]
  private static let xmpName = "XML:com.adobe.xmp"

  init(png reader: Reader) {
    var offset = 8
    // As many as the pixels of the largest picture take in small chunks.
    for _ in 0..<(1 << 17) {
      guard let head = reader.bytes(offset, 8) else { return }
      let length = PictureTags.big(head[0..<4])
      let kind = String(decoding: head[4..<8], as: UTF8.self)
      if kind == "IEND" { return }
      if ["eXIf", "tEXt", "zTXt", "iTXt", "pHYs"].contains(kind) {
        if length <= PictureTags.largest, let body = reader.bytes(offset + 8, length) {
          take(kind, body)
        } else {
          left.append("a text of \(length) bytes")
        }
      }
      offset += 12 + length
    }
  }

  private mutating func take(_ kind: String, _ body: [UInt8]) {
    let parts = body.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
    let name = parts.first.map { PictureTags.latin($0) } ?? ""
    switch kind {
    case "eXIf": exif = EXIF(body)
    case "pHYs":
      let (x, y) = (PictureTags.big(body.prefix(4)), PictureTags.big(body.dropFirst(4).prefix(4)))
      if body.count == 9, body[8] == 1, x == y, x > 0 { density = Double(x) }
    case "tEXt":
      // ImageMagick's way of keeping foreign blocks, in hexadecimal.
      if name.hasPrefix("Raw profile type") {
        left.append("'\(name)'")
      } else if parts.count == 2 {
        texts.append(Text(name: name, value: PictureTags.latin(parts[1])))
      }
    case "zTXt": if name.hasPrefix("Raw profile type") { left.append("'\(name)'") } else { packedTexts.append(name) }
    default:
      guard parts.count == 2, parts[1].count > 2 else { return }
      // Compressed or not, method, language, translated name.
      let rest = parts[1].dropFirst(2).split(separator: 0, maxSplits: 2, omittingEmptySubsequences: false)
      guard rest.count == 3 else { return }
      if parts[1].first != 0 {
        left.append("the compressed text '\(name)'")
      } else if name == PictureTags.xmpName {
        xmp = Array(rest[2])
      } else {
        texts.append(Text(name: name, value: String(decoding: rest[2], as: UTF8.self)))
      }
    }
  }

  func inPNG(_ file: [UInt8]) -> (file: [UInt8], lost: [String]) {
    // Signature, then the header's chunk: length, name, 13 bytes, checksum.
    let header = 8 + 12 + 13
    guard file.count > header else { return (file, []) }
    var chunks: [UInt8] = []
    var rest = Array(file[header...])
    if let density {
      rest = PictureTags.without("pHYs", rest)
      let value = UInt32(max(1, min(density, 4e9)).rounded())
      chunks += PictureTags.chunk("pHYs", PictureTags.big(value) + PictureTags.big(value) + [1])
    }
    if let exif { chunks += PictureTags.chunk("eXIf", exif.bytes) }
    if let xmp { chunks += PictureTags.chunk("iTXt", Array(PictureTags.xmpName.utf8) + [0, 0, 0, 0, 0] + xmp) }
    for text in texts {
      let name = String(
        text.name.unicodeScalars.filter { (32..<127).contains($0.value) }.prefix(79).map(Character.init))
      let key = Array((name.isEmpty ? "Comment" : name).utf8) + [0]
      if text.value.utf8.allSatisfy({ $0 < 128 && $0 != 0 }) {
        chunks += PictureTags.chunk("tEXt", key + Array(text.value.utf8))
      } else {
        chunks += PictureTags.chunk("iTXt", key + [0, 0, 0, 0] + Array(text.value.utf8))
      }
    }
    return (Array(file[..<header]) + chunks + rest, photoshop == nil ? [] : ["Photoshop's block (IPTC)"])
  }

  private static func without(_ kind: String, _ chunks: [UInt8]) -> [UInt8] {
    var offset = 0
    while offset + 12 <= chunks.count {
      let length = big(chunks[offset..<offset + 4])
      let end = offset + 12 + length
      guard end <= chunks.count else { break }
      let name = chunks[offset + 4..<offset + 8]
      if name.elementsEqual(kind.utf8) { return Array(chunks[..<offset]) + Array(chunks[end...]) }
      if name.elementsEqual("IDAT".utf8) { break }
      offset = end
    }
    return chunks
  }

  private static func chunk(_ name: String, _ body: [UInt8]) -> [UInt8] {
    let all = Array(name.utf8) + body
    return big(UInt32(body.count)) + all + big(checksum(all))
  }

  /// Up to four bytes.
  static func big(_ bytes: ArraySlice<UInt8>) -> Int { bytes.reduce(0) { $0 << 8 | Int($1) } }
  static func big(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) } }

  static func latin(_ bytes: ArraySlice<UInt8>) -> String {
    String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) }))
  }

  /// PNG's CRC-32.
  static func checksum(_ bytes: [UInt8]) -> UInt32 {
    ~bytes.reduce(~UInt32(0)) { sum, byte in
      (0..<8).reduce(sum ^ UInt32(byte)) { value, _ in value & 1 != 0 ? 0xedb8_8320 ^ value >> 1 : value >> 1 }
    }
  }
}

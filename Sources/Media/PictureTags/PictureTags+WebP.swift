import Foundation

extension PictureTags {
  init(webp reader: Reader) {
    var offset = 12
    for _ in 0..<1000 {
      guard let head = reader.bytes(offset, 8) else { return }
      let length = PictureTags.big(Array(head[4..<8].reversed())[...])
      switch String(decoding: head[0..<4], as: UTF8.self) {
      case "EXIF":
        guard length <= PictureTags.largest, var body = reader.bytes(offset + 8, length) else { break }
        if body.starts(with: Array("Exif\0\0".utf8)) { body.removeFirst(6) }
        exif = EXIF(body)
      // FFmpeg 5.1 takes the byte that fills an odd one up for a part of it.
      case "ICCP": if length <= PictureTags.largest { profile = reader.bytes(offset + 8, length) }
      case "XMP ": if length <= PictureTags.largest { xmp = reader.bytes(offset + 8, length) }
      case "VP8L":
        // A mark, two sizes of 14 bits, and whether there is transparency.
        if let body = reader.bytes(offset + 8, 5), body[0] == 0x2f { isOpaque = body[4] & 0x10 == 0 }
      default: break
      }
      offset += 8 + length + length & 1
    }
  }

  func inWebP(_ file: [UInt8], _ profile: [UInt8]?) -> (file: [UInt8], lost: [String]) {
    var (folder, lost) = folder()
    if photoshop != nil { lost.append("Photoshop's block (IPTC)") }
    if let density, folder[282] == nil {
      for tag in [282, 283] { folder.set(TagFolder.rational(tag, density * 0.0254)) }
      folder.set(TagFolder.short(296, 2))
    }
    // Cameras' tags go as they are where nothing is added to them.
    let tags = folder == exif?.folder ? exif?.bytes : folder.entries.isEmpty ? nil : folder.file
    guard profile != nil || tags != nil || xmp != nil else { return (file, lost) }
    var chunks: [(name: String, body: [UInt8])] = []
    var offset = 12
    while offset + 8 <= file.count {
      let length = PictureTags.big(Array(file[offset + 4..<offset + 8].reversed())[...])
      guard offset + 8 + length <= file.count else { break }
      chunks.append(
        (String(decoding: file[offset..<offset + 4], as: UTF8.self), Array(file[offset + 8..<offset + 8 + length])))
      offset += 8 + length + length & 1
    }
    guard let picture = chunks.first(where: { $0.name == "VP8 " || $0.name == "VP8L" }),
      let size = PictureTags.webpSize(picture.name, picture.body)
    else { return (file, lost) }
    let alpha =
      chunks.contains { $0.name == "ALPH" }
      || picture.name == "VP8L" && picture.body.count > 4
        && picture.body[4] & 0x10 != 0
    let flags: UInt8 =
      (profile == nil ? 0 : 0x20) | (alpha ? 0x10 : 0) | (tags == nil ? 0 : 0x08) | (xmp == nil ? 0 : 0x04)
    let header = [flags, 0, 0, 0] + TagFolder.little(size.width - 1, 3) + TagFolder.little(size.height - 1, 3)
    var all: [(String, [UInt8])] = [("VP8X", header)]
    if let profile { all.append(("ICCP", profile)) }
    all += chunks.filter { ["ALPH", "VP8 ", "VP8L"].contains($0.name) }
    if let tags { all.append(("EXIF", tags)) }
    if let xmp { all.append(("XMP ", xmp)) }
    let body =
      Array("WEBP".utf8)
      + all.flatMap { name, bytes in
        Array(name.utf8) + TagFolder.little(bytes.count, 4) + bytes + (bytes.count % 2 == 0 ? [] : [0])
      }
    return (Array("RIFF".utf8) + TagFolder.little(body.count, 4) + body, lost)
  }

  private static func webpSize(_ name: String, _ body: [UInt8]) -> (width: Int, height: Int)? {
    if name == "VP8L" {
      guard body.count > 4 else { return nil }
      let bits = big(Array(body[1..<5].reversed())[...])
      return ((bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1)
    }
    // A key frame: tag of three bytes, start code of three, two sizes of 14 bits.
    guard body.count > 9, body[3..<6].elementsEqual([0x9d, 0x01, 0x2a]) else { return nil }
    return ((Int(body[7]) << 8 | Int(body[6])) & 0x3fff, (Int(body[9]) << 8 | Int(body[8])) & 0x3fff)
  }
}

import Foundation

extension PictureTags {
  private static let exifMark = Array("Exif\0\0".utf8)
  private static let xmpMark = Array("http://ns.adobe.com/xap/1.0/\0".utf8)
  private static let longXMPMark = Array("http://ns.adobe.com/xmp/extension/\0".utf8)
  private static let photoshopMark = Array("Photoshop 3.0\0".utf8)

  init(jpeg reader: Reader) {
    var offset = 2
    for _ in 0..<1000 {
      // The picture itself begins at a start of scan.
      guard let head = reader.bytes(offset, 4), head[0] == 0xff, head[1] != 0xda, head[1] != 0xd9 else { return }
      let length = max(PictureTags.big(head[2..<4]), 2)
      if [0xe0, 0xe1, 0xed, 0xfe].contains(head[1]), let body = reader.bytes(offset + 4, length - 2) {
        take(head[1], body)
      }
      offset += 2 + length
    }
  }

  private mutating func take(_ marker: UInt8, _ body: [UInt8]) {
    func after(_ mark: [UInt8]) -> [UInt8]? { body.starts(with: mark) ? Array(body.dropFirst(mark.count)) : nil }
    switch marker {
    case 0xe0:
      guard body.count >= 12, body.starts(with: Array("JFIF\0".utf8)) else { return }
      let (x, y) = (PictureTags.big(body[8..<10]), PictureTags.big(body[10..<12]))
      if x == y, x > 0, body[7] == 1 || body[7] == 2 { density = Double(x) * 100 / (body[7] == 1 ? 2.54 : 1) }
    case 0xe1:
      if let found = after(PictureTags.exifMark) { exif = exif ?? EXIF(found) }
      if let found = after(PictureTags.xmpMark) { xmp = xmp ?? found }
      if body.starts(with: PictureTags.longXMPMark), !left.contains("XMP beyond 64 KB") {
        left.append("XMP beyond 64 KB")
      }
    case 0xed: if let found = after(PictureTags.photoshopMark) { photoshop = (photoshop ?? []) + found }
    default:
      let value = String(validating: body, as: UTF8.self) ?? PictureTags.latin(body[...])
      texts.append(Text(name: "Comment", value: value))
    }
  }

  func inJPEG(_ file: [UInt8]) -> (file: [UInt8], lost: [String]) {
    var (file, segments, lost) = (file, [UInt8](), [String]())
    func add(_ marker: UInt8, _ body: [UInt8], _ name: String) {
      guard body.count + 2 < 65536 else { return lost.append("\(name) of \(body.count) bytes") }
      segments += [0xff, marker, UInt8((body.count + 2) >> 8), UInt8((body.count + 2) & 255)] + body
    }
    // JFIF's segment comes first, where there is one: FFmpeg writes it for pixels of known shape.
    var place = 2
    let hasJFIF = file.count > 20 && file[2] == 0xff && file[3] == 0xe0 && file[6..<11].elementsEqual("JFIF\0".utf8)
    if let density {
      let value = UInt16(max(1, min(density * 0.0254, 65535)).rounded())
      let body: [UInt8] = [1] + [UInt8(value >> 8), UInt8(value & 255), UInt8(value >> 8), UInt8(value & 255)]
      if hasJFIF {
        file.replaceSubrange(13..<18, with: body)
      } else {
        add(0xe0, Array("JFIF\0".utf8) + [1, 2] + body + [0, 0], "the density")
      }
    }
    if hasJFIF { place = 4 + PictureTags.big(file[4..<6]) }
    if let exif { add(0xe1, PictureTags.exifMark + exif.bytes, "the camera's tags (EXIF)") }
    if let xmp { add(0xe1, PictureTags.xmpMark + xmp, "XMP metadata") }
    if let photoshop {
      // Longer ones are told in parts.
      for start in stride(from: 0, to: photoshop.count, by: 65000) {
        add(0xed, PictureTags.photoshopMark + Array(photoshop[start...].prefix(65000)), "Photoshop's block (IPTC)")
      }
    }
    for text in texts {
      let value = text.name == "Comment" ? text.value : "\(text.name): \(text.value)"
      add(0xfe, Array(value.utf8), "the text '\(text.name)'")
    }
    guard place <= file.count else { return (file, lost) }
    return (Array(file[..<place]) + segments + Array(file[place...]), lost)
  }
}

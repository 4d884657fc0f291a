import Foundation

/// What a JPEG file says before its samples.
struct JPEGHeader {
  var width = 0
  var height = 0
  var components = 0
  var bitsPerSample = 8
  /// Pixels an inch, by JFIF or EXIF.
  var dpi: (x: Double, y: Double)?
  /// EXIF's, 1 to 8.
  var orientation = 1
  var iccProfile: [UInt8] = []

  /// Nil where no frame header is found.
  init?(_ data: Data) {
    let bytes = Bytes(data)
    guard bytes.has([0xff, 0xd8], at: 0) else { return nil }
    var at = 2
    while let marker = bytes.big(at, 2), marker > 0xff00 {
      if marker == 0xffff {
        at += 1
        continue
      }
      let code = marker & 0xff
      if code == 0xd9 || code == 0xda { break }
      if (0xd0...0xd8).contains(code) || code == 1 {
        at += 2
        continue
      }
      guard let length = bytes.big(at + 2, 2), length >= 2 else { return nil }
      readSegment(code, bytes, at + 4, length - 2)
      at += 2 + length
    }
    if width <= 0 || height <= 0 { return nil }
  }

  private mutating func readSegment(_ code: Int, _ bytes: Bytes, _ at: Int, _ length: Int) {
    switch code {
    case 0xc0...0xcf where code != 0xc4 && code != 0xc8 && code != 0xcc:
      bitsPerSample = bytes.big(at, 1) ?? 8
      height = bytes.big(at + 1, 2) ?? 0
      width = bytes.big(at + 3, 2) ?? 0
      components = bytes.big(at + 5, 1) ?? 0
    case 0xe0 where bytes.has(Array("JFIF\0".utf8), at: at) && dpi == nil:
      guard let unit = bytes.big(at + 7, 1), let x = bytes.big(at + 8, 2), let y = bytes.big(at + 10, 2) else { return }
      let scale = unit == 1 ? 1 : unit == 2 ? 2.54 : 0
      if scale > 0 { dpi = (Double(x) * scale, Double(y) * scale) }
    case 0xe1 where bytes.has(Array("Exif\0\0".utf8), at: at):
      guard let block = bytes.slice(at + 6, length - 6), let directory = TIFFDirectory.all(in: block, limit: 1).first
      else { return }
      orientation = directory.orientation
      if dpi == nil { dpi = directory.dpi }
    case 0xe2 where bytes.has(Array("ICC_PROFILE\0".utf8), at: at):
      if let part = bytes.slice(at + 14, length - 14), iccProfile.count < 4 << 20 { iccProfile += part }
    default: break
    }
  }
}

/// What a PNG file says in its chunks.
struct PNGHeader {
  var width = 0
  var height = 0
  var depth = 0
  /// 0 grey, 2 RGB, 3 palette, 4 grey with opacity, 6 RGB with opacity.
  var colourType = 0
  var interlaced = false
  var palette: [UInt8] = []
  var hasTransparency = false
  var dpi: (x: Double, y: Double)?
  var orientation = 1
  /// The ICC profile as the file keeps it, deflated with a zlib header.
  var deflatedProfile: [UInt8]?
  /// It holds an animation, of which this is the first frame.
  var isAnimated = false
  /// Where the compressed samples lie.
  var samples: [Range<Int>] = []

  init?(_ data: Data) {
    let bytes = Bytes(data)
    guard bytes.has([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a], at: 0) else { return nil }
    var at = 8
    while let length = bytes.big(at, 4), let type = bytes.slice(at + 4, 4) {
      guard let body = bytes.slice(at + 8, length) else { break }
      let value = Bytes(body)
      switch String(decoding: type, as: UTF8.self) {
      case "IHDR":
        width = value.big(0, 4) ?? 0
        height = value.big(4, 4) ?? 0
        depth = value.big(8, 1) ?? 0
        colourType = value.big(9, 1) ?? 0
        interlaced = value.big(12, 1) != 0
      case "PLTE": palette = Array(body)
      case "tRNS": hasTransparency = true
      case "pHYs":
        if let x = value.big(0, 4), let y = value.big(4, 4), value.big(8, 1) == 1 {
          dpi = (Double(x) * 0.0254, Double(y) * 0.0254)
        }
      case "eXIf": orientation = TIFFDirectory.all(in: body, limit: 1).first?.orientation ?? 1
      case "iCCP":
        // A name, a zero, the kind of compression (there is but one).
        if let end = body.firstIndex(of: 0) { deflatedProfile = Array(body[end...].dropFirst(2)) }
      case "acTL": isAnimated = (value.big(0, 4) ?? 0) > 1
      case "IDAT": samples.append(at + 8..<at + 8 + length)
      default: break
      }
      at += 12 + length
    }
    if width <= 0 || height <= 0 { return nil }
  }
}

/// The EXIF orientation of a WebP file.
func webPOrientation(_ data: Data) -> Int {
  guard var block = webPChunk("EXIF", in: data) else { return 1 }
  if Bytes(block).has(Array("Exif\0\0".utf8), at: 0) { block = block.dropFirst(6) }
  return TIFFDirectory.all(in: block, limit: 1).first?.orientation ?? 1
}

/// The content of a WebP file's first chunk of this name.
func webPChunk(_ name: String, in data: Data) -> Data? {
  let bytes = Bytes(data)
  guard bytes.has(Array("RIFF".utf8), at: 0), bytes.has(Array("WEBP".utf8), at: 8) else { return nil }
  var at = 12
  while let type = bytes.slice(at, 4), let length = bytes.little(at + 4, 4) {
    if type.elementsEqual(name.utf8) { return bytes.slice(at + 8, length) }
    at += 8 + length + length % 2
  }
  return nil
}

/// Bytes of a file, nil outside of them.
struct Bytes {
  let data: Data
  init(_ data: Data) { self.data = data }

  func slice(_ at: Int, _ count: Int) -> Data? {
    guard at >= 0, count >= 0, at <= data.count - count else { return nil }
    return data[data.startIndex + at..<data.startIndex + at + count]
  }
  func big(_ at: Int, _ count: Int) -> Int? { slice(at, count)?.reduce(0) { $0 << 8 | Int($1) } }
  func little(_ at: Int, _ count: Int) -> Int? { slice(at, count)?.reversed().reduce(0) { $0 << 8 | Int($1) } }
  func has(_ signature: [UInt8], at: Int) -> Bool { slice(at, signature.count)?.elementsEqual(signature) ?? false }
}

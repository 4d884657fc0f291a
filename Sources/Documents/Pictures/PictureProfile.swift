import CTesseract
import Foundation

extension PictureFile {
  /// The ICC profile of a page's samples, as the file has it; nil where it has none that a PDF/A may hold.
  ///
  /// - Parameter channels: of the samples as they are stored, 1 or 3.
  func colourProfile(_ page: Int, channels: Int) -> [UInt8]? {
    let bytes: [UInt8]?
    switch format {
    case .jpeg: bytes = JPEGHeader(data)?.iccProfile
    case .png: bytes = PNGHeader(data)?.deflatedProfile.flatMap { inflated($0) }
    case .tiff: bytes = directories[page].bytes(.colourProfile)
    case .webp: bytes = webPChunk("ICCP", in: data).map { Array($0) }
    case .bmp, .gif: bytes = nil
    }
    return bytes.flatMap { PictureFile.isUsable($0, channels: channels) ? $0 : nil }
  }

  /// A profile of a monitor, a scanner or a colour space, for as many channels, in a version up to 4.
  static func isUsable(_ profile: [UInt8], channels: Int) -> Bool {
    let bytes = Bytes(Data(profile))
    guard profile.count >= 132, let size = bytes.big(0, 4), size >= 132, size <= profile.count,
      bytes.has(Array("acsp".utf8), at: 36), let version = bytes.big(8, 1), (2...4).contains(version)
    else { return false }
    let classes = ["mntr", "scnr", "spac", "prtr"]
    return classes.contains { bytes.has(Array($0.utf8), at: 12) }
      && bytes.has(Array((channels == 1 ? "GRAY" : "RGB ").utf8), at: 16)
  }
}

/// Nil where the data is damaged. What goes in is limited, since deflate may make a thousand times as much of it.
private func inflated(_ bytes: [UInt8]) -> [UInt8]? {
  var count = 0
  guard !bytes.isEmpty, bytes.count <= 1 << 17, let result = zlibUncompress(bytes, bytes.count, &count) else {
    return nil
  }
  defer { lept_free(result) }
  return Array(UnsafeBufferPointer(start: result, count: count))
}

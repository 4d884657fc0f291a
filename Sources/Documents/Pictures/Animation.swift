import Foundation

/// Animated pictures: Leptonica reads a GIF's first picture, but no animated WebP file.
enum Animation {
  /// Whether a file holds several pictures of the same page.
  static func isOne(_ data: Data, _ format: PictureFile.Format) -> Bool {
    switch format {
    case .gif: hasTwoPictures(gif: Bytes(data))
    case .webp: webPChunk("ANMF", in: data) != nil
    case .png: PNGHeader(data)?.isAnimated == true
    case .jpeg, .tiff, .bmp: false
    }
  }

  /// The first picture of an animated WebP file as a file of its own; any other file as it is.
  static func firstPicture(_ data: Data, _ format: PictureFile.Format) -> Data {
    guard format == .webp, let frame = webPChunk("ANMF", in: data) else { return data }
    let bytes = Bytes(frame)
    // Behind its place, size and duration stand the chunks of a plain file.
    guard let size = bytes.slice(6, 6), var chunks = bytes.slice(16, frame.count - 16) else { return data }
    if Bytes(chunks).has(Array("ALPH".utf8), at: 0) {
      chunks = Data("VP8X".utf8) + Data([10, 0, 0, 0, 0x10, 0, 0, 0]) + size + chunks
    }
    let length = UInt32(clamping: chunks.count + 4)
    let count = (0..<4).map { UInt8(truncatingIfNeeded: length >> (8 * UInt32($0))) }
    return Data("RIFF".utf8) + Data(count) + Data("WEBP".utf8) + chunks
  }

  private static func hasTwoPictures(gif bytes: Bytes) -> Bool {
    /// How many bytes a table of colours takes, by the field that announces it.
    func table(_ field: Int) -> Int { field & 0x80 != 0 ? 3 << (field & 7 + 1) : 0 }
    /// Behind the blocks that begin here.
    func behindBlocks(_ start: Int) -> Int? {
      var at = start
      while let length = bytes.big(at, 1) {
        at += 1 + length
        if length == 0 { return at }
      }
      return nil
    }
    var at = 13 + table(bytes.big(10, 1) ?? 0)
    var pictures = 0
    while let kind = bytes.big(at, 1) {
      switch kind {
      case 0x21:
        guard let next = behindBlocks(at + 2) else { return false }
        at = next
      case 0x2c:
        pictures += 1
        if pictures == 2 { return true }
        guard let next = behindBlocks(at + 11 + table(bytes.big(at + 9, 1) ?? 0)) else { return false }
        at = next
      default: return false
      }
    }
    return false
  }
}

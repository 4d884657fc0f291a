import CTesseract
import Foundation
import Frames

/// A picture as a PDF keeps it: its samples in the compression they came in, where PDF knows it.
public struct ImageStream: Sendable, Codable {
  var bytes: [UInt8]
  var width: Int
  var height: Int
  var bits: Int
  /// PDF syntax.
  var colourSpace: String
  var filter: String
  var parameters: String?
  /// An ICC profile that says what the colours mean; sRGB where there is none.
  var profile: [UInt8]?

  /// The samples of a file's page as they lie there; nil where PDF/A cannot hold them so.
  init?(_ file: PictureFile, page: Int) {
    switch file.format {
    case .jpeg: self.init(jpeg: file.data)
    case .png: self.init(png: file.data)
    case .tiff: self.init(tiff: file.data, file.directories[page])
    case .webp, .bmp, .gif: return nil
    }
    profile = file.colourProfile(page, channels: channels)
  }

  /// Encoded anew: CCITT group 4 for two colours, JPEG where `quality` is given, else without loss.
  init(_ pix: Pix, quality: Int? = nil) throws {
    let plain = try pix.simplified()
    let encoding: Pix.Encoding = plain.depth == 1 ? .groupFour : quality.map { .jpeg(quality: $0) } ?? .png
    let data = Data(try plain.encoded(encoding))
    let stream: ImageStream?
    switch encoding {
    case .groupFour: stream = TIFFDirectory.all(in: data, limit: 1).first.flatMap { ImageStream(tiff: data, $0) }
    case .jpeg: stream = ImageStream(jpeg: data)
    case .png: stream = ImageStream(png: data)
    }
    guard let stream else { throw Failure("cannot encode the picture for a PDF") }
    self = stream
  }

  /// Encoded anew: CCITT group 4 where every sample is black or white, else JPEG.
  init(bilevelOrNot pix: Pix, quality: Int) throws {
    if pix.depth == 8, pix.isBilevel {
      try self.init(pix.making { pixConvertTo1($0, 128) })
    } else {
      try self.init(pix, quality: quality)
    }
  }

  private init?(jpeg data: Data) {
    // Four components would need a CMYK output intent.
    guard let header = JPEGHeader(data), header.bitsPerSample == 8, header.components == 1 || header.components == 3
    else { return nil }
    bytes = Array(data)
    (width, height, bits) = (header.width, header.height, 8)
    colourSpace = header.components == 1 ? "/DeviceGray" : "/DeviceRGB"
    filter = "/DCTDecode"
  }

  private init?(png data: Data) {
    guard let header = PNGHeader(data), !header.interlaced, !header.hasTransparency, !header.samples.isEmpty else {
      return nil
    }
    let opaque = header.opaqueSamples(in: data)
    switch header.colourType {
    case 0, 4: colourSpace = "/DeviceGray"
    case 2, 6: colourSpace = "/DeviceRGB"
    case 3:
      let colours = header.palette.count / 3
      guard colours > 0, colours <= 256 else { return nil }
      let hex = header.palette.prefix(colours * 3).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }
      colourSpace = "[/Indexed /DeviceRGB \(colours - 1) <\(hex.joined())>]"
    default: return nil
    }
    guard [1, 2, 4, 8, 16].contains(header.depth), header.colourType < 4 || opaque != nil else { return nil }
    bytes = opaque ?? []
    for range in opaque == nil ? header.samples : [] {
      bytes += data[data.startIndex + range.lowerBound..<data.startIndex + range.upperBound]
    }
    (width, height, bits) = (header.width, header.height, header.depth)
    filter = "/FlateDecode"
    parameters = """
      << /Predictor 15 /Colors \(header.colourType & 3 == 2 ? 3 : 1) /BitsPerComponent \(header.depth) \
      /Columns \(header.width) >>
      """
  }

  private init?(tiff data: Data, _ directory: TIFFDirectory) {
    guard directory.integer(.compression) == 4, directory.count(.stripOffsets) == 1,
      let width = directory.integer(.width), let height = directory.integer(.height), width > 0, height > 0,
      let at = directory.integer(.stripOffsets), let count = directory.integer(.stripByteCounts),
      let strip = Bytes(data).slice(at, count)
    else { return nil }
    bytes = Array(strip)
    if directory.integer(.fillOrder) == 2 {
      bytes = bytes.map(\.bitsReversed)
    }
    (self.width, self.height, bits) = (width, height, 1)
    colourSpace = "/DeviceGray"
    filter = "/CCITTFaxDecode"
    // Photometric 0: a zero is white. The decoder gives black as 0 unless told otherwise.
    let inverted = directory.integer(.photometric) == 1
    parameters = "<< /K -1 /Columns \(width) /Rows \(height) /BlackIs1 \(inverted) >>"
  }

  /// How many numbers a colour has; those of a palette count.
  var channels: Int { colourSpace.contains("/DeviceGray") ? 1 : 3 }

  /// The image as an object of `file`.
  func object(in file: PDFFile) throws -> PDFObject {
    let stream = file.stream(bytes, filter: file.name(filter), parameters: try parameters.map { try file.parsed($0) })
    stream.set("/Type", file.name("/XObject"))
    stream.set("/Subtype", file.name("/Image"))
    stream.set("/Width", file.integer(width))
    stream.set("/Height", file.integer(height))
    stream.set("/BitsPerComponent", file.integer(bits))
    stream.set("/ColorSpace", try colours(in: file))
    try file.check()
    return stream
  }

  private func colours(in file: PDFFile) throws -> PDFObject {
    let plain = try file.parsed(colourSpace)
    guard let profile else { return plain }
    let shared = try file.shared(profile) {
      let stream =
        deflated(profile).map { file.stream($0, filter: file.name("/FlateDecode")) } ?? file.stream(profile)
      stream.set("/N", file.integer(channels))
      return stream
    }
    let space = file.array([file.name("/ICCBased"), shared])
    let palette = plain.items
    return palette.count == 4 ? file.array([palette[0], space, palette[2], palette[3]]) : space
  }
}

extension UInt8 {
  fileprivate var bitsReversed: UInt8 {
    var result: UInt8 = 0
    for bit in 0..<8 where self & (1 << UInt8(bit)) != 0 { result |= 0x80 >> UInt8(bit) }
    return result
  }
}

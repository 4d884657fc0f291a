import CTesseract
import Foundation
import Frames

/// A picture file, or a TIFF file of many pages, read page by page through Leptonica.
public final class PictureFile {
  public enum Format: String, Sendable { case png, jpeg, tiff, webp, bmp, gif }

  public let path: String
  public let format: Format
  let data: Data
  /// It holds more pictures than are read: an animation, of which the first is taken.
  public let isAnimated: Bool
  /// A TIFF file's pages; empty for the other formats.
  let directories: [TIFFDirectory]

  var name: String { (path as NSString).lastPathComponent }
  public var pageCount: Int { format == .tiff ? directories.count : 1 }

  /// Throws `Failure` where the file cannot be read or is no picture of a known format.
  public init(path: String) throws {
    _ = Pix.quiet
    self.path = path
    let name = (path as NSString).lastPathComponent
    do {
      data = try Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe)
    } catch {
      throw Failure("cannot read the file (\(error.localizedDescription))", place: name, mayPass: true)
    }
    guard let format = PictureFile.sniff(data) else {
      throw Failure("not a picture of a known kind (PNG, JPEG, TIFF, WebP, BMP, GIF)", place: name)
    }
    self.format = format
    isAnimated = Animation.isOne(data, format)
    directories = format == .tiff ? TIFFDirectory.all(in: data) : []
    if format == .tiff, directories.isEmpty { throw Failure("the TIFF file is damaged: it has no page", place: name) }
  }

  /// The format by the file's first bytes.
  static func sniff(_ data: Data) -> Format? {
    let bytes = Bytes(data)
    if bytes.has([0x89, 0x50, 0x4e, 0x47], at: 0) { return .png }
    if bytes.has([0xff, 0xd8, 0xff], at: 0) { return .jpeg }
    if bytes.has([0x49, 0x49, 42, 0], at: 0) || bytes.has([0x4d, 0x4d, 0, 42], at: 0) { return .tiff }
    if bytes.has([0x49, 0x49, 43, 0], at: 0) || bytes.has([0x4d, 0x4d, 0, 43], at: 0) { return .tiff }
    if bytes.has(Array("RIFF".utf8), at: 0), bytes.has(Array("WEBP".utf8), at: 8) { return .webp }
    if bytes.has(Array("BM".utf8), at: 0) { return .bmp }
    if bytes.has(Array("GIF8".utf8), at: 0) { return .gif }
    return nil
  }

  /// What is known of a page before its samples are decoded. Sizes are those of the page as it is shown.
  struct PageInfo {
    var width: Int
    var height: Int
    var dpi: (x: Double, y: Double)
    /// The file gives no believable resolution: `dpi` is a guess from the size.
    var isGuess: Bool
    /// How the samples are to be turned, 1 to 8.
    var orientation: Int
  }

  func info(_ page: Int) throws -> PageInfo {
    var size = (width: 0, height: 0)
    var dpi: (x: Double, y: Double)?
    var orientation = 1
    switch format {
    case .jpeg:
      guard let header = JPEGHeader(data) else { throw damaged() }
      (size, dpi, orientation) = ((header.width, header.height), header.dpi, header.orientation)
    case .png:
      guard let header = PNGHeader(data) else { throw damaged() }
      (size, dpi, orientation) = ((header.width, header.height), header.dpi, header.orientation)
    case .tiff:
      let directory = directories[page]
      size = (directory.integer(.width) ?? 0, directory.integer(.height) ?? 0)
      (dpi, orientation) = (directory.dpi, directory.orientation)
    case .webp, .bmp, .gif:
      size = try headerSize()
      if format == .webp { orientation = webPOrientation(data) }
    }
    guard size.width > 0, size.height > 0 else { throw damaged() }
    if orientation >= 5 {
      size = (size.height, size.width)
      dpi = dpi.map { ($0.y, $0.x) }
    }
    let known = dpi.flatMap { (70...2400).contains($0.x) && (70...2400).contains($0.y) ? $0 : nil }
    // Without a resolution the page is taken to be as long as a letter sheet.
    let guess = min(max((Double(max(size.width, size.height)) / 11).rounded(), 72), 600)
    return PageInfo(
      width: size.width, height: size.height, dpi: known ?? (guess, guess), isGuess: known == nil,
      orientation: orientation)
  }

  /// Whether a TIFF file keeps a page's samples as JPEG.
  func isJPEG(_ page: Int) -> Bool {
    directories.indices.contains(page) && [6, 7].contains(directories[page].integer(.compression))
  }

  private func headerSize() throws -> (width: Int, height: Int) {
    var format: Int32 = 0
    var width: Int32 = 0
    var height: Int32 = 0
    let failed = Animation.firstPicture(data, self.format).withUnsafeBytes {
      pixReadHeaderMem(
        $0.bindMemory(to: UInt8.self).baseAddress, $0.count, &format, &width, &height, nil, nil, nil)
    }
    if failed != 0 { throw damaged() }
    return (Int(width), Int(height))
  }

  /// A page's samples as they lie in the file, not yet turned by the orientation.
  ///
  /// - Parameter maximumPixels: larger pages are refused before they are decoded.
  func pix(_ page: Int, maximumPixels: Int) throws -> Pix {
    let info = try info(page)
    let pixels = info.width.multipliedReportingOverflow(by: info.height)
    if pixels.overflow || pixels.partialValue > maximumPixels {
      throw Failure(
        "\(info.width) x \(info.height) pixels are more than the \(maximumPixels / 1_000_000) megapixels allowed",
        place: "\(name) page \(page + 1)", advice: "raise max_megapixels if you trust the file")
    }
    let pointer: UnsafeMutablePointer<PIX>?
    if format == .tiff {
      // The directory's place finds any page at once; 0 would mean the first.
      var offset = directories[page].offset
      pointer = pixReadFromMultipageTiff(path, &offset)
    } else {
      pointer = Animation.firstPicture(data, format).withUnsafeBytes {
        pixReadMem($0.bindMemory(to: UInt8.self).baseAddress, $0.count)
      }
    }
    guard let pointer else { throw damaged(page) }
    return try Pix(owning: pointer)
  }

  /// A page as it is shown.
  func shown(_ page: Int, maximumPixels: Int) throws -> Pix {
    let pix = try pix(page, maximumPixels: maximumPixels)
    // Leptonica turns TIFF pages itself.
    return format == .tiff ? pix : try pix.oriented(info(page).orientation)
  }

  private func damaged(_ page: Int = 0) -> Failure {
    Failure(
      "the \(format.rawValue.uppercased()) file is damaged or cut short",
      place: pageCount > 1 ? "\(name) page \(page + 1)" : name)
  }
}

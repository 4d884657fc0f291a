import Foundation
import Frames

/// What to do with pages that have text already, by OCRmyPDF's names.
public enum TextMode: String, Sendable, Hashable, CaseIterable, Codable {
  /// Pages with text are left alone, but for scans that carry no more than a stamp of it.
  case `default`
  /// Pages with any text are left alone.
  case skip
  /// Invisible text is taken out and read anew; visible text stays.
  case redo
  /// Every page becomes a picture and is read.
  case force
}

/// How documents become pictures of pages.
public struct ReaderOptions: Sendable, Hashable {
  /// Pixels an inch; nil takes scans at their own resolution and draws the rest at 300.
  public var dpi: Double?
  public var pages: PageSelection
  public var mode = TextMode.default
  /// Larger pages are left alone.
  public var maximumPixels = 250_000_000

  public init() throws { pages = try PageSelection("") }
}

/// A document opened for reading: a PDF, or a file of pictures. Used by one thread.
public protocol DocumentReader: AnyObject {
  var pageCount: Int { get }
  /// What of the document none of its pages has, for the user; nil where nothing is missing.
  var loss: String? { get }
  /// The page's picture and what is known of it. A page that is left alone has a picture of one pixel.
  func page(_ number: Int) throws -> (picture: Picture, page: Page)
}

public enum Documents {
  /// Throws `Failure` in one clear line where the file is no document that can be read.
  public static func open(_ path: String, _ options: ReaderOptions) throws -> any DocumentReader {
    _ = PageMemory.settled
    return try isPDF(path) ? PDFReader(path: path, options) : PictureReader(path: path, options)
  }

  /// How long reading a document may take in comparison with others. Letters cost bytes and area both: much paper is
  /// white, and noise that takes many bytes is not read.
  public static func weight(of path: String, bytes: Int) -> Double {
    guard (try? isPDF(path)) == false, let file = try? PictureFile(path: path), file.pageCount == 1,
      let info = try? file.info(0)
    else { return Double(bytes) }
    return (Double(bytes) * Double(info.width) * Double(info.height)).squareRoot()
  }

  /// By its first bytes, or by its name where those tell nothing.
  static func isPDF(_ path: String) throws -> Bool {
    let name = (path as NSString).lastPathComponent
    guard let file = FileHandle(forReadingAtPath: path) else {
      throw Failure("cannot open the file", place: name, mayPass: true)
    }
    defer { try? file.close() }
    let head = (try? file.read(upToCount: 1024)) ?? Data()
    if head.isEmpty { throw Failure("the file is empty", place: name) }
    if head.range(of: Data("%PDF-".utf8)) != nil { return true }
    if PictureFile.sniff(head) != nil { return false }
    if name.lowercased().hasSuffix(".pdf") { throw Failure("it is named .pdf but is no PDF", place: name) }
    return false
  }
}

/// Stands for the picture of a page that is left alone.
func blankPicture() -> Picture {
  Picture(width: 1, height: 1, format: PixelFormat(.none)) { $0[0].row(0, as: UInt8.self)[0] = 255 }
}

/// The pages of a picture file.
final class PictureReader: DocumentReader {
  private let file: PictureFile
  private let options: ReaderOptions
  var pageCount: Int { file.pageCount }
  var loss: String? { file.isAnimated ? "it is an animation, of which only the first picture was taken" : nil }

  init(path: String, _ options: ReaderOptions) throws {
    file = try PictureFile(path: path)
    self.options = options
  }

  func page(_ number: Int) throws -> (picture: Picture, page: Page) {
    let info = try file.info(number)
    let size = (width: Double(info.width) * 72 / info.dpi.x, height: Double(info.height) * 72 / info.dpi.y)
    var page = Page(
      number: number, width: size.width, height: size.height, dpi: info.dpi, pixels: (info.width, info.height))
    page.guessesDPI = info.isGuess
    do {
      let picture = try file.shown(number, maximumPixels: options.maximumPixels).picture()
      // The header may say what the samples do not keep.
      page.pixels = (picture.width, picture.height)
      page.dpi = (Double(picture.width) / size.width * 72, Double(picture.height) / size.height * 72)
      page.toPage = .scale(72 / page.dpi.x, 72 / page.dpi.y)
      return (picture, page)
    } catch let failure as Failure where file.pageCount > 1 {
      page.note = failure.message
      return (blankPicture(), page)
    }
  }
}

import Documents
import Foundation
import Frames
import Pipeline

/// Reads documents page by page: PDFs, and pictures of one page or many.
public struct Rasterize: SourceStage {
  public static let name = "rasterize"
  public static let summary = "Read the pages of PDFs and pictures."
  public static let role = StageRole.source(.pages)

  public struct Options: StageOptions {
    var dpi = Automatic.auto
    var pages = ""
    var mode = TextMode.default
    var maxMegapixels = 250
    public init() {}

    public static let parameters: [Parameter<Options>] = [
      .numberOrAuto(
        "dpi", \.dpi, 36...2400,
        "pixels an inch that PDF pages are drawn with; auto: a scan's own, 300 for all else"),
      .text("pages", \.pages, "which pages to read, as in 2,3-end; empty: all"),
      .choice(
        "mode", \.mode,
        "pages with text: default leaves them but for stamped scans, skip leaves all, redo reads anew, force redraws"),
      .integer("max_megapixels", \.maxMegapixels, 1...2000, "larger pages are left without text", unit: "MP"),
    ]
  }

  private let options: ReaderOptions

  public init(_ options: Options) throws {
    var reader = try ReaderOptions()
    if case .value(let dpi) = options.dpi { reader.dpi = dpi }
    reader.pages = try PageSelection(options.pages)
    reader.mode = options.mode
    reader.maximumPixels = options.maxMegapixels * 1_000_000
    self.options = reader
  }

  public func open(_ job: Job) throws -> any Source { try PageSource(job, options) }

  public func weight(of path: String, bytes: Int) -> Double { Documents.weight(of: path, bytes: bytes) }
}

private final class PageSource: Source {
  let streams: [StreamFormat]
  private let reader: any DocumentReader
  private let job: Job
  private var numbers: ArraySlice<Int>
  /// The first page, read to know the format.
  private var first: Frame?

  init(_ job: Job, _ options: ReaderOptions) throws {
    self.job = job
    reader = try Documents.open(job.input, options)
    if let loss = reader.loss { try job.note(Note(.loss, loss)) }
    let selected = options.pages.pages(of: reader.pageCount)
    guard let start = selected.first else {
      throw Failure(
        "it has \(reader.pageCount) pages, and none of them is selected by pages: \(options.pages.text)",
        place: (job.input as NSString).lastPathComponent)
    }
    numbers = selected.dropFirst()
    let frame = try PageSource.frame(start, reader, job)
    first = frame
    streams = [
      StreamFormat(
        width: frame.picture.width, height: frame.picture.height, pixelFormat: frame.picture.format,
        colour: frame.picture.colour, timeBase: Rational(1, 1), frameCount: selected.count)
    ]
  }

  func read() throws -> Frame? {
    if let frame = first {
      first = nil
      return frame
    }
    guard let number = numbers.popFirst() else { return nil }
    return try PageSource.frame(number, reader, job)
  }

  private static func frame(_ number: Int, _ reader: any DocumentReader, _ job: Job) throws -> Frame {
    let (picture, page) = try reader.page(number)
    if let note = page.note { try job.note(Note(.loss, "page \(number + 1) was not read: \(note)")) }
    return Frame(picture: picture, timestamp: Timestamp(number, timeBase: Rational(1, 1)), page: page)
  }
}

import Documents
import Foundation
import Frames
import Pipeline

/// Reads the text of pages with Tesseract.
public struct OCR: FilterStage {
  public static let name = "ocr"
  public static let summary = "Read the text of pages."
  public static let main: String? = "languages"
  public static let role = StageRole.filter([.pages])

  public struct Options: StageOptions {
    var languages = "eng"
    var psm = 3
    var oem = 3
    var userWords: String?
    var userPatterns: String?
    var timeout = 180.0
    var maxMegapixels = 250
    var letterHeight = 11.0
    public init() {}

    public static let parameters: [Parameter<Options>] = [
      .text("languages", \.languages, "Tesseract's names of the languages, as in eng+deu"),
      .integer("psm", \.psm, 1...13, "Tesseract's page segmentation mode; 3 finds blocks by itself"),
      .integer("oem", \.oem, 0...3, "Tesseract's engine: 0 legacy, 1 LSTM, 2 both, 3 what the data has"),
      .text("user_words", \.userWords, "file of words to expect, one a line"),
      .text("user_patterns", \.userPatterns, "file of patterns to expect, one a line"),
      .duration("timeout", \.timeout, "a page that takes longer stays without text"),
      .integer("max_megapixels", \.maxMegapixels, 1...2000, "larger pages are left without text", unit: "MP"),
      .number(
        "letter_height", \.letterHeight, 0...60,
        "pages of smaller letters are doubled in size for reading; 0 doubles none",
        unit: "px"),
    ]
  }

  private let options: Options
  private let recogniser: RecogniserOptions

  public init(_ options: Options) throws {
    self.options = options
    var recogniser = RecogniserOptions()
    recogniser.languages = options.languages
    recogniser.segmentation = options.psm
    recogniser.engine = options.oem
    recogniser.userWords = options.userWords
    recogniser.userPatterns = options.userPatterns
    recogniser.timeout = options.timeout
    self.recogniser = recogniser
  }

  public func check() throws {
    try Languages.check(options.languages)
    for file in [options.userWords, options.userPatterns].compactMap({ $0 })
    where !FileManager.default.isReadableFile(atPath: file) {
      throw Failure("cannot read \(file), which ocr is to use", exitCode: .usage)
    }
  }

  public func fingerprint() throws -> [String: String] {
    var facts = ["tesseract": Languages.version]
    for (key, file) in ["user_words": options.userWords, "user_patterns": options.userPatterns] {
      if let file { facts[key] = try String(contentsOfFile: file, encoding: .utf8) }
    }
    return facts
  }

  public func open(_ input: StreamFormat, _ job: Job) throws -> any Filter {
    PageCrew(
      input, job,
      PageReading(
        options: recogniser, maximumPixels: options.maxMegapixels * 1_000_000, letterHeight: options.letterHeight))
  }
}

/// Reads several pages at once, and gives them on in order.
private final class PageCrew: Filter {
  let output: StreamFormat
  private let job: Job
  private let reading: PageReading
  private let desk: PageDesk
  private var slots: [PageSlot] = []
  private var pixels = 0

  init(_ format: StreamFormat, _ job: Job, _ reading: PageReading) {
    output = format
    self.job = job
    self.reading = reading
    desk = PageDesk(readers: job.threads) { try reading.read($0, job) }
  }

  deinit { desk.abandon() }

  /// A page that takes long holds back those after it, not those who read them: so more are under way than are read
  /// at once, as long as they are of common sizes.
  private var isFull: Bool {
    slots.count >= job.threads
      && (slots.count >= 2 * job.threads + 2 || pixels > job.threads * PageCrew.pixelsPerReader)
  }
  private static let pixelsPerReader = 40_000_000

  func process(_ frame: Frame, emit: (Frame) throws -> Void) throws {
    while isFull { try release(emit) }
    let slot = PageSlot(frame)
    slots.append(slot)
    pixels += slot.pixels
    if frame.page?.isLeftAlone ?? true {
      slot.fill(.success(frame))
    } else if job.threads == 1 {
      slot.fill(Result { try reading.read(frame, job) })
    } else {
      desk.add(slot)
    }
    while slots.first?.isFilled == true { try release(emit) }
  }

  func finish(emit: (Frame) throws -> Void) throws {
    desk.end()
    while !slots.isEmpty { try release(emit) }
  }

  private func release(_ emit: (Frame) throws -> Void) throws {
    let slot = slots.removeFirst()
    pixels -= slot.pixels
    let frame = try slot.wait()
    if let page = frame.page, let note = page.note, page.text == nil {
      try job.note(Note(.loss, "page \(page.number + 1) was not read: \(note)"))
    }
    try emit(frame)
  }
}

/// How one page is read.
private struct PageReading: Sendable {
  let options: RecogniserOptions
  let maximumPixels: Int
  /// Pages of smaller letters are doubled in size.
  let letterHeight: Double

  /// Letters of finer pages are high enough, so they need not be measured.
  private static let coarseDPI = 220.0

  /// The page with its text, or with a note why there is none.
  func read(_ frame: Frame, _ job: Job) throws -> Frame {
    guard var page = frame.page else { return frame }
    var frame = frame
    if frame.picture.width * frame.picture.height > maximumPixels {
      page.note = "it has \(frame.picture.width) x \(frame.picture.height) pixels, more than max_megapixels allows"
    } else {
      do {
        page.text = try text(frame.picture, page, job)
      } catch let failure as Failure where failure.exitCode == .someFailed {
        page.note = failure.message
      }
    }
    frame.page = page
    return frame
  }

  private func text(_ original: Picture, _ page: Page, _ job: Job) throws -> PageText {
    let picture = try hasSmallLetters(original, page) ? PageFixes.doubled(original) : original
    let dpi = page.guessesDPI ? nil : page.dpi(of: picture).y
    let text = try ToolShed.recognisers.withTool(options) {
      try $0.read(picture, dpi: dpi, toPage: page.toPage(from: picture)) {
        // A page on a busy machine may take longer than a worker is waited for.
        job.beat()
        return !job.isCancelled
      }
    }
    return picture === original ? text : text.scalingPixels(by: Double(original.width) / Double(picture.width))
  }

  private func hasSmallLetters(_ picture: Picture, _ page: Page) throws -> Bool {
    let dpi = page.dpi(of: picture)
    guard letterHeight > 0, min(dpi.x, dpi.y) < PageReading.coarseDPI,
      picture.width * picture.height <= maximumPixels / 4
    else { return false }
    return try PageFixes.letterHeight(of: picture).map { $0 < letterHeight } ?? false
  }
}

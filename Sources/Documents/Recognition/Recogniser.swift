import CTesseract
import Foundation
import Frames

/// How text is to be recognised.
public struct RecogniserOptions: Sendable, Hashable {
  /// Tesseract's names, joined by `+`.
  public var languages = "eng"
  /// Tesseract's page segmentation mode, 1 to 13; 3 finds blocks by itself.
  public var segmentation = 3
  /// Tesseract's engine: 0 legacy, 1 LSTM, 2 both, 3 what the language data has.
  public var engine = 3
  /// Files of Tesseract's, one word or pattern a line.
  public var userWords: String?
  public var userPatterns: String?
  /// For one page, in seconds.
  public var timeout = 180.0

  public init() {}
}

/// A Tesseract handle that reads pages one after another. Used by one thread at a time.
public final class Recogniser {
  private let handle: OpaquePointer
  public let options: RecogniserOptions
  /// How many pages it has read.
  public private(set) var pagesRead = 0

  /// Throws `Failure` of exit code 3 where a language is missing.
  public init(_ options: RecogniserOptions) throws {
    _ = Pix.quiet
    guard let handle = TessBaseAPICreate() else { throw Failure("Tesseract has no memory", exitCode: .exhausted) }
    self.handle = handle
    self.options = options
    // Tesseract's own remarks on a page are not for the user's screen.
    var variables = ["debug_file": "/dev/null"]
    variables["user_words_file"] = options.userWords
    variables["user_patterns_file"] = options.userPatterns
    var names = variables.keys.map { strdup($0) }
    var values = variables.values.map { strdup($0) }
    defer { (names + values).forEach { free($0) } }
    let engine = TessOcrEngineMode(rawValue: UInt32(options.engine))
    guard
      TessBaseAPIInit4(handle, nil, options.languages, engine, nil, 0, &names, &values, names.count, 0) == 0,
      Languages.loaded(handle).isSuperset(of: options.languages.split(separator: "+").map(String.init))
    else {
      TessBaseAPIDelete(handle)
      try Languages.check(options.languages)
      throw Failure(
        "Tesseract cannot load the languages \(options.languages) with engine \(options.engine)",
        advice: "run pipe doctor", exitCode: .missing)
    }
    // The library's default is one block a page; the command's is to find the blocks.
    TessBaseAPISetPageSegMode(handle, TessPageSegMode(rawValue: UInt32(options.segmentation)))
  }

  deinit {
    TessBaseAPIEnd(handle)
    TessBaseAPIDelete(handle)
    // The next handle may come out of another thread's heap: without this, what was freed in this one's stays here.
    malloc_trim(0)
  }

  /// Reads a page.
  ///
  /// - Parameters:
  ///   - dpi: pixels an inch; nil where only guessed, and Tesseract estimates it from the letters.
  ///   - toPage: from the picture's pixels to points of the shown page.
  ///   - goesOn: asked for each word whether to go on.
  /// Throws `Failure` where the page takes longer than the timeout.
  public func read(
    _ picture: Picture, dpi: Double?, toPage: Affine, goesOn: @escaping () -> Bool = { true }
  ) throws -> PageText {
    let resolution = dpi ?? 0
    let pix = try Pix(picture, dpi: (resolution, resolution))
    pagesRead += 1
    pix.with { TessBaseAPISetImage2(handle, $0) }
    defer { TessBaseAPIClear(handle) }
    if resolution >= 70 { TessBaseAPISetSourceResolution(handle, Int32(min(resolution, 2400).rounded())) }
    guard let monitor = TessMonitorCreate() else { throw Failure("Tesseract has no memory", exitCode: .exhausted) }
    defer { TessMonitorDelete(monitor) }
    let start = ContinuousClock.now
    TessMonitorSetDeadlineMSecs(monitor, Int32(clamping: Int(options.timeout * 1000)))
    let question = Question(goesOn)
    TessMonitorSetCancelThis(monitor, Unmanaged.passUnretained(question).toOpaque())
    TessMonitorSetCancelFunc(monitor) { question, _ in
      question.map { !Unmanaged<Question>.fromOpaque($0).takeUnretainedValue().goesOn() } ?? false
    }
    if withExtendedLifetime(question, { TessBaseAPIRecognize(handle, monitor) }) != 0 {
      if start.duration(to: .now) >= .seconds(options.timeout) {
        throw Failure("reading it took longer than \(Int(options.timeout)) s", advice: "raise ocr's timeout")
      }
      throw Failure("Tesseract could not read it")
    }
    guard let iterator = TessBaseAPIGetIterator(handle) else { return PageText(blocks: []) }
    defer { TessResultIteratorDelete(iterator) }
    return ResultWalk(iterator, toPage: toPage, asksLetters: ![0, 2].contains(options.engine)).text()
  }
}

/// A closure that C holds by its address.
private final class Question {
  let goesOn: () -> Bool
  init(_ goesOn: @escaping () -> Bool) { self.goesOn = goesOn }
}

import Documents
import Foundation
import Frames
import Pipeline

/// Writes documents: searchable PDFs, and their text in many forms.
public struct Document: SinkStage {
  public static let name = "document"
  public static let summary = "Write searchable PDFs and text with a confidence for every word."
  public static let main: String? = "formats"
  public static let role = StageRole.sink([.pages])

  enum Kind: String, CaseIterable, Sendable {
    case auto
    case archive = "pdfa-2"
  }

  enum Show: String, CaseIterable, Sendable { case original, processed }

  public struct Options: StageOptions {
    var formats: [OutputFormat] = [.pdf, .txt, .json]
    var type = Kind.auto
    var review = 60.0
    var show = Show.original
    var quality = 85
    public init() {}

    public static let parameters: [Parameter<Options>] = [
      .choices("formats", \.formats, "what to write; each format bears the output's name with its own suffix"),
      .choice(
        "type", \.type,
        "auto: pictures become PDF/A-2b, PDFs keep their kind; pdfa-2: PDFs become PDF/A-2b too, where they can"),
      .number("review", \.review, 0...100, "words of a lower certainty are to be looked at by a person"),
      .choice("show", \.show, "the page as it was, or as the stages before have made it"),
      .integer("quality", \.quality, 1...100, "JPEG quality of pages that are not shown as they were"),
    ]
  }

  private let options: Options

  public init(_ options: Options) throws {
    self.options = options
    if options.formats.isEmpty {
      throw Failure("document has no formats to write", advice: "name one, as in [pdf, txt]", exitCode: .usage)
    }
  }

  public func open(_ streams: [StreamFormat], _ job: Job) throws -> any Sink { try PageSink(options, job) }
}

private final class PageSink: Sink {
  private let options: Document.Options
  private let job: Job
  private let writer: DocumentWriter
  private let files: [(format: OutputFormat, path: String)]
  private let review: String
  private var ownText = 0

  init(_ options: Document.Options, _ job: Job) throws {
    self.options = options
    self.job = job
    let base = (job.output as NSString).deletingPathExtension
    files = options.formats.map { ($0, $0 == .pdf ? job.output : base + "." + $0.suffix) }
    review = job.part(base + ".review")
    writer = try DocumentWriter(
      input: job.input, paths: Dictionary(files.map { ($0.format, job.part($0.path)) }) { first, _ in first },
      review: review, becomesArchive: options.type == .archive, threshold: options.review)
    if let seal = writer.assembler?.seal {
      try job.note(Note(.info, "the PDF is copied byte for byte, without text, since \(seal)"))
    }
  }

  func write(_ frame: Frame) throws {
    guard var page = frame.page else { return }
    if options.show == .processed, page.visible == nil, page.note == nil, !page.hasOwnText {
      // A picture that was turned for reading alone does not fit the page.
      if page.toPage.b == 0, page.toPage.c == 0, page.turn == 0 {
        page.visible = frame.picture
      } else {
        try job.note(Note(.info, "page \(page.number + 1) is shown as it was, since it was turned for reading only"))
      }
    }
    if page.hasOwnText { ownText += 1 }
    try writer.add(PageResult(frame.picture, page, quality: options.quality), frame.picture)
  }

  func finish() throws -> SinkReport {
    try writer.finish()
    if ownText > 0 { try job.note(Note(.info, "\(ownText) pages have text already and were left as they are")) }
    for loss in writer.assembler?.losses ?? [] {
      try job.note(Note(.loss, "page \(loss.page + 1) is empty: \(loss.text)"))
    }
    if let obstacle = writer.assembler?.archiveObstacle {
      try job.note(Note(.loss, "the PDF is no PDF/A-2b, since \(obstacle)"))
    }
    let summary = writer.summary
    var details: [String: Value] = [
      "pages": .int(summary.pages), "words": .int(summary.words), "doubtful_words": .int(summary.doubtfulWords),
      "pages_to_review": .list(summary.pagesToReview.map { .int($0) }),
    ]
    if let confidence = summary.confidence { details["confidence"] = .double(confidence) }
    if let seal = writer.assembler?.seal { details["copied_because"] = .string(seal) }
    return SinkReport(
      files: files.map { .init(part: job.part($0.path), path: $0.path) }, details: details,
      review: .init(part: writer.hasReview ? review : nil))
  }
}

import Foundation
import Frames

/// What a document can be written as.
public enum OutputFormat: String, Sendable, Hashable, CaseIterable, Codable {
  case pdf, txt, hocr, alto, tsv, json

  public var suffix: String {
    switch self {
    case .pdf: "pdf"
    case .txt: PlainText.suffix
    case .hocr: HOCR.suffix
    case .alto: ALTO.suffix
    case .tsv: TabSeparated.suffix
    case .json: JSONText.suffix
    }
  }

  fileprivate var text: (any TextFormat)? {
    switch self {
    case .pdf: nil
    case .txt: PlainText()
    case .hocr: HOCR()
    case .alto: ALTO()
    case .tsv: TabSeparated()
    case .json: JSONText()
    }
  }
}

/// Writes all outputs of a document as its pages come; no page is held once it is written. Used by one thread.
public final class DocumentWriter {
  public let assembler: PDFAssembler?
  public private(set) var summary: DocumentSummary
  private var texts: [(format: any TextFormat, file: TextFile)] = []
  private let review: ReviewWriter?
  private var pdf: String?
  private var pages = 0

  /// - Parameters:
  ///   - paths: where each format is written; the caller renames.
  ///   - review: where what a person should look at is written; no file is left where there is nothing.
  ///   - becomesArchive: existing PDFs are to become PDF/A-2b, where they can.
  ///   - threshold: words of a lower certainty are to be looked at.
  public init(
    input: String, paths: [OutputFormat: String], review: String?, becomesArchive: Bool = false,
    threshold: Double, maximumPixels: Int = 250_000_000
  ) throws {
    summary = DocumentSummary(threshold: threshold)
    pdf = paths[.pdf]
    assembler = try pdf.map { _ in
      try PDFAssembler(input: input, maximumPixels: maximumPixels, becomesArchive: becomesArchive)
    }
    let name = (input as NSString).lastPathComponent
    self.review = try review.map { try ReviewWriter($0) }
    for (format, path) in paths.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
      guard let text = format.text else { continue }
      let file = try TextFile(path)
      try file.write(text.beginning(input: name))
      texts.append((text, file))
    }
  }

  /// Adds a page; pages come in ascending order.
  ///
  /// - Parameter picture: what was read, of which doubtful words are cut.
  public func add(_ result: PageResult, _ picture: Picture) throws {
    let isToReview = summary.add(result)
    try review?.add(result, picture, isToReview: isToReview, threshold: summary.threshold)
    for (format, file) in texts { try file.write(format.page(result, index: pages)) }
    try assembler?.add(result)
    pages += 1
  }

  /// Whether there is anything for a person to look at.
  public var hasReview: Bool { review?.isEmpty == false }

  /// Completes all files and reads the PDF back. Who publishes them brings them to the disk.
  public func finish() throws {
    for (format, file) in texts {
      try file.write(format.end(summary))
      try file.close()
    }
    try review?.finish()
    guard let assembler, let pdf else { return }
    try assembler.write(to: pdf)
    try assembler.verify(pdf)
  }
}

/// A file being written from its beginning to its end.
final class TextFile {
  private let path: String
  private let handle: FileHandle

  init(_ path: String) throws {
    self.path = path
    guard FileManager.default.createFile(atPath: path, contents: nil), let handle = FileHandle(forWritingAtPath: path)
    else { throw Failure("cannot write the file", place: path, mayPass: true) }
    self.handle = handle
  }

  func write(_ text: String) throws {
    do { try handle.write(contentsOf: Data(text.utf8)) } catch { throw TextFile.failure(path, error) }
  }

  func close() throws {
    do { try handle.close() } catch { throw TextFile.failure(path, error) }
  }

  private static func failure(_ path: String, _ error: any Error) -> Failure {
    let full = (error as NSError).code == Int(ENOSPC)
    return Failure(
      "cannot write (\(error.localizedDescription))", place: path, exitCode: full ? .exhausted : .someFailed,
      mayPass: true)
  }
}

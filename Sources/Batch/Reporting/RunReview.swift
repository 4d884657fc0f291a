import Documents
import Foundation
import Frames
import Pipeline

/// Makes `review.html` of what the documents of a run leave for a person to look at, up to date ones included.
struct RunReview {
  private let plan: Plan
  private let observer: any RunObserver

  init(_ plan: Plan, _ observer: any RunObserver) { (self.plan, self.observer) = (plan, observer) }

  /// Where the review of one output lies until then.
  static func path(_ root: OutputRoot, _ relative: String) -> String {
    root.reviews + "/" + TemporaryName.fitting(relative, suffix: ".jsonl")
  }

  /// What cannot be written is told, and fails nothing: the outputs are complete.
  func write() -> BatchEvent.Review {
    var review = BatchEvent.Review()
    for (index, root) in plan.roots.enumerated() {
      let jobs = plan.jobs.filter { $0.root == index && !$0.relativeOutput.isEmpty }
      do { try write(root, jobs, &review) } catch { observer.remark("no review: \(Failure(anyError: error))") }
    }
    return review
  }

  private func write(_ root: OutputRoot, _ jobs: [PlannedJob], _ review: inout BatchEvent.Review) throws {
    let path = root.reviewBook
    let isFree = FileSystem.status(path) == nil || ReviewBook.isOne(path)
    let documents = jobs.filter { FileSystem.status(Self.path(root, $0.relativeOutput)) != nil }
    guard !documents.isEmpty else {
      if isFree { unlink(path) }
      return
    }
    // A file of the user's own is not touched.
    let target = isFree ? path : root.reviews + "/review.html"
    let part = TemporaryName.fitting(target, suffix: ".part")
    var book = try ReviewBook(part, title: (root.resolved as NSString).lastPathComponent)
    let up = isFree ? "" : "../../"
    for job in documents {
      guard let lines = FileSystem.contents(Self.path(root, job.relativeOutput)) else { continue }
      let output = root.file(job.relativeOutput)
      let hasPDF = output.lowercased().hasSuffix(".pdf") && FileSystem.status(output) != nil
      try book.add(job.relativeOutput, link: hasPDF ? up + job.relativeOutput : nil, lines: lines)
    }
    try book.finish()
    try FileSystem.rename(part, to: target)
    review.pages += book.pages
    review.words += book.words
    review.files.append(target)
  }
}

import Batch
import Foundation
import Frames
import Stages
import Testing

@Suite struct ReviewTests {
  private let playground: Playground

  init() throws {
    playground = try Playground()
    // A page that the pipeline does not read needs review, whatever Tesseract makes of it.
    try playground.write(
      "read.yml",
      """
      version: 1
      name: read
      inputs: { include: ["**/*.bmp"] }
      output: "{stem}.pdf"
      stages: [rasterize, ocr: { max_megapixels: 1 }, document: [pdf, txt]]
      """)
    try bitmap("in/big <b>.bmp", width: 1200)
    try bitmap("in/small.bmp", width: 60)
  }

  /// Blank paper, of a width that is a multiple of four.
  private func bitmap(_ name: String, width: Int) throws {
    let height = 1000
    func number(_ value: Int, _ bytes: Int) -> [UInt8] { (0..<bytes).map { UInt8(value >> ($0 * 8) & 255) } }
    let samples = [UInt8](repeating: 255, count: width * height * 3)
    let header =
      Array("BM".utf8) + number(54 + samples.count, 4) + number(0, 4) + number(54, 4) + number(40, 4)
      + number(width, 4) + number(height, 4) + number(1, 2) + number(24, 2) + number(0, 24)
    let url = URL(filePath: playground.path(name))
    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(header + samples).write(to: url)
  }

  private func run() async throws -> BatchEvent.Summary {
    var request = RunRequest(pipeline: playground.path("read.yml"), inputs: [playground.path("in")])
    request.output = playground.path("out")
    request.inProcess = true
    let recorder = Recorder()
    let run = BatchRun(request, registry: builtinStages, observer: recorder)
    _ = try await withCheckedThrowingContinuation { continuation in
      Thread { continuation.resume(with: Result { try run.run() }) }.start()
    }
    return try #require(recorder.events.lazy.compactMap { if case .summary(let s) = $0 { s } else { nil } }.last)
  }

  private func review() throws -> String {
    try String(contentsOfFile: playground.path("out/review.html"), encoding: .utf8)
  }

  @Test func `a run over documents says which pages need review, also when all is up to date`() async throws {
    let first = try await run()
    #expect(first.done == 2)
    #expect(first.review?.pages == 1)
    #expect(first.review?.files == [playground.path("out/review.html")])
    let page = try review()
    #expect(page.contains("1 page to review") && page.contains("Not read: it has 1200 x 1000 pixels"))
    #expect(page.contains("href=\"./big%20%3Cb%3E.pdf#page=1\"") && page.contains("big &lt;b&gt;.pdf"))
    #expect(!page.contains("small.pdf"))

    try FileManager.default.removeItem(atPath: playground.path("out/review.html"))
    let second = try await run()
    #expect(second.upToDate == 2 && second.review == first.review)
    #expect(try review() == page)

    try bitmap("in/big <b>.bmp", width: 80)
    let third = try await run()
    #expect(third.done == 1 && third.review?.pages == 0)
    #expect(!playground.exists("out/review.html"))
  }

  @Test func `a review.html of the user's own stays`() async throws {
    try playground.write("out/review.html", "mine")
    let summary = try await run()
    #expect(summary.review?.files == [playground.path("out/.pipe/review/review.html")])
    #expect(try review() == "mine")
  }
}

import Foundation
import Frames
import Pipeline
import Testing

@testable import Stages

/// Where scans with known text lie, if this machine has them: `PIPE_TEST_DATA`, or beside the package.
private let scans: URL? = {
  let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()
  let named = ProcessInfo.processInfo.environment["PIPE_TEST_DATA"].map { URL(filePath: $0) }
  let folder = (named ?? package.appending(path: "../shared/data")).appending(path: "docs/tesseract_test")
  return FileManager.default.fileExists(atPath: folder.appending(path: "phototest.tif").path) ? folder : nil
}()

/// Documents through whole chains, read by the real Tesseract.
@Suite(.enabled(if: scans != nil, "there are no scans: set PIPE_TEST_DATA")) struct DocumentStagesTests {
  private let folder: URL
  private let scan: String

  init() throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "document-stages-" + UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    scan = try #require(scans).appending(path: "phototest.tif").path
  }

  @discardableResult
  private func run(_ stages: String, _ input: String, to name: String, threads: Int = 2) throws -> JobReport {
    let chain = try Chain(
      text: "version: 1\ninputs: { include: [\"*\"] }\noutput: \"{stem}.pdf\"\nstages: \(stages)", file: "t.yml",
      registry: builtinStages)
    try chain.check()
    let job = Job(input: input, output: folder.appending(path: name).path, threads: threads)
    let report = try ChainRunner(chain).run(job)
    for file in report.sink.files { try FileManager.default.moveItem(atPath: file.part, toPath: file.path) }
    return report
  }

  private func text(_ name: String) throws -> String {
    try String(contentsOf: folder.appending(path: name), encoding: .utf8)
  }

  @Test func `a scan becomes a searchable PDF and text`() throws {
    let report = try run(
      "[rasterize, ocr, document: { formats: [pdf, txt, hocr, alto, tsv, json] }]", scan, to: "a.pdf")
    #expect(report.sink.files.count == 6)
    #expect(try text("a.txt").contains("This is a lot of 12 point text"))
    let json = try JSONSerialization.jsonObject(with: Data(text("a.json").utf8)) as? [String: Any]
    let summary = try #require(json?["summary"] as? [String: Any])
    #expect(try #require(summary["confidence"] as? Double) > 80)
    for name in ["a.hocr", "a.xml"] { _ = try XMLReader(Data(contentsOf: folder.appending(path: name))) }
    #expect(try text("a.tsv").split(separator: "\n").allSatisfy { $0.filter { $0 == "\t" }.count == 11 })
    // The PDF's own text is now taken as it stands.
    try run("[rasterize, ocr, document: txt]", folder.appending(path: "a.pdf").path, to: "b.pdf")
    #expect(try text("b.txt").contains("This is a lot of 12 point text"))
  }

  @Test(arguments: [90, 180, 270]) func `a page on its side is turned and read`(turn: Int) throws {
    let name = [90: "R", 180: "180", 270: "L"][turn]!
    let input = try #require(scans).appending(path: "phototest-rotated-\(name).png").path
    try run("[rasterize, rotate: { confidence: 2 }, ocr, document: txt]", input, to: "a.pdf")
    #expect(try text("a.txt").contains("lot of 12 point text"))
  }

  @Test func `redo takes the old text out and force draws the page`() throws {
    try run("[rasterize, ocr, document: pdf]", scan, to: "a.pdf")
    let searchable = folder.appending(path: "a.pdf").path
    for mode in ["redo", "force"] {
      try run("[rasterize: { mode: \(mode) }, ocr, document: { formats: [pdf, txt] }]", searchable, to: "\(mode).pdf")
      #expect(try text("\(mode).txt").contains("The quick brown dog"))
      let output = folder.appending(path: "\(mode).pdf").path
      try run("[rasterize: { mode: skip }, ocr, document: txt]", output, to: "\(mode)-again.pdf")
      #expect(try text("\(mode)-again.txt").components(separatedBy: "point text").count == 2)
    }
  }

  @Test func `pages come in order and the same for any number of threads`() throws {
    try run("[rasterize, ocr, document: pdf]", scan, to: "a.pdf", threads: 1)
    try run("[rasterize, ocr, document: pdf]", scan, to: "b.pdf", threads: 4)
    #expect(
      FileManager.default.contentsEqual(
        atPath: folder.appending(path: "a.pdf").path, andPath: folder.appending(path: "b.pdf").path))
  }

  @Test func `a page that takes too long stays, and is named`() throws {
    let report = try run("[rasterize, ocr: { timeout: 1ms }, document: { formats: [pdf, txt] }]", scan, to: "a.pdf")
    #expect(report.notes.contains { $0.kind == .loss && $0.text.contains("page 1") })
    #expect(report.sink.files.count == 2)
  }

  @Test func `a missing language names its package`() throws {
    let failure = try #require(throws: Failure.self) { try run("[rasterize, ocr: xyz, document]", scan, to: "a.pdf") }
    #expect(failure.exitCode == .missing)
    #expect(failure.advice == "run: apt install tesseract-ocr-xyz")
  }
}

/// Throws where data is not well-formed XML.
private struct XMLReader {
  init(_ data: Data) throws {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["python3", "-c", "import sys, xml.dom.minidom as d; d.parse(sys.stdin.buffer)"]
    let input = Pipe()
    process.standardInput = input
    try process.run()
    input.fileHandleForWriting.write(data)
    try input.fileHandleForWriting.close()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0)
  }
}

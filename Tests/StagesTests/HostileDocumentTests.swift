import Foundation
import Frames
import Pipeline
import Testing

@testable import Stages

/// Inputs that are not what they seem, through whole chains: each ends in one clear line, or in an output that says
/// what it lacks.
@Suite struct HostileDocumentTests {
  private let folder: URL

  init() throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "hostile-documents-" + UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  private func write(_ name: String, _ data: Data) throws -> String {
    let url = folder.appending(path: name)
    try data.write(to: url)
    return url.path
  }

  /// A PDF of these pages, each by its dictionary's entries; further objects have the numbers behind theirs, from 3 on.
  private func pdf(_ name: String, _ pages: [String], _ more: [String] = []) throws -> String {
    var objects = [
      "<< /Type /Catalog /Pages 2 0 R >>",
      "<< /Type /Pages /Count \(pages.count) /Kids [\(pages.indices.map { "\($0 + 3) 0 R" }.joined(separator: " "))] >>",
    ]
    objects += pages.map { "<< /Type /Page /Parent 2 0 R \($0) >>" } + more
    var text = "%PDF-1.4\n"
    var places: [Int] = []
    for (index, object) in objects.enumerated() {
      places.append(text.utf8.count)
      text += "\(index + 1) 0 obj\n\(object)\nendobj\n"
    }
    let start = text.utf8.count
    text += "xref\n0 \(objects.count + 1)\n0000000000 65535 f \n"
    for place in places { text += String(format: "%010d 00000 n \n", place) }
    text += "trailer << /Size \(objects.count + 1) /Root 1 0 R >>\nstartxref\n\(start)\n%%EOF\n"
    return try write(name, Data(text.utf8))
  }

  private func run(_ input: String) throws -> JobReport {
    let chain = try Chain(
      text: "version: 1\ninputs: { include: [\"*\"] }\noutput: \"{stem}.pdf\"\nstages: [rasterize, ocr, document]",
      file: "t.yml", registry: builtinStages)
    let output = folder.appending(path: "out.pdf").path
    return try ChainRunner(chain).run(Job(input: input, output: output, threads: 1))
  }

  private func refusal(_ input: String) throws -> Failure {
    let failure = try #require(throws: Failure.self) { try run(input) }
    #expect(!failure.description.contains("\n"))
    #expect(failure.place.contains((input as NSString).lastPathComponent))
    return failure
  }

  @Test func `text that is named a PDF is refused`() throws {
    let failure = try refusal(write("letter.pdf", Data("Dear Sir or Madam".utf8)))
    #expect(failure.message == "it is named .pdf but is no PDF")
  }

  @Test func `a PDF without pages is refused`() throws {
    #expect(try refusal(pdf("none.pdf", [])).message == "the PDF has no pages")
  }

  @Test func `an empty file is refused`() throws {
    #expect(try refusal(write("empty.tif", Data())).message == "the file is empty")
  }

  @Test func `a PDF that needs a password is refused`() throws {
    let plain = try pdf("plain.pdf", ["/MediaBox [0 0 99 99]"])
    let locked = folder.appending(path: "locked.pdf").path
    let qpdf = Process()
    qpdf.executableURL = URL(filePath: "/usr/bin/env")
    qpdf.arguments = ["qpdf", "--encrypt", "user", "owner", "256", "--", plain, locked]
    try qpdf.run()
    qpdf.waitUntilExit()
    try #require(qpdf.terminationStatus == 0)
    #expect(try refusal(locked).message == "the PDF is encrypted and needs a password")
  }

  @Test func `a PNG bomb is refused before it is decoded`() throws {
    func number(_ value: Int) -> [UInt8] { [24, 16, 8, 0].map { UInt8(value >> $0 & 255) } }
    let head: [UInt8] = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a] + number(13) + Array("IHDR".utf8)
    let png = head + number(60_000) + number(60_000) + [8, 2, 0, 0, 0] + number(0)
    let failure = try refusal(write("bomb.png", Data(png)))
    #expect(failure.message.contains("60000 x 60000 pixels are more than the 250 megapixels allowed"))
  }

  @Test func `a TIFF that is cut short is refused`() throws {
    func short(_ value: Int) -> [UInt8] { [UInt8(value & 255), UInt8(value >> 8 & 255)] }
    func long(_ value: Int) -> [UInt8] { short(value & 0xffff) + short(value >> 16) }
    // 100 x 100 grey samples, of which the file holds ten.
    let tags: [(Int, Int)] = [
      (256, 100), (257, 100), (258, 8), (259, 1), (262, 1), (273, 200), (277, 1), (278, 100), (279, 10_000),
    ]
    var tiff: [UInt8] = [0x49, 0x49, 42, 0] + long(8) + short(tags.count)
    for (tag, value) in tags { tiff += short(tag) + short(4) + long(1) + long(value) }
    tiff += long(0)
    tiff += [UInt8](repeating: 128, count: 210 - tiff.count)
    #expect(try refusal(write("short.tif", Data(tiff))).message.contains("damaged or cut short"))
  }

  @Test func `a PDF page of seven metres stays without text, and is named`() throws {
    let report = try run(
      pdf("bomb.pdf", ["/MediaBox [0 0 20000 20000]", "/MediaBox [0 0 200 200]"]))
    #expect(report.framesOut == 2)
    #expect(
      report.notes.contains { $0.kind == .loss && $0.text.contains("page 1 was not read: the page is too large") })
  }

  private func stream(_ entries: String, _ content: String) -> String {
    "<< \(entries) /Length \(content.utf8.count) >> stream\n\(content)\nendstream"
  }

  private func form(drawing number: Int, _ content: String) -> String {
    stream("/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /F \(number) 0 R >> >>", content)
  }

  @Test(.timeLimit(.minutes(1))) func `forms that draw forms a thousand million times are left undrawn`() throws {
    let page = "/MediaBox [0 0 99 99] /Contents 4 0 R /Resources << /XObject << /F 5 0 R >> >>"
    let forms = (0..<9).map { form(drawing: 6 + $0, String(repeating: "/F Do ", count: 10)) }
    let report = try run(pdf("forms.pdf", [page], [stream("", "/F Do")] + forms + [form(drawing: 5, "0 0 1 1 re f")]))
    #expect(
      report.notes.contains { $0.kind == .loss && $0.text.contains("page 1 was not read: it would take for ever") })
  }

  @Test(.timeLimit(.minutes(1))) func `a form that draws itself is drawn`() throws {
    let page = "/MediaBox [0 0 99 99] /Contents 4 0 R /Resources << /XObject << /F 5 0 R >> >>"
    let report = try run(pdf("loop.pdf", [page], [stream("", "/F Do"), form(drawing: 5, "/F Do /F Do /F Do")]))
    #expect(!report.notes.contains { $0.kind == .loss })
  }

  @Test func `of an animation the first picture is taken, and that is told`() throws {
    // Two pictures of one black pixel.
    let picture: [UInt8] = [0x2c, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2, 0x44, 0x01, 0]
    let head = Array("GIF89a".utf8) + [1, 0, 1, 0, 0x80, 0, 0, 0, 0, 0, 255, 255, 255]
    for (name, pictures, isLoss) in [("one.gif", picture, false), ("two.gif", picture + picture, true)] {
      let report = try run(write(name, Data(head + pictures + [0x3b])))
      #expect(report.notes.contains { $0.kind == .loss && $0.text.contains("animation") } == isLoss)
    }
  }
}

import Foundation
import Testing

@testable import Documents

/// Which document is begun first.
@Suite struct DocumentWeightTests {
  @Test func `a picture weighs by bytes and area, all else by bytes`() throws {
    let folder = try Folder()
    func png(_ name: String, _ width: Int, _ height: Int) throws -> String {
      let path = folder.path(name)
      try Data(Pix(Samples.picture(width, height)).encoded(.png)).write(to: URL(fileURLWithPath: path))
      return path
    }
    let (small, large) = (try png("small.png", 100, 50), try png("large.png", 400, 200))
    #expect(Documents.weight(of: large, bytes: 900) == 4 * Documents.weight(of: small, bytes: 900))
    #expect(Documents.weight(of: small, bytes: 3600) == 2 * Documents.weight(of: small, bytes: 900))
    let pdf = folder.path("a.pdf")
    try Samples.pdf(pdf, pages: [("/MediaBox [0 0 612 792]", "")])
    #expect(Documents.weight(of: pdf, bytes: 900) == 900)
    #expect(Documents.weight(of: folder.path("gone.png"), bytes: 900) == 900)
  }
}

import Testing

@testable import Documents

@Suite struct ContentTokensTests {
  private func operations(_ content: String) -> [ContentOperation] { Array(ContentTokens(Array(content.utf8))) }

  @Test func `operators get what stands before them`() {
    let found = operations("q 1 0 0 -1.5 .25 +6 cm /Im#31 Do [(a\\)b) -120 <414243>] TJ Q % end\n")
    #expect(found.map(\.name) == ["q", "cm", "Do", "TJ", "Q"])
    #expect(found[1].numbers == [1, 0, 0, -1.5, 0.25, 6])
    #expect(found[2].firstName == "Im1")
    #expect(found[3].textBytes == 6)
  }

  @Test func `the samples of inline images are no operators`() {
    let found = operations("BI /W 2 /H 3 /BPC 8 ID \u{1}Q EIx q\u{2} EI Q")
    #expect(found.map(\.name) == ["BI", "ID", "Q"])
  }

  @Test(arguments: ["(", "<41", "[", "BI ID", "1 2 <<", ")", "(\\", "/"])
  func `content that is cut short ends quietly`(content: String) {
    #expect(operations(content).count <= 2)
  }

  @Test func `hidden text goes and visible text stays`() throws {
    let content = "q BT 3 Tr /F 9 Tf (gone) Tj ET Q BT (kept) Tj 3 Tr (gone too) Tj 0 Tr (kept too) Tj ET"
    let cleaned = try #require(HiddenText.removed(from: Array(content.utf8)))
    let text = String(decoding: cleaned, as: UTF8.self)
    #expect(!text.contains("gone"))
    #expect(text.contains("(kept) Tj") && text.contains("(kept too) Tj"))
    #expect(HiddenText.removed(from: Array("BT (a) Tj ET".utf8)) == nil)
  }
}

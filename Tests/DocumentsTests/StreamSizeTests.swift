import CQPDF
import Testing

@testable import Documents

@Suite struct StreamSizeTests {
  private let file: PDFFile
  private let packed: [UInt8]

  init() throws {
    file = try PDFFile(newNamed: "test.pdf")
    packed = try #require(deflated([UInt8](repeating: 7, count: 3_000_000)))
  }

  private func stream(_ bytes: [UInt8], _ filter: String) throws -> PDFObject {
    file.stream(bytes, filter: try file.parsed(filter))
  }

  @Test func countsWhatDeflateMakes() throws {
    let object = try stream(packed, "/FlateDecode")
    #expect(object.unpacks(beyond: 2_999_999))
    #expect(!object.unpacks(beyond: 3_000_000))
    #expect(object.decoded()?.count == 3_000_000)
    // What is damaged ends where the damage is.
    #expect(try !stream(Array(packed.prefix(500)), "/FlateDecode").unpacks(beyond: 3_000_000))
    #expect(try !stream([1, 2, 3], "/FlateDecode").unpacks(beyond: 100))
  }

  @Test func boundsOtherFiltersByTheirRatio() throws {
    #expect(try !stream([UInt8](repeating: 1, count: 1000), "/LZWDecode").unpacks(beyond: 1 << 20))
    #expect(try stream([UInt8](repeating: 1, count: 10_000), "/LZWDecode").unpacks(beyond: 1 << 20))
    // Twice deflated: a little may become a great deal.
    #expect(try stream([UInt8](repeating: 1, count: 10), "[/FlateDecode /FlateDecode]").unpacks(beyond: 1 << 20))
    #expect(try !stream([UInt8](repeating: 1, count: 10_000), "/ASCIIHexDecode").unpacks(beyond: 5))
    #expect(try !stream([UInt8](repeating: 1, count: 100), "/DCTDecode").unpacks(beyond: 5))
  }
}

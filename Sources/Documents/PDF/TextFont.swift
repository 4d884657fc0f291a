/// The font of a document's invisible text: a letter's number is its UTF-16 code; numbers of surrogates, which stand
/// for no letter, are lent to the letters beyond them as they come.
final class TextFont {
  static let key = "/PipeText"

  private let file: PDFFile
  private let fontID: Int
  private let mapID: Int
  private var lent: [Unicode.Scalar: UInt16] = [:]
  private let lentStart = 0xd800
  private let lentLimit = 0x800

  init(_ file: PDFFile) throws {
    self.file = file
    let program = file.stream(GlyphlessFont.file)
    program.set("/Length1", file.integer(GlyphlessFont.file.count))
    let descriptor = file.indirect(
      try file.parsed(
        """
        << /Type /FontDescriptor /FontName /GlyphlessPipe /Flags 5 /FontBBox [0 -200 500 800] /ItalicAngle 0 \
        /Ascent 800 /Descent -200 /CapHeight 800 /StemV 80 >>
        """))
    descriptor.set("/FontFile2", program)
    var glyphs = [UInt8](repeating: 0, count: 0x20000)
    for index in stride(from: 1, to: glyphs.count, by: 2) { glyphs[index] = 1 }
    let descendant = file.indirect(
      try file.parsed(
        """
        << /Type /Font /Subtype /CIDFontType2 /BaseFont /GlyphlessPipe /DW 500 \
        /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> >>
        """))
    descendant.set("/FontDescriptor", descriptor)
    descendant.set("/CIDToGIDMap", file.stream(glyphs))
    let map = file.stream([])
    let font = file.indirect(
      try file.parsed("<< /Type /Font /Subtype /Type0 /BaseFont /GlyphlessPipe /Encoding /Identity-H >>"))
    font.set("/DescendantFonts", file.array([descendant]))
    font.set("/ToUnicode", map)
    try file.check()
    fontID = font.id
    mapID = map.id
  }

  var object: PDFObject { file.object(fontID) }

  /// The letter's number in the font; nil where it has none left.
  func code(_ scalar: Unicode.Scalar) -> UInt16? {
    if scalar.value <= 0xffff { return UInt16(scalar.value) }
    if let code = lent[scalar] { return code }
    guard lent.count < lentLimit else { return nil }
    let code = UInt16(lentStart + lent.count)
    lent[scalar] = code
    return code
  }

  /// Writes which letter each number stands for. To be called when all text has been encoded.
  func finish() throws {
    file.object(mapID).replaceData(Array(map.utf8))
    try file.check()
  }

  private var map: String {
    func hex(_ value: Int) -> String {
      let digits = String(value, radix: 16, uppercase: true)
      return String(repeating: "0", count: 4 - digits.count) + digits
    }
    // A range may not go beyond one value of the first byte, nor a section beyond a hundred lines.
    let rows = (0..<256).filter { !(0xd8...0xdf).contains($0) }.map {
      "<\(hex($0 << 8))> <\(hex($0 << 8 | 255))> <\(hex($0 << 8))>"
    }
    let letters = lent.sorted { $0.value < $1.value }.map { scalar, code in
      "<\(hex(Int(code)))> <" + String(scalar).utf16.map { hex(Int($0)) }.joined() + ">"
    }
    func sections(_ lines: [String], _ kind: String) -> String {
      stride(from: 0, to: lines.count, by: 100).map { start in
        let part = lines[start..<min(start + 100, lines.count)]
        return "\(part.count) begin\(kind)\n\(part.joined(separator: "\n"))\nend\(kind)\n"
      }.joined()
    }
    return """
      /CIDInit /ProcSet findresource begin
      12 dict begin
      begincmap
      /CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def
      /CMapName /Adobe-Identity-UCS def
      /CMapType 2 def
      1 begincodespacerange
      <0000> <FFFF>
      endcodespacerange
      \(sections(rows, "bfrange"))\(sections(letters, "bfchar"))endcmap
      CMapName currentdict /CMap defineresource pop
      end
      end

      """
  }
}

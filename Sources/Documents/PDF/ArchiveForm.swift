/// What makes a PDF a PDF/A-2b that has nothing forbidden in it: what its colours mean, and the claim itself.
enum ArchiveForm {
  /// - Parameter title: of the document, where it has one.
  static func mark(_ file: PDFFile, title: String? = nil) throws {
    let profile = file.stream(ColourProfile.sRGB)
    profile.set("/N", file.integer(3))
    let intent = try file.parsed(
      """
      << /Type /OutputIntent /S /GTS_PDFA1 /OutputConditionIdentifier (sRGB IEC61966-2.1) /Info (sRGB IEC61966-2.1) >>
      """)
    intent.set("/DestOutputProfile", profile)
    file.root.set("/OutputIntents", file.array([file.indirect(intent)]))
    let metadata = file.stream(Array(xmp(title).utf8))
    metadata.set("/Type", file.name("/Metadata"))
    metadata.set("/Subtype", file.name("/XML"))
    file.root.set("/Metadata", metadata)
    try file.check()
  }

  private static func xmp(_ title: String?) -> String {
    let entry = title.map {
      "<dc:title><rdf:Alt><rdf:li xml:lang=\"x-default\">\($0.escapedForXML)</rdf:li></rdf:Alt></dc:title>"
    }
    return """
      <?xpacket begin="\u{feff}" id="W5M0MpCehiHzreSzNTczkc9d"?>
      <x:xmpmeta xmlns:x="adobe:ns:meta/">
       <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
        <rdf:Description rdf:about="" xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/" pdfaid:part="2" \
      pdfaid:conformance="B" xmlns:dc="http://purl.org/dc/elements/1.1/">\(entry ?? "")</rdf:Description>
       </rdf:RDF>
      </x:xmpmeta>
      <?xpacket end="r"?>
      """
  }
}

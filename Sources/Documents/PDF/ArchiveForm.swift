/// What makes a PDF of pictures a PDF/A-2b: what its colours mean, and the claim itself.
enum ArchiveForm {
  static func mark(_ file: PDFFile) throws {
    let profile = file.stream(ColourProfile.sRGB)
    profile.set("/N", file.integer(3))
    let intent = try file.parsed(
      """
      << /Type /OutputIntent /S /GTS_PDFA1 /OutputConditionIdentifier (sRGB IEC61966-2.1) /Info (sRGB IEC61966-2.1) >>
      """)
    intent.set("/DestOutputProfile", profile)
    file.root.set("/OutputIntents", file.array([file.indirect(intent)]))
    let metadata = file.stream(Array(xmp.utf8))
    metadata.set("/Type", file.name("/Metadata"))
    metadata.set("/Subtype", file.name("/XML"))
    file.root.set("/Metadata", metadata)
    try file.check()
  }

  private static let xmp = """
    <?xpacket begin="\u{feff}" id="W5M0MpCehiHzreSzNTczkc9d"?>
    <x:xmpmeta xmlns:x="adobe:ns:meta/">
     <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
      <rdf:Description rdf:about="" xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/" pdfaid:part="2" \
    pdfaid:conformance="B"/>
     </rdf:RDF>
    </x:xmpmeta>
    <?xpacket end="r"?>
    """
}

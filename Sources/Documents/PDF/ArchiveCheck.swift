/// What keeps an existing PDF from being a PDF/A-2b: found by looking at each of its objects once.
///
/// What needs a validator is not looked at: whether fonts have the glyphs and widths that the text asks for.
struct ArchiveCheck {
  /// The first thing found that PDF/A-2b forbids and this program does not mend; nil where there is none.
  private(set) var obstacle: String?
  /// Annotations that lack a flag to be printed, and font descriptors with lists that would have to be complete, by
  /// object number and key: mended by `mend`.
  private var unflagged: [PDFObject] = []
  private var listed: [PDFObject] = []

  private static let objectLimit = 200_000
  private static let forbiddenActions: Set<String> = [
    "/Launch", "/Sound", "/Movie", "/ResetForm", "/ImportData", "/Hide", "/SetOCGState", "/Rendition", "/GoTo3DView",
    "/JavaScript",
  ]
  private static let annotations: Set<String> = [
    "/Text", "/Link", "/FreeText", "/Line", "/Square", "/Circle", "/Polygon", "/PolyLine", "/Highlight", "/Underline",
    "/Squiggly", "/StrikeOut", "/Stamp", "/Caret", "/Ink", "/Popup", "/Widget", "/PrinterMark", "/Watermark",
  ]

  /// - Parameter file: with inherited attributes pushed down to its pages.
  init(_ file: PDFFile) throws {
    checkRoot(file.root)
    let size = file.trailer["/Size"].integer ?? 0
    if size > ArchiveCheck.objectLimit { obstacle = "it has more than \(ArchiveCheck.objectLimit) objects" }
    for id in stride(from: 1, to: size, by: 1) where obstacle == nil { look(at: file.object(id), depth: 0) }
    for number in 0..<(try file.pageCount()) where obstacle == nil { checkContent(try file.page(number)) }
  }

  /// Mends what can be mended without a change to what is seen.
  func mend() {
    for annotation in unflagged {
      annotation.set("/F", annotation.file.integer((annotation["/F"].integer ?? 0) | 4))
    }
    for descriptor in listed {
      descriptor.remove("/CIDSet")
      descriptor.remove("/CharSet")
    }
  }

  private mutating func checkRoot(_ root: PDFObject) {
    if !root["/Names"]["/EmbeddedFiles"].isNull || !root["/AF"].isNull { obstacle = "it has attached files" }
    if !root["/Names"]["/JavaScript"].isNull { obstacle = "it has JavaScript" }
    if !root["/OCProperties"].isNull { obstacle = "it has layers" }
    if !root["/AcroForm"]["/XFA"].isNull { obstacle = "it has an XFA form" }
    if root["/AcroForm"]["/NeedAppearances"].boolean == true { obstacle = "the viewer draws its form" }
    if !root["/OutputIntents"].items.isEmpty { obstacle = "it has an output intent of its own" }
    if !root["/Perms"].isNull { obstacle = "it has permissions that hold for its present bytes" }
  }

  private mutating func look(at object: PDFObject, depth: Int) {
    guard obstacle == nil, depth < 32 else { return }
    if object.isArray {
      for item in object.items { visit(item, depth) }
    } else if object.isDictionary || object.isStream {
      check(object)
      for key in object.keys { visit(object[key], depth) }
    }
  }

  /// Objects with numbers of their own have their own turn.
  private mutating func visit(_ value: PDFObject, _ depth: Int) {
    if value.name == "/DeviceCMYK" { obstacle = "it has CMYK colours" }
    if !value.isIndirect { look(at: value, depth: depth + 1) }
  }

  private mutating func check(_ object: PDFObject) {
    if let action = object["/S"].name, ArchiveCheck.forbiddenActions.contains(action) {
      obstacle = "it has an action of the kind \(action.dropFirst())"
    }
    if !object["/AA"].isNull { obstacle = "it has actions that are set off by viewing it" }
    if object.isStream { checkStream(object) }
    let subtype = object["/Subtype"].name
    switch object["/Type"].name {
    case "/Font": checkFont(object, subtype)
    case "/FontDescriptor":
      if !object["/CIDSet"].isNull || !object["/CharSet"].isNull { listed.append(object) }
    case "/ExtGState" where object["/TR"].name != nil || object["/TR"].isDictionary || object["/TR"].isStream:
      obstacle = "it has a transfer function"
    default: break
    }
    if let subtype, object["/Rect"].items.count == 4 { checkAnnotation(object, subtype) }
  }

  private mutating func checkStream(_ stream: PDFObject) {
    let filters = stream["/Filter"].items.compactMap(\.name) + [stream["/Filter"].name].compactMap { $0 }
    if filters.contains("/LZWDecode") || filters.contains("/LZW") { obstacle = "it has data packed by LZW" }
    if filters.contains("/Crypt") { obstacle = "it has encrypted data" }
    if filters.contains("/JPXDecode") { obstacle = "it has a JPEG 2000 picture" }
    if !stream["/F"].isNull { obstacle = "it has data in other files" }
    if stream["/Subtype"].name == "/Image" {
      if stream["/Interpolate"].boolean == true { obstacle = "it has a picture that is to be smoothed" }
      if !stream["/Alternates"].isNull || !stream["/OPI"].isNull { obstacle = "it has a picture with alternatives" }
    }
    if stream["/Subtype"].name == "/PS" || stream["/Subtype2"].name == "/PS" || !stream["/Ref"].isNull {
      obstacle = "it has content that other programs make"
    }
  }

  private mutating func checkFont(_ font: PDFObject, _ subtype: String?) {
    let name = font["/BaseFont"].name.map { String($0.dropFirst()) } ?? "without a name"
    switch subtype {
    case "/Type3", "/Type0": return
    case "/CIDFontType2" where font["/CIDToGIDMap"].isNull:
      obstacle = "its font \(name) does not say what its glyphs are"
    default: break
    }
    let descriptor = font["/FontDescriptor"]
    if ["/FontFile", "/FontFile2", "/FontFile3"].allSatisfy({ descriptor[$0].isNull }) {
      obstacle = "its font \(name) is not embedded"
    }
    guard subtype == "/TrueType" else { return }
    let isSymbolic = (descriptor["/Flags"].integer ?? 0) & 4 != 0
    let encoding = font["/Encoding"].name ?? font["/Encoding"]["/BaseEncoding"].name
    let isPlain = encoding == "/WinAnsiEncoding" || encoding == "/MacRomanEncoding"
    if isSymbolic ? !font["/Encoding"].isNull : !isPlain { obstacle = "its font \(name) has an encoding of its own" }
  }

  private mutating func checkAnnotation(_ annotation: PDFObject, _ subtype: String) {
    guard ArchiveCheck.annotations.contains(subtype) else {
      if annotation["/Type"].name == "/Annot" { obstacle = "it has an annotation of the kind \(subtype.dropFirst())" }
      return
    }
    let flags = annotation["/F"].integer ?? 0
    // Invisible, hidden, not viewed, shown by the pointer alone.
    if flags & (1 | 2 | 32 | 256) != 0 { obstacle = "it has a hidden annotation" }
    if subtype == "/Popup" { return }
    if flags & 4 == 0 { unflagged.append(annotation) }
    if subtype != "/Link", annotation["/AP"]["/N"].isNull { obstacle = "it has an annotation that the viewer draws" }
  }

  private mutating func checkContent(_ page: PDFObject) {
    if page["/Contents"].isNull { return }
    guard let content = page.pageContent() else {
      obstacle = "the content of a page cannot be read"
      return
    }
    checkColours(content)
    var seen: Set<Int> = []
    checkForms(page["/Resources"], &seen, depth: 0)
  }

  private mutating func checkForms(_ resources: PDFObject, _ seen: inout Set<Int>, depth: Int) {
    guard depth < 12 else { return }
    for group in ["/XObject", "/Pattern"] {
      let objects = resources[group]
      for key in objects.keys {
        let object = objects[key]
        guard object.isStream, object["/Subtype"].name != "/Image", object.id == 0 || seen.insert(object.id).inserted
        else { continue }
        if let content = object.decoded() { checkColours(content) }
        checkForms(object["/Resources"], &seen, depth: depth + 1)
      }
    }
  }

  private mutating func checkColours(_ content: [UInt8]) {
    for operation in ContentTokens(content) {
      switch operation.name {
      case "k", "K": obstacle = "it has CMYK colours"
      case "cs",
        "CS" where operation.firstName == "DeviceCMYK":
        obstacle = "it has CMYK colours"
      case "ID" where operation.operands.contains(.name("CMYK")) || operation.operands.contains(.name("DeviceCMYK")):
        obstacle = "it has CMYK colours"
      default: break
      }
    }
  }
}

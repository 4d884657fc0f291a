/// What of a PDF decides how it may be treated.
extension PDFFile {
  /// Why the file must stay byte for byte as it is; nil where it may be changed.
  var seal: String? {
    if isEncrypted { return "it is encrypted" }
    if isSigned { return "it is signed" }
    return nil
  }

  private var isSigned: Bool {
    let form = root["/AcroForm"]
    if let flags = form["/SigFlags"].integer, flags & 1 != 0 { return true }
    if root["/Perms"]["/DocMDP"].isDictionary { return true }
    return form["/Fields"].items.prefix(2000).contains { $0.holdsSignature(depth: 0) }
  }

  /// A form whose pages are made by the viewer and do not stand in the file.
  var isDynamicForm: Bool { root["/NeedsRendering"].boolean == true }
}

extension PDFObject {
  fileprivate func holdsSignature(depth: Int) -> Bool {
    if self["/FT"].name == "/Sig", !self["/V"].isNull { return true }
    return depth < 8 && self["/Kids"].items.prefix(2000).contains { $0.holdsSignature(depth: depth + 1) }
  }
}

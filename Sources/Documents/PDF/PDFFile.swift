import CQPDF
import Foundation
import Frames

/// A PDF being read, changed and written by QPDF. Used by one thread.
final class PDFFile {
  let data: qpdf_data
  /// The file's name in messages.
  let name: String
  /// QPDF reads page contents from the file when they are needed, so the path must stay readable.
  private let path: String?
  /// Numbers of objects by what they were made of.
  private var sharedObjects: [[UInt8]: Int] = [:]

  /// Opens an existing file.
  ///
  /// Throws `Failure` where it is no PDF, is damaged beyond QPDF's repair, or needs a password.
  init(path: String) throws {
    data = qpdf_init()
    name = (path as NSString).lastPathComponent
    self.path = path
    prepare()
    let result = qpdf_read(data, path, nil)
    if result & 2 != 0 || qpdf_has_error(data) != 0 {
      let error = takeError()
      if error?.code == qpdf_e_password {
        throw Failure(
          "the PDF is encrypted and needs a password", place: name, advice: "save it without a password first")
      }
      throw Failure("not a readable PDF (\(error?.text ?? "unknown error"))", place: name)
    }
  }

  /// A new file without pages.
  init(newNamed name: String) throws {
    data = qpdf_init()
    self.name = name
    path = nil
    prepare()
    qpdf_empty_pdf(data)
    try check()
  }

  private func prepare() {
    qpdf_silence_errors(data)
    qpdf_set_suppress_warnings(data, 1)
  }

  deinit {
    var handle: qpdf_data? = data
    qpdf_cleanup(&handle)
  }

  // MARK: Errors

  struct LibraryError {
    let code: qpdf_error_code_e
    let text: String
  }

  /// The error that the last call left, if any; asking clears it.
  func takeError() -> LibraryError? {
    guard qpdf_has_error(data) != 0, let error = qpdf_get_error(data) else { return nil }
    let detail = qpdf_get_error_message_detail(data, error).map { String(cString: $0) } ?? ""
    return LibraryError(code: qpdf_get_error_code(data, error), text: detail)
  }

  /// Throws the error that a call has left.
  func check() throws {
    if let error = takeError() { throw Failure(error.text, place: name) }
  }

  func free(_ pointer: UnsafeMutableRawPointer?) { Foundation.free(pointer) }

  // MARK: Structure

  var isEncrypted: Bool { qpdf_is_encrypted(data) != 0 }
  var root: PDFObject { PDFObject(file: self, handle: qpdf_get_root(data)) }
  var trailer: PDFObject { PDFObject(file: self, handle: qpdf_get_trailer(data)) }

  func pageCount() throws -> Int {
    let count = qpdf_get_num_pages(data)
    if let error = takeError() { throw Failure("the PDF is damaged (\(error.text))", place: name) }
    return max(Int(count), 0)
  }

  func page(_ index: Int) throws -> PDFObject {
    let handle = qpdf_get_page_n(data, index)
    try check()
    return PDFObject(file: self, handle: handle)
  }

  /// Writes MediaBox, Rotate, Resources and the like, which pages may inherit, onto each page.
  func pushInheritedAttributes() throws {
    qpdf_push_inherited_attributes_to_page(data)
    try check()
  }

  func addPage(_ page: PDFObject) throws {
    qpdf_add_page(data, data, page.handle, 0)
    try check()
  }

  /// Adds a page of another file with all that it refers to.
  func addCopy(of page: PDFObject) throws {
    qpdf_add_page(data, page.file.data, page.handle, 0)
    try page.file.check()
    try check()
  }

  /// The object of this number, generation 0.
  func object(_ id: Int) -> PDFObject {
    PDFObject(file: self, handle: qpdf_get_object_by_id(data, Int32(clamping: id), 0))
  }

  /// Ends the validity of every `PDFObject` handed out so far.
  func releaseObjects() { qpdf_oh_release_all(data) }

  // MARK: New objects

  var null: PDFObject { PDFObject(file: self, handle: qpdf_oh_new_null(data)) }
  func dictionary() -> PDFObject { PDFObject(file: self, handle: qpdf_oh_new_dictionary(data)) }
  func array(_ items: [PDFObject] = []) -> PDFObject {
    let array = PDFObject(file: self, handle: qpdf_oh_new_array(data))
    for item in items { array.append(item) }
    return array
  }
  func integer(_ value: Int) -> PDFObject { PDFObject(file: self, handle: qpdf_oh_new_integer(data, Int64(value))) }
  func real(_ value: Double) -> PDFObject {
    PDFObject(file: self, handle: qpdf_oh_new_real_from_string(data, PDFNumber.text(value)))
  }
  /// `name` with its leading slash.
  func name(_ name: String) -> PDFObject { PDFObject(file: self, handle: qpdf_oh_new_name(data, name)) }
  func string(_ text: String) -> PDFObject { PDFObject(file: self, handle: qpdf_oh_new_unicode_string(data, text)) }
  /// From PDF syntax written by this program.
  func parsed(_ syntax: String) throws -> PDFObject {
    let handle = qpdf_oh_parse(data, syntax)
    try check()
    return PDFObject(file: self, handle: handle)
  }
  func indirect(_ object: PDFObject) -> PDFObject {
    PDFObject(file: self, handle: qpdf_make_indirect_object(data, object.handle))
  }
  /// The object made of these bytes: one for all that ask.
  func shared(_ bytes: [UInt8], make: () throws -> PDFObject) throws -> PDFObject {
    if let id = sharedObjects[bytes] { return object(id) }
    let made = indirect(try make())
    try check()
    sharedObjects[bytes] = made.id
    return made
  }
  /// A new stream object with these bytes, already encoded by `filter` if one is given.
  func stream(_ bytes: [UInt8], filter: PDFObject? = nil, parameters: PDFObject? = nil) -> PDFObject {
    let stream = PDFObject(file: self, handle: qpdf_oh_new_stream(data))
    stream.replaceData(bytes, filter: filter, parameters: parameters)
    return stream
  }

  // MARK: Writing

  struct WriteOptions {
    var minimumVersion = "1.4"
    /// Pack small objects into object streams; left as in the source where false.
    var packsObjects = false
  }

  /// Writes the whole file. The same objects give the same bytes.
  func write(to path: String, _ options: WriteOptions = WriteOptions()) throws {
    let result = qpdf_init_write(data, path)
    if result & 2 != 0 { try fail(writing: path) }
    qpdf_set_object_stream_mode(data, options.packsObjects ? qpdf_o_generate : qpdf_o_preserve)
    qpdf_set_decode_level(data, qpdf_dl_none)
    qpdf_set_compress_streams(data, 1)
    qpdf_set_minimum_pdf_version(data, options.minimumVersion)
    qpdf_set_deterministic_ID(data, 1)
    qpdf_set_newline_before_endstream(data, 1)
    if qpdf_write(data) & 2 != 0 { try fail(writing: path) }
    try check()
  }

  private func fail(writing path: String) throws -> Never {
    let reason = takeError()
    throw Failure(
      "cannot write the PDF (\(reason?.text ?? "unknown error"))", place: path,
      mayPass: reason?.code == qpdf_e_system)
  }
}

/// Numbers in PDF syntax: plain decimals, never exponents.
enum PDFNumber {
  static func text(_ value: Double) -> String {
    guard value.isFinite, abs(value) < 1e9 else { return "0" }
    let scaled = (value * 1000).rounded()
    let whole = Int(scaled)
    if whole % 1000 == 0 { return String(whole / 1000) }
    let magnitude = abs(whole)
    var fraction = String(magnitude % 1000)
    fraction = String(repeating: "0", count: 3 - fraction.count) + fraction
    while fraction.hasSuffix("0") { fraction.removeLast() }
    return (whole < 0 ? "-" : "") + String(magnitude / 1000) + "." + fraction
  }
}

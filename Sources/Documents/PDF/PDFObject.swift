import CQPDF

/// An object of a `PDFFile`: a handle that stays valid until the file's `releaseObjects()`.
///
/// Reading never traps: a value of another type than asked for is nil or empty.
struct PDFObject {
  let file: PDFFile
  let handle: qpdf_oh

  private var data: qpdf_data { file.data }

  var type: qpdf_object_type_e { qpdf_oh_get_type_code(data, handle) }
  var isNull: Bool { type == ot_null || type == ot_uninitialized }
  var isDictionary: Bool { type == ot_dictionary }
  var isStream: Bool { type == ot_stream }
  var isArray: Bool { type == ot_array }
  var isIndirect: Bool { qpdf_oh_is_indirect(data, handle) != 0 }
  /// The object's number where it is indirect, else 0.
  var id: Int { Int(qpdf_oh_get_object_id(data, handle)) }

  // MARK: Scalars

  var number: Double? {
    guard qpdf_oh_is_number(data, handle) != 0 else { return nil }
    let value = qpdf_oh_get_numeric_value(data, handle)
    return value.isFinite ? value : nil
  }

  var integer: Int? {
    if type == ot_integer { return Int(qpdf_oh_get_int_value(data, handle)) }
    guard let number, abs(number) < 1e15 else { return nil }
    return Int(number)
  }

  var boolean: Bool? { type == ot_boolean ? qpdf_oh_get_bool_value(data, handle) != 0 : nil }

  /// With its leading slash.
  var name: String? {
    guard type == ot_name, let text = qpdf_oh_get_name(data, handle) else { return nil }
    return String(cString: text)
  }

  var text: String? {
    guard type == ot_string, let text = qpdf_oh_get_utf8_value(data, handle) else { return nil }
    return String(cString: text)
  }

  /// PDF syntax of the object; indirect objects within it stay references.
  var syntax: String { qpdf_oh_unparse_resolved(data, handle).map { String(cString: $0) } ?? "null" }

  // MARK: Arrays

  var items: [PDFObject] {
    guard isArray else { return [] }
    let count = qpdf_oh_get_array_n_items(data, handle)
    guard count > 0 else { return [] }
    return (0..<count).map { PDFObject(file: file, handle: qpdf_oh_get_array_item(data, handle, $0)) }
  }

  /// The array's numbers; nil unless there are `count` of them.
  func numbers(_ count: Int) -> [Double]? {
    let values = items.compactMap(\.number)
    return values.count == count ? values : nil
  }

  func append(_ item: PDFObject) { qpdf_oh_append_item(data, handle, item.handle) }

  // MARK: Dictionaries, and those of streams

  private var dictionary: qpdf_oh? {
    switch type {
    case ot_dictionary: handle
    case ot_stream: qpdf_oh_get_dict(data, handle)
    default: nil
    }
  }

  /// The value of `/key`; a null object where there is none.
  subscript(_ key: String) -> PDFObject {
    guard let dictionary else { return file.null }
    return PDFObject(file: file, handle: qpdf_oh_get_key(data, dictionary, key))
  }

  func set(_ key: String, _ value: PDFObject) {
    guard let dictionary else { return }
    qpdf_oh_replace_key(data, dictionary, key, value.handle)
  }

  func remove(_ key: String) {
    guard let dictionary else { return }
    qpdf_oh_remove_key(data, dictionary, key)
  }

  /// All keys, read before any value is looked at: the library has one iterator a file.
  var keys: [String] {
    guard let dictionary else { return [] }
    var keys: [String] = []
    qpdf_oh_begin_dict_key_iter(data, dictionary)
    while qpdf_oh_dict_more_keys(data) != 0 {
      if let key = qpdf_oh_dict_next_key(data) { keys.append(String(cString: key)) }
    }
    return keys
  }

  /// A new direct dictionary with the same values.
  func shallowCopy() -> PDFObject {
    let copy = file.dictionary()
    for key in keys { copy.set(key, self[key]) }
    return copy
  }

  // MARK: Streams

  /// The stream's data with general filters (Flate, LZW, ASCII …) undone; nil where it cannot be decoded, or would be
  /// larger than any page's content.
  func decoded() -> [UInt8]? {
    isStream && !unpacks(beyond: PDFObject.contentLimit) ? bytes(qpdf_dl_specialized) : nil
  }

  /// The stream's data as they are stored.
  func stored() -> [UInt8]? { isStream ? bytes(qpdf_dl_none) : nil }

  private func bytes(_ level: qpdf_stream_decode_level_e) -> [UInt8]? {
    var filtered: QPDF_BOOL = 0
    var bytes: UnsafeMutablePointer<UInt8>?
    var count = 0
    let result = qpdf_oh_get_stream_data(data, handle, level, &filtered, &bytes, &count)
    defer { file.free(bytes) }
    _ = file.takeError()
    guard result & 2 == 0, filtered != 0 || level == qpdf_dl_none, let bytes else { return nil }
    return Array(UnsafeBufferPointer(start: bytes, count: count))
  }

  func replaceData(_ bytes: [UInt8], filter: PDFObject? = nil, parameters: PDFObject? = nil) {
    let none = file.null
    bytes.withUnsafeBufferPointer {
      qpdf_oh_replace_stream_data(
        data, handle, $0.baseAddress, $0.count, (filter ?? none).handle, (parameters ?? none).handle)
    }
  }
}

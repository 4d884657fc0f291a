import CPoppler
import Foundation
import Frames

/// Draws the pages of a PDF and tells the text that stands on them, by Poppler. Used by one thread.
final class PDFRenderer {
  private let document: OpaquePointer
  let pageCount: Int
  let name: String

  /// Throws `Failure` where Poppler cannot open the file.
  init(path: String) throws {
    name = (path as NSString).lastPathComponent
    let absolute = URL(fileURLWithPath: path).path
    guard let uri = g_filename_to_uri(absolute, nil, nil) else {
      throw Failure("its path cannot be made a URI", place: name)
    }
    defer { g_free(uri) }
    var error: UnsafeMutablePointer<GError>?
    guard let document = poppler_document_new_from_file(uri, nil, &error) else {
      let reason = error.map { String(cString: $0.pointee.message) } ?? "unknown error"
      g_clear_error(&error)
      throw Failure("not a readable PDF (\(reason))", place: name)
    }
    self.document = document
    pageCount = max(Int(poppler_document_get_n_pages(document)), 0)
  }

  deinit { g_object_unref(UnsafeMutableRawPointer(document)) }

  private func withPage<Result>(_ index: Int, _ body: (OpaquePointer) throws -> Result) throws -> Result {
    guard let page = poppler_document_get_page(document, Int32(index)) else {
      throw Failure("Poppler cannot read the page", place: "\(name) page \(index + 1)")
    }
    defer { g_object_unref(UnsafeMutableRawPointer(page)) }
    return try body(page)
  }

  /// Size of the page as shown, in units of its user space.
  func size(_ index: Int) throws -> (width: Double, height: Double) {
    try withPage(index) { page in
      var width = 0.0
      var height = 0.0
      poppler_page_get_size(page, &width, &height)
      return (width, height)
    }
  }

  /// Draws a page on white.
  ///
  /// - Parameters:
  ///   - scale: pixels a unit of user space, across and down.
  ///   - origin: where in those pixels the picture begins.
  ///   - width: of the picture, at most 32,767, as is `height`.
  func render(
    _ index: Int, scale: (x: Double, y: Double), origin: (x: Double, y: Double), width: Int, height: Int
  ) throws -> Picture {
    try withPage(index) { page in
      guard
        let surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, Int32(clamping: width), Int32(clamping: height))
      else { throw Failure("no memory for a page of \(width) x \(height) pixels", exitCode: .exhausted) }
      defer { cairo_surface_destroy(surface) }
      guard cairo_surface_status(surface) == CAIRO_STATUS_SUCCESS, let context = cairo_create(surface) else {
        throw Failure("no memory for a page of \(width) x \(height) pixels", exitCode: .exhausted)
      }
      cairo_set_source_rgb(context, 1, 1, 1)
      cairo_paint(context)
      cairo_translate(context, -origin.x, -origin.y)
      cairo_scale(context, scale.x, scale.y)
      poppler_page_render(page, context)
      let status = cairo_status(context)
      cairo_destroy(context)
      cairo_surface_flush(surface)
      guard status == CAIRO_STATUS_SUCCESS, let data = cairo_image_surface_get_data(surface) else {
        throw Failure("the page cannot be drawn (\(String(cString: cairo_status_to_string(status))))")
      }
      let stride = Int(cairo_image_surface_get_stride(surface))
      let words = UnsafeRawPointer(data).assumingMemoryBound(to: UInt32.self)
      return RGBWords(base: words, wordsPerRow: stride / 4, width: width, height: height, lowestBit: 0).picture()
    }
  }

  /// A letter of the page's own text and its box in units of user space, origin at the top left.
  struct Letter {
    var scalar: Unicode.Scalar
    var box: Box
  }

  /// The page's own text in reading order, invisible text included; lines end with a newline.
  func letters(_ index: Int) throws -> [Letter] {
    try withPage(index) { page in
      guard let text = poppler_page_get_text(page) else { return [] }
      defer { g_free(text) }
      var rectangles: UnsafeMutablePointer<PopplerRectangle>?
      var count: UInt32 = 0
      guard poppler_page_get_text_layout(page, &rectangles, &count) != 0, let rectangles else { return [] }
      defer { g_free(rectangles) }
      // Poppler marks the direction of runs by characters that stand nowhere.
      let scalars = String(cString: text).unicodeScalars.filter { !(0x202a...0x202e).contains($0.value) }
      return zip(scalars, UnsafeBufferPointer(start: rectangles, count: Int(count))).map { scalar, r in
        Letter(
          scalar: scalar,
          box: Box(x: min(r.x1, r.x2), y: min(r.y1, r.y2), width: abs(r.x2 - r.x1), height: abs(r.y2 - r.y1)))
      }
    }
  }
}

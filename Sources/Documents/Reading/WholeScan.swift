import CQPDF
import CTesseract
import CZlib
import Foundation
import Frames

/// The picture of a page that shows one picture and nothing else: decoded, it is the page sample by sample, in half the
/// time that drawing it takes.
enum WholeScan {
  /// Nil where the page has to be drawn: it shows other things too, the picture does not lie on its pixels, or its
  /// samples need a PDF reader.
  static func picture(_ page: PDFObject, _ scan: PageScan, _ plan: PDFReader.Plan, _ frame: PageFrame) -> Picture? {
    guard scan.isOnePicture, let image = scan.images.first, let object = image.object, page["/Annots"].items.isEmpty,
      image.width == plan.width, image.height == plan.height, liesOnPixels(image, plan, frame), isPlain(object),
      page["/Resources"]["/ColorSpace"].isNull, let file = file(object, image),
      let pix = try? Pix(owning: file.withUnsafeBufferPointer { pixReadMem($0.baseAddress, $0.count) }),
      pix.width == plan.width, pix.height == plan.height
    else { return nil }
    return try? pix.picture()
  }

  /// Whether it stands upright, its top left sample on the picture's.
  private static func liesOnPixels(_ image: PageScan.PlacedImage, _ plan: PDFReader.Plan, _ frame: PageFrame) -> Bool {
    guard let toShown = frame.toUserSpace.inverse else { return false }
    let toPixels = image.placement.then(toShown).then(.scale(plan.dpi.x / 72, plan.dpi.y / 72))
      .then(.move(-plan.origin.x, -plan.origin.y))
    let corners = [toPixels.point(0, 1), toPixels.point(1, 1), toPixels.point(0, 0)]
    let wanted = [(0.0, 0.0), (Double(image.width), 0.0), (0.0, Double(image.height))]
    return zip(corners, wanted).allSatisfy { abs($0.x - $1.0) < 0.02 && abs($0.y - $1.1) < 0.02 }
  }

  /// Whether its samples are colours as they are.
  private static func isPlain(_ object: PDFObject) -> Bool {
    ["/SMask", "/Mask", "/Decode", "/ImageMask", "/SMaskInData", "/OC"].allSatisfy { object[$0].isNull }
      && object["/BitsPerComponent"].integer == 8
      && ["/DeviceGray", "/DeviceRGB"].contains(object["/ColorSpace"].name)
  }

  /// The samples in a picture file of their own.
  private static func file(_ object: PDFObject, _ image: PageScan.PlacedImage) -> [UInt8]? {
    func alone(_ value: PDFObject) -> PDFObject? {
      value.isArray ? (value.items.count == 1 ? value.items[0] : nil) : value
    }
    let channels = object["/ColorSpace"].name == "/DeviceGray" ? 1 : 3
    guard let filter = alone(object["/Filter"])?.name, let parameters = alone(object["/DecodeParms"]) else {
      return nil
    }
    switch filter {
    case "/DCTDecode":
      guard parameters.isNull, let bytes = object.stored(), let header = JPEGHeader(Data(bytes)),
        header.bitsPerSample == 8, header.components == channels, header.width == image.width,
        header.height == image.height
      else { return nil }
      return bytes
    case "/FlateDecode":
      // Predictors from 10 on are PNG's own filters.
      guard (parameters["/Predictor"].integer ?? 1) >= 10, (parameters["/Colors"].integer ?? 1) == channels,
        (parameters["/BitsPerComponent"].integer ?? 8) == 8, parameters["/Columns"].integer == image.width,
        let bytes = object.stored()
      else { return nil }
      return png(bytes, width: image.width, height: image.height, channels: channels)
    default: return nil
    }
  }

  /// A PNG file of deflated rows that have PNG's filters on them.
  private static func png(_ rows: [UInt8], width: Int, height: Int, channels: Int) -> [UInt8] {
    func number(_ value: UInt32) -> [UInt8] { [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) } }
    func chunk(_ name: String, _ body: [UInt8]) -> [UInt8] {
      let head = Array(name.utf8)
      let sum = crc32(crc32(0, head, UInt32(head.count)), body, UInt32(clamping: body.count))
      return number(UInt32(clamping: body.count)) + head + body + number(UInt32(truncatingIfNeeded: sum))
    }
    let size = number(UInt32(clamping: width)) + number(UInt32(clamping: height))
    return [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]
      + chunk("IHDR", size + [8, channels == 1 ? 0 : 2, 0, 0, 0]) + chunk("IDAT", rows) + chunk("IEND", [])
  }
}

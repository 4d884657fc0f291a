import CTesseract
import Foundation
import Frames

/// A Leptonica image and its owner. Used by one thread.
final class Pix {
  private let pointer: UnsafeMutablePointer<PIX>

  /// Takes over a new image from a Leptonica call; nil becomes a failure.
  init(owning pointer: UnsafeMutablePointer<PIX>?, doing what: String = "process the picture") throws {
    guard let pointer else { throw Failure("cannot \(what)") }
    self.pointer = pointer
  }

  deinit {
    var pointer: UnsafeMutablePointer<PIX>? = pointer
    pixDestroy(&pointer)
  }

  /// Lends the image for the length of `body`. A bare pointer could outlive its owner, which Swift frees after its
  /// last use.
  func with<Result>(_ body: (UnsafeMutablePointer<PIX>) throws -> Result) rethrows -> Result {
    try withExtendedLifetime(self) { try body(pointer) }
  }

  /// A new image made of this one; nil becomes a failure.
  func making(
    _ what: String = "process the picture", _ body: (UnsafeMutablePointer<PIX>) -> UnsafeMutablePointer<PIX>?
  ) throws -> Pix {
    try Pix(owning: with(body), doing: what)
  }

  var width: Int { Int(pixGetWidth(pointer)) }
  var height: Int { Int(pixGetHeight(pointer)) }
  var depth: Int { Int(pixGetDepth(pointer)) }
  /// Pixels an inch; 0 where unknown.
  var resolution: (x: Int, y: Int) { (Int(pixGetXRes(pointer)), Int(pixGetYRes(pointer))) }

  /// The library's messages go nowhere: its calls' results say what failed.
  static let quiet: Void = { setMsgSeverity(Int32(L_SEVERITY_NONE)) }()

  /// Turned clockwise by a multiple of 90 degrees.
  func turned(_ degrees: Int) throws -> Pix {
    let quarters = ((degrees / 90) % 4 + 4) % 4
    if quarters == 0 { return self }
    return try Pix(owning: pixRotateOrth(pointer, Int32(quarters)), doing: "turn the picture")
  }

  /// As it is to be shown by an EXIF or TIFF orientation, 1 to 8; other values change nothing.
  func oriented(_ orientation: Int) throws -> Pix {
    switch orientation {
    case 2: try flipped()
    case 3: try turned(180)
    case 4: try flipped().turned(180)
    case 5: try flipped().turned(270)
    case 6: try turned(90)
    case 7: try flipped().turned(90)
    case 8: try turned(270)
    default: self
    }
  }

  private func flipped() throws -> Pix {
    try Pix(owning: pixFlipLR(nil, pointer), doing: "mirror the picture")
  }

  /// One of three kinds: 1 bit, 8-bit grey or 32-bit RGB; palettes resolved, opacity laid on white, 16 bits made 8.
  func simplified() throws -> Pix {
    if pixGetColormap(pointer) != nil {
      let resolved = try Pix(owning: pixRemoveColormap(pointer, Int32(REMOVE_CMAP_BASED_ON_SRC)))
      return try resolved.simplified()
    }
    switch depth {
    case 1, 8: return self
    case 2, 4: return try Pix(owning: pixConvertTo8(pointer, 0))
    case 16: return try Pix(owning: pixConvert16To8(pointer, Int32(L_MS_BYTE)))
    case 32 where pixGetSpp(pointer) == 4:
      if !isOpaque { return try Pix(owning: pixAlphaBlendUniform(pointer, 0xffff_ff00)) }
      pixSetSpp(pointer, 3)
      return self
    default: return try depth == 32 ? self : Pix(owning: pixConvertTo32(pointer))
    }
  }

  /// 8-bit grey.
  func grey() throws -> Pix {
    let plain = try simplified()
    return plain.depth == 8 ? plain : try plain.making { pixConvertTo8($0, 0) }
  }

  /// Whether nothing shows through an image with opacity.
  private var isOpaque: Bool {
    var opaque: Int32 = 0
    return pixAlphaIsOpaque(pointer, &opaque) == 0 && opaque != 0
  }

  /// Whether an 8-bit image has no other samples than 0 and 255.
  var isBilevel: Bool {
    guard depth == 8, let data = pixGetData(pointer) else { return false }
    let wordsPerRow = Int(pixGetWpl(pointer))
    let whole = width / 4
    for y in 0..<height {
      let row = data + y * wordsPerRow
      // A byte of all ones or all zeros does not change where it is shifted by one bit into itself.
      for x in 0..<whole where (row[x] ^ (row[x] << 1)) & 0xfefe_fefe != 0 { return false }
    }
    return true
  }

  // MARK: Encoding in memory

  enum Encoding { case png, groupFour, jpeg(quality: Int) }

  func encoded(_ encoding: Encoding) throws -> [UInt8] {
    var bytes: UnsafeMutablePointer<UInt8>?
    var count = 0
    let failed: Int32
    switch encoding {
    case .png:
      // 10 and a level of zlib's: of pages higher ones save about a hundredth, in twice the time.
      pixSetSpecial(pointer, 13)
      failed = pixWriteMemPng(&bytes, &count, pointer, 0)
    case .groupFour: failed = pixWriteMemTiff(&bytes, &count, pointer, Int32(IFF_TIFF_G4))
    case .jpeg(let quality): failed = pixWriteMemJpeg(&bytes, &count, pointer, Int32(quality), 0)
    }
    defer { lept_free(bytes) }
    guard failed == 0, let bytes else { throw Failure("cannot encode the picture") }
    return Array(UnsafeBufferPointer(start: bytes, count: count))
  }
}

/// Deflated with a zlib header, as PDF's FlateDecode wants it.
func deflated(_ bytes: [UInt8]) -> [UInt8]? {
  var count = 0
  guard !bytes.isEmpty, let result = zlibCompress(bytes, bytes.count, &count) else { return nil }
  defer { lept_free(result) }
  return Array(UnsafeBufferPointer(start: result, count: count))
}

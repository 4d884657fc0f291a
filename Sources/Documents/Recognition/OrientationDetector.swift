import CTesseract
import Frames

/// What Tesseract has found to be a page's orientation.
public struct Orientation: Sendable, Hashable {
  /// By how many degrees clockwise the picture is to be turned to stand upright: 0, 90, 180 or 270.
  public var turn: Int
  /// Above 0; Tesseract calls 15 reasonable.
  public var confidence: Double
}

/// Finds how a page lies: Tesseract's orientation and script detection. Used by one thread at a time.
public final class OrientationDetector {
  private let handle: OpaquePointer

  /// Throws `Failure` of exit code 3 where the data for it is missing.
  public init() throws {
    _ = Pix.quiet
    try Languages.check("osd")
    guard let handle = TessBaseAPICreate() else { throw Failure("Tesseract has no memory", exitCode: .exhausted) }
    self.handle = handle
    guard TessBaseAPIInit2(handle, nil, "osd", OEM_TESSERACT_ONLY) == 0 else {
      TessBaseAPIDelete(handle)
      throw Failure("Tesseract cannot load its orientation data", advice: "run pipe doctor", exitCode: .missing)
    }
    _ = TessBaseAPISetVariable(handle, "debug_file", "/dev/null")
  }

  deinit {
    TessBaseAPIEnd(handle)
    TessBaseAPIDelete(handle)
  }

  /// Nil where the page has too little text to tell.
  public func orientation(of picture: Picture, dpi: Double?) throws -> Orientation? {
    let resolution = dpi ?? 0
    let pix = try Pix(picture, dpi: (resolution, resolution))
    pix.with { TessBaseAPISetImage2(handle, $0) }
    defer { TessBaseAPIClear(handle) }
    if resolution >= 70 { TessBaseAPISetSourceResolution(handle, Int32(min(resolution, 2400).rounded())) }
    var degrees: Int32 = 0
    var confidence: Float = 0
    var scriptConfidence: Float = 0
    var script: UnsafePointer<CChar>?
    guard TessBaseAPIDetectOrientationScript(handle, &degrees, &confidence, &script, &scriptConfidence) != 0 else {
      return nil
    }
    return Orientation(turn: (360 - Int(degrees) % 360) % 360, confidence: Double(confidence))
  }
}

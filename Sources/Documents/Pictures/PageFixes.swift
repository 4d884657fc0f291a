import CTesseract
import Foundation
import Frames

/// What is mended on a page's picture so that its text is read better.
public enum PageFixes {
  /// A picture and the way back from its pixels to those it was made of.
  public struct Moved {
    public var picture: Picture
    public var back: Affine
  }

  /// By how many degrees clockwise a picture's lines have to be turned to run level, and how sure that is (3 is
  /// reasonable); nil where it cannot be told. Angles beyond 15 degrees are not looked for.
  public static func skew(of picture: Picture) throws -> (degrees: Double, confidence: Double)? {
    let ink = try PageFixes.ink(Pix(picture).grey())
    var angle: Float = 0
    var confidence: Float = 0
    let largest = max(ink.width, ink.height)
    let reduction: Int32 = largest > 1600 ? 4 : largest > 800 ? 2 : 1
    guard
      pixFindSkewSweepAndSearch(ink.pointer, &angle, &confidence, reduction, min(reduction, 2), 15, 1, 0.01) == 0,
      angle.isFinite
    else { return nil }
    return (Double(angle), Double(confidence))
  }

  /// Turned clockwise by any angle on white; nothing is cut off.
  public static func rotated(_ picture: Picture, by degrees: Double) throws -> Moved {
    let pix = try Pix(picture)
    let angle = degrees * .pi / 180
    let result = try Pix(
      owning: pixRotate(
        pix.pointer, Float(angle), Int32(L_ROTATE_AREA_MAP), Int32(L_BRING_IN_WHITE), Int32(clamping: picture.width),
        Int32(clamping: picture.height)), doing: "turn the picture")
    let back = Affine.move(-Double(result.width) / 2, -Double(result.height) / 2)
      .then(.rotation(-angle))
      .then(.move(Double(picture.width) / 2, Double(picture.height) / 2))
    return Moved(picture: try result.picture(), back: back)
  }

  /// Turned clockwise by a multiple of 90 degrees.
  public static func turned(_ picture: Picture, by degrees: Int) throws -> Moved {
    let result = try Pix(picture).turned(degrees).picture()
    let (width, height) = (Double(picture.width), Double(picture.height))
    let back: Affine
    switch ((degrees % 360) + 360) % 360 {
    case 90: back = Affine(0, -1, 1, 0, 0, height)
    case 180: back = Affine(-1, 0, 0, -1, width, height)
    case 270: back = Affine(0, 1, -1, 0, width, 0)
    default: back = .identity
    }
    return Moved(picture: result, back: back)
  }

  public struct Cleaning: Sendable, Hashable {
    /// Make the paper evenly white.
    public var background = true
    /// Take away specks up to this many pixels across; 0 leaves all.
    public var specks = 0
    /// Make every pixel black or white.
    public var binarize = false
    public init() {}
  }

  public static func cleaned(_ picture: Picture, _ cleaning: Cleaning) throws -> Picture {
    var pix = try Pix(picture)
    if cleaning.background {
      let (even, failed) = (pixBackgroundNormSimple(pix.pointer, nil, nil), "flatten the background")
      if let even {
        pix = try Pix(owning: even, doing: failed)
        let bright = pix.pointer
        // The paper lies at 200 now: lift it to white without touching the ink.
        if let lifted = pixGammaTRC(nil, bright, 1, 0, 200) { pix = try Pix(owning: lifted, doing: failed) }
      }
    }
    if cleaning.specks > 0 || cleaning.binarize {
      let ink = try PageFixes.ink(pix.grey())
      let kept = try cleaning.specks > 0 ? withoutSpecks(ink, cleaning.specks) : ink
      if cleaning.binarize { return try kept.picture() }
      // What was ink and is no more becomes paper.
      let specks = try Pix(owning: pixSubtract(nil, ink.pointer, kept.pointer))
      let spread = try Pix(owning: pixDilateBrick(nil, specks.pointer, 3, 3))
      let target = pix.depth == 32 ? pix : try pix.grey()
      pixSetMasked(target.pointer, spread.pointer, target.depth == 32 ? 0xffff_ff00 : 255)
      pix = target
    }
    return try pix.picture()
  }

  private static func withoutSpecks(_ ink: Pix, _ size: Int) throws -> Pix {
    try Pix(
      owning: pixSelectBySize(
        ink.pointer, Int32(size), Int32(size), 8, Int32(L_SELECT_IF_EITHER), Int32(L_SELECT_IF_GT), nil))
  }

  /// Black where the page has ink, by one threshold for the whole page.
  static func ink(_ grey: Pix) throws -> Pix {
    var result: UnsafeMutablePointer<PIX>?
    pixOtsuAdaptiveThreshold(
      grey.pointer, Int32(max(grey.width, 16)), Int32(max(grey.height, 16)), 0, 0, 0.1, nil, &result)
    if let result { return try Pix(owning: result) }
    return try Pix(owning: pixThresholdToBinary(grey.pointer, 130))
  }
}

extension Frame {
  /// The page with a picture that a fix has moved.
  ///
  /// - Parameter visible: the output shows the page as it is now, so places on it are the picture's own.
  public func moved(_ moved: PageFixes.Moved, visible: Bool = false) -> Frame {
    guard var page else { return with(moved.picture) }
    var frame = with(moved.picture)
    let dpi = page.dpi(of: picture)
    let toPage = moved.back.then(page.toPage(from: picture))
    page.pixels = (moved.picture.width, moved.picture.height)
    page.dpi = dpi
    page.toPage = toPage
    if visible { page.visible = moved.picture }
    frame.page = page
    return frame
  }
}

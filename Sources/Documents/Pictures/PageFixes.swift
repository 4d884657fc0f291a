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
      ink.with({
        pixFindSkewSweepAndSearch($0, &angle, &confidence, reduction, min(reduction, 2), 15, 1, 0.01)
      }) == 0, angle.isFinite
    else { return nil }
    return (Double(angle), Double(confidence))
  }

  /// Turned clockwise by any angle on white; nothing is cut off.
  public static func rotated(_ picture: Picture, by degrees: Double) throws -> Moved {
    let pix = try Pix(picture)
    let angle = degrees * .pi / 180
    let result = try pix.making("turn the picture") {
      pixRotate(
        $0, Float(angle), Int32(L_ROTATE_AREA_MAP), Int32(L_BRING_IN_WHITE), Int32(clamping: picture.width),
        Int32(clamping: picture.height))
    }
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
      // A page too small to have a background stays as it is.
      if let even = pix.with({ pixBackgroundNormSimple($0, nil, nil) }) {
        // The paper lies at 200 now: lift it to white without touching the ink.
        pix = try Pix(owning: even).making { pixGammaTRC(nil, $0, 1, 0, 200) }
      }
    }
    if cleaning.specks > 0 || cleaning.binarize {
      let ink = try PageFixes.ink(pix.grey())
      let kept = try cleaning.specks > 0 ? withoutSpecks(ink, cleaning.specks) : ink
      if cleaning.binarize { return try kept.picture() }
      // What was ink and is no more becomes paper.
      let specks = try ink.making { ink in kept.with { pixSubtract(nil, ink, $0) } }
      let spread = try specks.making { pixDilateBrick(nil, $0, 3, 3) }
      let target = pix.depth == 32 ? pix : try pix.grey()
      let white: UInt32 = target.depth == 32 ? 0xffff_ff00 : 255
      _ = target.with { page in spread.with { pixSetMasked(page, $0, white) } }
      pix = target
    }
    return try pix.picture()
  }

  private static func withoutSpecks(_ ink: Pix, _ size: Int) throws -> Pix {
    try ink.making {
      pixSelectBySize($0, Int32(size), Int32(size), 8, Int32(L_SELECT_IF_EITHER), Int32(L_SELECT_IF_GT), nil)
    }
  }

  /// Black where the page has ink, by one threshold for the whole page.
  static func ink(_ grey: Pix) throws -> Pix {
    var result: UnsafeMutablePointer<PIX>?
    _ = grey.with {
      pixOtsuAdaptiveThreshold(
        $0, Int32(max(grey.width, 16)), Int32(max(grey.height, 16)), 0, 0, 0.1, nil, &result)
    }
    if let result { return try Pix(owning: result) }
    return try grey.making { pixThresholdToBinary($0, 130) }
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

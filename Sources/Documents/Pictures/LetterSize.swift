import CTesseract
import Frames

extension PageFixes {
  /// The height of most letters on a page, in pixels: the median of its specks of ink that may be letters; nil where
  /// there are too few to tell.
  public static func letterHeight(of picture: Picture) throws -> Double? {
    let ink = try ink(Pix(picture).grey())
    var boxes = ink.with { pixConnCompBB($0, 8) }
    guard boxes != nil else { return nil }
    defer { boxaDestroy(&boxes) }
    var heights: [Int32] = []
    let tallest = Int32(max(picture.height / 10, 8))
    for index in 0..<boxaGetCount(boxes) {
      var (width, height) = (Int32(0), Int32(0))
      guard boxaGetBoxGeometry(boxes, index, nil, nil, &width, &height) == 0 else { continue }
      // Dots and rules say nothing of the letters' size, nor do pictures.
      if height >= 4, height <= tallest, width >= 2, width < height * 8 { heights.append(height) }
    }
    guard heights.count >= 20 else { return nil }
    heights.sort()
    return Double(heights[heights.count / 2])
  }

  /// Twice as wide and high, by linear interpolation: sharper filters bring out the noise of photographed receipts.
  public static func doubled(_ picture: Picture) throws -> Picture {
    try Pix(picture).making("enlarge the picture") { pixScale($0, 2, 2) }.picture()
  }
}

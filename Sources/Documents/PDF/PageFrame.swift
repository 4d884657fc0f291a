import Frames

/// The part of a PDF page that is shown, and how: crop box, rotation, unit.
struct PageFrame {
  /// In user space: left, bottom, right, top.
  var left, bottom, right, top: Double
  /// Degrees clockwise: 0, 90, 180 or 270.
  var rotation: Int
  /// Points a unit of user space.
  var unit: Double

  /// The page's inherited attributes must have been pushed down to it.
  init(_ page: PDFObject) {
    let media = PageFrame.box(page["/MediaBox"]) ?? (0, 0, 612, 792)
    var shown = media
    if let crop = PageFrame.box(page["/CropBox"]) {
      let cut = (
        max(media.0, min(crop.0, media.2)), max(media.1, min(crop.1, media.3)), min(media.2, max(crop.2, media.0)),
        min(media.3, max(crop.3, media.1))
      )
      if cut.2 > cut.0, cut.3 > cut.1 { shown = cut }
    }
    (left, bottom, right, top) = shown
    let degrees = page["/Rotate"].integer ?? 0
    rotation = degrees % 90 == 0 ? ((degrees % 360) + 360) % 360 : 0
    let unit = page["/UserUnit"].number ?? 1
    self.unit = unit > 0 && unit < 75_000 ? unit : 1
  }

  private static func box(_ object: PDFObject) -> (Double, Double, Double, Double)? {
    guard let n = object.numbers(4) else { return nil }
    let box = (min(n[0], n[2]), min(n[1], n[3]), max(n[0], n[2]), max(n[1], n[3]))
    return box.2 > box.0 && box.3 > box.1 ? box : nil
  }

  private var isSideways: Bool { rotation == 90 || rotation == 270 }
  /// In points, as shown.
  var width: Double { (isSideways ? top - bottom : right - left) * unit }
  var height: Double { (isSideways ? right - left : top - bottom) * unit }

  /// From points of the shown page, origin at its top left, to user space.
  var toUserSpace: Affine {
    let scale = 1 / unit
    switch rotation {
    case 90: return Affine(0, scale, scale, 0, left, bottom)
    case 180: return Affine(-scale, 0, 0, scale, right, bottom)
    case 270: return Affine(0, -scale, -scale, 0, right, top)
    default: return Affine(scale, 0, 0, -scale, left, top)
    }
  }
}

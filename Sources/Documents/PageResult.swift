import Frames

/// What came of a page: all that outputs are made of beside the input itself. Pages may be read in other processes
/// and their results brought together.
public struct PageResult: Sendable, Codable {
  /// Counted from 0.
  public var number: Int
  /// Size as the output shows the page, in points.
  public var width: Double
  public var height: Double
  /// Of the picture that was read: pixels across and down, and those an inch.
  public var pixels: [Int]
  public var dpi: [Double]
  /// By how many degrees clockwise the output turns the page.
  public var turn: Int
  /// In points of the page before it is turned.
  public var text: PageText?
  public var hasOwnText: Bool
  public var dropsHiddenText: Bool
  public var note: String?
  /// Shown instead of the page's content.
  public var visible: ImageStream?

  /// - Parameter quality: of the JPEG that a changed page becomes, 1 to 100.
  public init(_ picture: Picture, _ page: Page, quality: Int = 85) throws {
    number = page.number
    let isSideways = page.turn % 180 != 0
    (width, height) = isSideways ? (page.height, page.width) : (page.width, page.height)
    pixels = [picture.width, picture.height]
    let dpi = page.dpi(of: picture)
    self.dpi = [dpi.x, dpi.y]
    turn = page.turn
    text = page.text
    hasOwnText = page.hasOwnText
    dropsHiddenText = page.dropsHiddenText
    note = page.note
    if page.isLeftAlone { (pixels, self.dpi) = ([page.pixels.width, page.pixels.height], [page.dpi.x, page.dpi.y]) }
    visible = try page.visible.map { try ImageStream(bilevelOrNot: Pix($0), quality: quality) }
  }

  /// The text in points of the page as the output shows it.
  public var shownText: PageText? {
    guard turn != 0, let text else { return text }
    let map: Affine
    switch turn {
    case 90: map = Affine(0, 1, -1, 0, width, 0)
    case 180: map = Affine(-1, 0, 0, -1, width, height)
    case 270: map = Affine(0, -1, 1, 0, 0, height)
    default: return text
    }
    return text.moved(by: map)
  }
}

extension PageText {
  /// The text carried along by a map that keeps lengths.
  func moved(by map: Affine) -> PageText {
    var copy = self
    for block in copy.blocks.indices {
      copy.blocks[block].box = map.bounds(copy.blocks[block].box)
      for line in copy.blocks[block].lines.indices {
        var moved = copy.blocks[block].lines[line]
        moved.box = map.bounds(moved.box)
        if moved.baseline.count == 4 {
          let start = map.point(moved.baseline[0], moved.baseline[1])
          let end = map.point(moved.baseline[2], moved.baseline[3])
          moved.baseline = [start.x, start.y, end.x, end.y]
        }
        for word in moved.words.indices { moved.words[word].box = map.bounds(moved.words[word].box) }
        copy.blocks[block].lines[line] = moved
      }
    }
    return copy
  }
}

/// What is known of a document's page beside the picture that the stages work on.
public struct Page: Sendable {
  /// Counted from 0.
  public var number: Int
  /// Size of the page as it is shown, in PDF points (1/72 inch).
  public var width: Double
  public var height: Double
  /// Pixels an inch of the picture, across and down.
  public var dpi: (x: Double, y: Double)
  /// From picture pixels to points of the shown page (origin top left): x' = a·x + c·y + e, y' = b·x + d·y + f.
  public var toPage: (a: Double, b: Double, c: Double, d: Double, e: Double, f: Double)
  /// The picture to show in the output, where a stage was asked to change what is visible.
  public var visible: Picture?
  /// What was read on it, in points of the shown page.
  public var text: PageText?
  /// Why this page was left as it is, if it was.
  public var note: String?

  public init(number: Int, width: Double, height: Double, dpi: (x: Double, y: Double)) {
    self.number = number
    self.width = width
    self.height = height
    self.dpi = dpi
    toPage = (72 / dpi.x, 0, 0, 72 / dpi.y, 0, 0)
  }
}

/// A rectangle, origin top left.
public struct Box: Sendable, Hashable, Codable {
  public var x, y, width, height: Double

  public init(x: Double, y: Double, width: Double, height: Double) {
    self.x = x
    self.y = y
    self.width = width
    self.height = height
  }
}

/// The text of a page as it was recognised: blocks of lines of words, in reading order.
public struct PageText: Sendable, Hashable, Codable {
  public struct Block: Sendable, Hashable, Codable {
    public var box: Box
    public var lines: [Line]
    public init(box: Box, lines: [Line]) { (self.box, self.lines) = (box, lines) }
  }
  public struct Line: Sendable, Hashable, Codable {
    public var box: Box
    public var words: [Word]
    public init(box: Box, words: [Word]) { (self.box, self.words) = (box, words) }
  }
  public struct Word: Sendable, Hashable, Codable {
    public var text: String
    /// In points of the shown page.
    public var box: Box
    /// In pixels of the picture that was read.
    public var pixels: Box
    /// 0 to 100.
    public var confidence: Double
    /// Where letters stand: the ends of the baseline, in points.
    public var baseline: [Double]
    public var rightToLeft: Bool
    public init(
      text: String, box: Box, pixels: Box, confidence: Double, baseline: [Double] = [], rightToLeft: Bool = false
    ) {
      self.text = text
      self.box = box
      self.pixels = pixels
      self.confidence = confidence
      self.baseline = baseline
      self.rightToLeft = rightToLeft
    }
  }

  public var blocks: [Block]
  public init(blocks: [Block]) { self.blocks = blocks }

  public var words: some Sequence<Word> { blocks.lazy.flatMap(\.lines).flatMap(\.words) }
}

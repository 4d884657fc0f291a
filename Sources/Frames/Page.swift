/// What is known of a document's page beside the picture that the stages work on.
public struct Page: Sendable {
  /// Counted from 0.
  public var number: Int
  /// Size of the page as the input shows it, in PDF points (1/72 inch).
  public var width: Double
  public var height: Double
  /// Pixels an inch, across and down, of a picture of `pixels`.
  public var dpi: (x: Double, y: Double)
  /// The input does not say its resolution: `dpi` is a guess from its size.
  public var guessesDPI = false
  /// The size that the picture had when `dpi` and `toPage` were set; a stage that only scales leaves all three.
  public var pixels: (width: Int, height: Int)
  /// From pixels of a picture of `pixels` to points of the shown page, both with the origin at the top left.
  public var toPage: Affine
  /// By how many degrees clockwise the output is to show the page turned: 0, 90, 180 or 270.
  public var turn = 0
  /// The picture to show in the output instead of the page, where a stage was asked to change what is visible.
  public var visible: Picture?
  /// What was read on it.
  public var text: PageText?
  /// `text` stands in the input already: nothing is to be read or added.
  public var hasOwnText = false
  /// Invisible text of the input is to be taken out, since it is read anew.
  public var dropsHiddenText = false
  /// Why this page was left as it is, if it was.
  public var note: String?

  public init(
    number: Int, width: Double, height: Double, dpi: (x: Double, y: Double), pixels: (width: Int, height: Int)
  ) {
    self.number = number
    self.width = width
    self.height = height
    self.dpi = dpi
    self.pixels = pixels
    toPage = .scale(72 / dpi.x, 72 / dpi.y)
  }

  /// Whether stages have nothing to do on it.
  public var isLeftAlone: Bool { hasOwnText || note != nil }

  /// `dpi` of a picture that stages may have scaled since.
  public func dpi(of picture: Picture) -> (x: Double, y: Double) {
    (
      dpi.x * Double(picture.width) / Double(pixels.width), dpi.y * Double(picture.height) / Double(pixels.height)
    )
  }

  /// `toPage` for a picture that stages may have scaled since.
  public func toPage(from picture: Picture) -> Affine {
    Affine.scale(
      Double(pixels.width) / Double(picture.width), Double(pixels.height) / Double(picture.height)
    ).then(toPage)
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

/// The text of a page: blocks of lines of words, in reading order. Lengths are points of the shown page.
public struct PageText: Sendable, Hashable, Codable {
  public struct Block: Sendable, Hashable, Codable {
    public var box: Box
    public var lines: [Line]
    public init(box: Box, lines: [Line]) { (self.box, self.lines) = (box, lines) }
  }

  public struct Line: Sendable, Hashable, Codable {
    public var box: Box
    public var startsParagraph: Bool
    /// Where letters stand: x and y of its beginning, then of its end, in the direction of writing left to right.
    public var baseline: [Double]
    /// How far letters reach above and below the baseline.
    public var ascent: Double
    public var descent: Double
    public var words: [Word]

    public init(
      box: Box, startsParagraph: Bool = false, baseline: [Double], ascent: Double, descent: Double, words: [Word]
    ) {
      self.box = box
      self.startsParagraph = startsParagraph
      self.baseline = baseline
      self.ascent = ascent
      self.descent = descent
      self.words = words
    }
  }

  public struct Word: Sendable, Hashable, Codable {
    public var text: String
    public var box: Box
    /// In pixels of the picture that was read.
    public var pixels: Box
    /// The recogniser's own, 0 to 100.
    public var confidence: Double
    /// How sure its letters are, 0 to 100: of misread words it finds more than `confidence` does.
    public var certainty: Double
    /// Where on the line's baseline the word begins and how far it reaches.
    public var start: Double
    public var length: Double
    public var rightToLeft: Bool

    public init(
      text: String, box: Box, pixels: Box, confidence: Double, certainty: Double? = nil, start: Double, length: Double,
      rightToLeft: Bool = false
    ) {
      self.text = text
      self.box = box
      self.pixels = pixels
      self.confidence = confidence
      self.certainty = certainty ?? confidence
      self.start = start
      self.length = length
      self.rightToLeft = rightToLeft
    }
  }

  public var blocks: [Block]
  public init(blocks: [Block]) { self.blocks = blocks }

  /// The text of a picture that was scaled for reading, with its boxes in pixels of the one before.
  public func scalingPixels(by factor: Double) -> PageText {
    var copy = self
    for block in copy.blocks.indices {
      for line in copy.blocks[block].lines.indices {
        for word in copy.blocks[block].lines[line].words.indices {
          let box = copy.blocks[block].lines[line].words[word].pixels
          copy.blocks[block].lines[line].words[word].pixels = Box(
            x: box.x * factor, y: box.y * factor, width: box.width * factor, height: box.height * factor)
        }
      }
    }
    return copy
  }

  public var words: some Sequence<Word> { blocks.lazy.flatMap(\.lines).flatMap(\.words) }
}

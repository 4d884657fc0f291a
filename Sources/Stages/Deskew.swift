import Documents
import Frames
import Pipeline

/// Levels the lines of slanted scans.
public struct Deskew: FilterStage {
  public static let name = "deskew"
  public static let summary = "Level the lines of slanted pages."
  public static let role = StageRole.filter([.pages])

  public struct Options: StageOptions {
    var minimum = 0.5
    var visible = false
    public init() {}

    public static let parameters: [Parameter<Options>] = [
      .number("minimum", \.minimum, 0...15, "smaller slants are left", unit: "degrees"),
      .flag("visible", \.visible, "show the levelled page in the output too"),
    ]
  }

  /// Leptonica's measure of how clearly one angle beats its neighbours.
  private static let sureness = 3.0

  private let options: Options
  public init(_ options: Options) { self.options = options }

  public func open(_ input: StreamFormat, _ job: Job) throws -> any Filter { PageFilter(input) { try level($0) } }

  private func level(_ frame: Frame) throws -> Frame {
    guard let skew = try PageFixes.skew(of: frame.picture), skew.confidence >= Deskew.sureness,
      abs(skew.degrees) >= options.minimum
    else { return frame }
    let moved = try PageFixes.rotated(frame.picture, by: skew.degrees)
    return options.visible ? frame.shown(moved.picture) : frame.moved(moved)
  }
}

extension Frame {
  /// The page redrawn: the output shows this picture in place of the page, filling it.
  func shown(_ picture: Picture) -> Frame {
    var frame = with(picture)
    guard var page else { return frame }
    page.visible = picture
    page.pixels = (picture.width, picture.height)
    page.dpi = (Double(picture.width) / page.width * 72, Double(picture.height) / page.height * 72)
    page.toPage = .scale(72 / page.dpi.x, 72 / page.dpi.y)
    frame.page = page
    return frame
  }
}

import Documents
import Frames
import Pipeline

/// Evens the paper and takes specks away.
public struct Clean: FilterStage {
  public static let name = "clean"
  public static let summary = "Even out the background of pages and remove specks."
  public static let role = StageRole.filter([.pages])

  public struct Options: StageOptions {
    var background = true
    var specks = 0
    var binarize = false
    var visible = false
    public init() {}

    public static let parameters: [Parameter<Options>] = [
      .flag("background", \.background, "make the paper evenly white"),
      .integer("specks", \.specks, 0...20, "remove specks up to this size; 0 leaves all", unit: "px"),
      .flag("binarize", \.binarize, "make every pixel black or white"),
      .flag("visible", \.visible, "show the cleaned page in the output too"),
    ]
  }

  private let options: Options
  public init(_ options: Options) { self.options = options }

  public func open(_ input: StreamFormat, _ job: Job) throws -> any Filter { PageFilter(input) { try clean($0) } }

  private func clean(_ frame: Frame) throws -> Frame {
    var cleaning = PageFixes.Cleaning()
    cleaning.background = options.background
    cleaning.specks = options.specks
    cleaning.binarize = options.binarize
    let picture = try PageFixes.cleaned(frame.picture, cleaning)
    return options.visible ? frame.shown(picture) : frame.with(picture)
  }
}

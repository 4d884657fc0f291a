import Documents
import Frames
import Pipeline

/// Turns pages that lie on their side or upside down.
public struct Rotate: FilterStage {
  public static let name = "rotate"
  public static let summary = "Turn pages upright by what their letters say."
  public static let role = StageRole.filter([.pages])

  public struct Options: StageOptions {
    var confidence = 14.0
    var visible = false
    public init() {}

    public static let parameters: [Parameter<Options>] = [
      .number("confidence", \.confidence, 0...100, "how sure Tesseract must be; 15 is reasonable"),
      .flag("visible", \.visible, "turn the page of the output too, not only what is read"),
    ]
  }

  private let options: Options
  public init(_ options: Options) { self.options = options }
  public func check() throws { try Languages.check("osd") }
  public func fingerprint() -> [String: String] { ["tesseract": Languages.version] }

  public func open(_ input: StreamFormat, _ job: Job) throws -> any Filter { PageFilter(input) { try turn($0) } }

  private func turn(_ frame: Frame) throws -> Frame {
    let dpi = frame.page.flatMap { $0.guessesDPI ? nil : $0.dpi(of: frame.picture).x }
    let found = try ToolShed.detectors.withTool { try $0.orientation(of: frame.picture, dpi: dpi) }
    guard let found, found.turn != 0, found.confidence >= options.confidence else { return frame }
    var turned = frame.moved(try PageFixes.turned(frame.picture, by: found.turn))
    if options.visible, let page = frame.page { turned.page?.turn = (page.turn + found.turn) % 360 }
    return turned
  }
}

/// A filter of single pages. Pages that are left alone pass by.
final class PageFilter: Filter {
  let output: StreamFormat
  private let change: (Frame) throws -> Frame

  init(_ format: StreamFormat, _ change: @escaping (Frame) throws -> Frame) {
    output = format
    self.change = change
  }

  func process(_ frame: Frame, emit: (Frame) throws -> Void) throws {
    try emit(frame.page?.isLeftAlone == true ? frame : change(frame))
  }
}

import Foundation
import Frames

/// The pages of a PDF: QPDF tells what is on them, Poppler draws them.
final class PDFReader: DocumentReader {
  private let file: PDFFile
  private let renderer: PDFRenderer
  private let options: ReaderOptions
  let pageCount: Int
  let loss: String? = nil

  /// A scan with no more letters than this of visible text is taken to carry a stamp.
  private static let stampLetters = 200

  init(path: String, _ options: ReaderOptions) throws {
    file = try PDFFile(path: path)
    if file.isDynamicForm {
      throw Failure(
        "its pages are made by Adobe's reader alone (a dynamic XFA form)", place: file.name,
        advice: "print it to a PDF there first")
    }
    renderer = try PDFRenderer(path: path)
    pageCount = try file.pageCount()
    if pageCount == 0 { throw Failure("the PDF has no pages", place: file.name) }
    if renderer.pageCount != pageCount {
      throw Failure(
        "the PDF is damaged: QPDF counts \(pageCount) pages and Poppler \(renderer.pageCount)", place: file.name)
    }
    try file.pushInheritedAttributes()
    self.options = options
  }

  func page(_ number: Int) throws -> (picture: Picture, page: Page) {
    defer { file.releaseObjects() }
    let object = try file.page(number)
    let frame = PageFrame(object)
    let scan = PageScan(object)
    let plan = Plan(scan, frame, options)
    var page = Page(
      number: number, width: frame.width, height: frame.height, dpi: plan.dpi, pixels: (plan.width, plan.height))
    page.toPage = Affine.move(plan.origin.x, plan.origin.y).then(.scale(72 / plan.dpi.x, 72 / plan.dpi.y))

    if scan.isTrap {
      page.note = "it would take for ever to draw: its content unpacks or repeats itself beyond all measure"
      return (blankPicture(), page)
    }
    let letters = options.mode == .force ? [] : try renderer.letters(number)
    let keepsText = keepsText(scan, letters, plan)
    if keepsText {
      page.hasOwnText = true
      page.text = OwnText.text(of: letters, unit: frame.unit)
      return (blankPicture(), page)
    }
    page.dropsHiddenText = options.mode == .redo && scan.hiddenText > 0
    if let reason = plan.obstacle(scan, options) {
      page.note = reason
      return (blankPicture(), page)
    }
    let scale = (x: plan.dpi.x / 72 * frame.unit, y: plan.dpi.y / 72 * frame.unit)
    var picture: Picture
    do {
      picture =
        try WholeScan.picture(object, scan, plan, frame)
        ?? renderer.render(number, scale: scale, origin: plan.origin, width: plan.width, height: plan.height)
    } catch let failure as Failure where failure.exitCode != .exhausted {
      page.note = failure.message
      return (blankPicture(), page)
    }
    if options.mode == .force {
      page.visible = picture
    } else if scan.visibleText > 0, let inverse = page.toPage.inverse {
      // What stands there as text already is not to be read a second time.
      let visible = try visibleLetters(letters, number, scan)
      let boxes = visible.map { letter in
        inverse.bounds(
          Box(
            x: letter.box.x * frame.unit, y: letter.box.y * frame.unit, width: letter.box.width * frame.unit,
            height: letter.box.height * frame.unit))
      }
      picture = picture.whitened(boxes)
    }
    return (picture, page)
  }

  private func keepsText(_ scan: PageScan, _ letters: [PDFRenderer.Letter], _ plan: Plan) -> Bool {
    let hasLetters = letters.contains { !$0.scalar.properties.isWhitespace }
    switch options.mode {
    case .force: return false
    case .redo: return hasLetters && scan.hiddenText == 0 && !plan.isScan
    case .skip: return hasLetters
    case .default:
      if !hasLetters { return false }
      return scan.hiddenText > 0 || !plan.isScan || scan.visibleText > PDFReader.stampLetters
    }
  }

  /// Of a page's letters those that can be seen: all, or those left when the invisible ones are taken out.
  private func visibleLetters(
    _ letters: [PDFRenderer.Letter], _ number: Int, _ scan: PageScan
  ) throws -> [PDFRenderer.Letter] {
    if scan.hiddenText == 0 { return letters }
    let path = FileManager.default.temporaryDirectory.appending(path: "pipe-\(UUID().uuidString).pdf").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    let single = try PDFFile(newNamed: file.name)
    try single.addCopy(of: file.page(number))
    try HiddenText.remove(from: single.page(0))
    try single.write(to: path)
    return try PDFRenderer(path: path).letters(0)
  }

  /// At which resolution a page is drawn, and where its pixels begin.
  struct Plan {
    var dpi: (x: Double, y: Double)
    /// Pixels between the page's top left corner and the picture's.
    var origin = (x: 0.0, y: 0.0)
    var width: Int
    var height: Int
    /// One picture covers most of the page.
    var isScan = false

    static let drawnDPI = 300.0
    /// Letters do not get more legible beyond it.
    static let highestScanDPI = 600.0
    static let largestSide = 32_767.0

    init(_ scan: PageScan, _ frame: PageFrame, _ options: ReaderOptions) {
      let pageArea = (frame.right - frame.left) * (frame.top - frame.bottom)
      let toShown = frame.toUserSpace.inverse ?? .identity
      dpi = (Plan.drawnDPI, Plan.drawnDPI)
      var corner: (x: Double, y: Double)?
      if let main = scan.images.max(by: { $0.area < $1.area }), main.area > pageArea * 0.1 {
        isScan = main.area > pageArea * 0.5
        let shown = main.placement.then(toShown)
        // Where the picture stands upright or turned by quarters, its pixels are the page's.
        let own = Plan.resolution(main, shown)
        if isScan, !scan.paintsVectors, scan.visibleText == 0 {
          dpi = own
          let box = shown.bounds(Box(x: 0, y: 0, width: 1, height: 1))
          corner = (box.x, box.y)
        } else {
          dpi = (max(own.x, Plan.drawnDPI), max(own.y, Plan.drawnDPI))
        }
      }
      if let wanted = options.dpi { dpi = (wanted, wanted) }
      let over = max(dpi.x / Plan.highestScanDPI, dpi.y / Plan.highestScanDPI)
      if options.dpi == nil, over > 1 { dpi = (dpi.x / over, dpi.y / over) }
      // Faxes have fewer lines than columns an inch; letters are read as they look.
      if options.dpi == nil, dpi.x / dpi.y > 1.2 || dpi.y / dpi.x > 1.2 {
        dpi = (max(dpi.x, dpi.y), max(dpi.x, dpi.y))
        corner = nil
      }
      let inches = (frame.width / 72, frame.height / 72)
      let pixels = inches.0 * dpi.x * inches.1 * dpi.y
      var shrink = max(
        1, (pixels / Double(options.maximumPixels)).squareRoot() * 1.001, inches.0 * dpi.x / Plan.largestSide,
        inches.1 * dpi.y / Plan.largestSide)
      if !shrink.isFinite { shrink = 1 }
      if shrink > 1 {
        dpi = (dpi.x / shrink, dpi.y / shrink)
        corner = nil
      }
      if let corner {
        let place = (x: corner.x * dpi.x / 72, y: corner.y * dpi.y / 72)
        origin = (place.x - place.x.rounded(), place.y - place.y.rounded())
      }
      width = Plan.pixels(inches.0 * dpi.x - origin.x)
      height = Plan.pixels(inches.1 * dpi.y - origin.y)
    }

    private static func pixels(_ length: Double) -> Int {
      guard length.isFinite else { return 1 }
      return max(1, Int(min((length - 0.01).rounded(.up), largestSide)))
    }

    /// Samples an inch of a placed picture, along the axes of the shown page.
    private static func resolution(_ image: PageScan.PlacedImage, _ shown: Affine) -> (x: Double, y: Double) {
      let across = Double(image.width) / max(hypot(shown.a, shown.b), 0.001) * 72
      let down = Double(image.height) / max(hypot(shown.c, shown.d), 0.001) * 72
      let isSideways = abs(shown.b) > abs(shown.a)
      let (x, y) = isSideways ? (down, across) : (across, down)
      return (max(x, 36), max(y, 36))
    }

    /// Why the page cannot be drawn within the limits.
    func obstacle(_ scan: PageScan, _ options: ReaderOptions) -> String? {
      let megapixels = options.maximumPixels / 1_000_000
      let samples = scan.images.reduce(0.0) { max($0, Double($1.width) * Double($1.height)) }
      if samples > Double(options.maximumPixels) {
        return "a picture on it has \(Int(samples / 1e6)) megapixels, more than the \(megapixels) allowed"
      }
      if min(dpi.x, dpi.y) < 60, options.dpi == nil, !isScan || min(dpi.x, dpi.y) < 36 {
        return "the page is too large to be read within \(megapixels) megapixels"
      }
      return nil
    }
  }
}

extension Picture {
  /// The picture with these boxes painted white.
  func whitened(_ boxes: [Box]) -> Picture {
    guard !boxes.isEmpty, format.depth == 8 else { return self }
    return Picture(width: width, height: height, format: format, colour: colour) { targets in
      withPlanes { sources in
        for (index, (source, target)) in zip(sources, targets).enumerated() {
          let isChroma = index == 1 || index == 2
          let shift = isChroma ? format.chroma.shift : (0, 0)
          for y in 0..<source.height {
            target.row(y, as: UInt8.self).update(from: source.row(y, as: UInt8.self), count: source.width)
          }
          for box in boxes {
            let left = max(0, Int(max(box.x - 1, 0))) >> shift.0
            let right = min(source.width, (Int(min(max(box.x + box.width + 2, 0), 1e6)) >> shift.0) + 1)
            let top = max(0, Int(max(box.y - 1, 0))) >> shift.1
            let bottom = min(source.height, (Int(min(max(box.y + box.height + 2, 0), 1e6)) >> shift.1) + 1)
            guard left < right, top < bottom else { continue }
            for y in top..<bottom {
              (target.row(y, as: UInt8.self) + left).update(repeating: isChroma ? 128 : 255, count: right - left)
            }
          }
        }
      }
    }
  }
}

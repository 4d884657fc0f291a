import Foundation
import Frames

/// What a page's content draws, as far as reading it anew depends on it.
struct PageScan {
  struct PlacedImage {
    /// Size in samples.
    var width: Int
    var height: Int
    /// From the unit square (origin at the bottom left) to user space.
    var placement: Affine
    /// One bit a sample, drawn as a stencil or not.
    var isBilevel: Bool
    /// Where the page itself draws it by name, and not a form on it.
    var object: PDFObject?
    /// The area it covers, in square units of user space.
    var area: Double { abs(placement.a * placement.d - placement.b * placement.c) }
  }

  private(set) var images: [PlacedImage] = []
  /// Bytes of text shown, roughly its letters.
  private(set) var visibleText = 0
  private(set) var hiddenText = 0
  private(set) var paintsVectors = false
  /// The content was longer or deeper than this looks into.
  private(set) var isCutShort = false
  /// It is made to keep a reader busy for ever: forms that draw forms that draw forms, or content that unpacks to more
  /// than a page can have.
  private(set) var isTrap = false

  /// Nothing is drawn but one picture, and nothing changes how that is drawn.
  var isOnePicture: Bool { images.count == 1 && isPlain && !isCutShort }
  private var isPlain = true

  private var operations = 0
  private var forms = 0
  /// The forms that are being walked, each on the one before.
  private var open: [Int] = []
  private static let formLimit = 50_000
  private static let operationLimit = 5_000_000
  private static let imageLimit = 10_000
  /// Operators that place a picture, and such as have no effect on it.
  private static let plain: Set<String> = [
    "q", "Q", "cm", "Do", "BMC", "EMC", "MP", "w", "J", "j", "M", "d", "i", "g", "G", "rg", "RG",
  ]

  init(_ page: PDFObject) {
    let contents = page["/Contents"]
    let parts = contents.isStream ? [contents] : contents.items
    if parts.contains(where: { $0.unpacks(beyond: PDFObject.contentLimit) }) {
      (isTrap, isCutShort) = (true, true)
      return
    }
    guard let content = page.pageContent() else { return }
    walk(content, resources: page["/Resources"], from: State(), depth: 0)
  }

  private struct State {
    var matrix = Affine.identity
    var renderMode = 0
  }

  private mutating func walk(_ content: [UInt8], resources: PDFObject, from start: State, depth: Int) {
    var state = start
    var saved: [State] = []
    for operation in ContentTokens(content) {
      if isTrap { return }
      operations += 1
      if operations > PageScan.operationLimit {
        isCutShort = true
        return
      }
      if !PageScan.plain.contains(operation.name) { isPlain = false }
      switch operation.name {
      case "q": if saved.count < 512 { saved.append(state) }
      case "Q": state = saved.popLast() ?? state
      case "cm":
        let n = operation.numbers
        if n.count == 6 { state.matrix = Affine(n[0], n[1], n[2], n[3], n[4], n[5]).then(state.matrix) }
      case "Tr": state.renderMode = Int(exactly: operation.numbers.first ?? 0) ?? 0
      case "Tj", "TJ", "'", "\"":
        if state.renderMode == 3 || state.renderMode == 7 {
          hiddenText += operation.textBytes
        } else {
          visibleText += operation.textBytes
        }
      case "f", "F", "f*", "B", "B*", "b", "b*", "S", "s", "sh": paintsVectors = true
      case "ID":
        let (width, height) = inlineSize(operation)
        add(PlacedImage(width: width, height: height, placement: state.matrix, isBilevel: false))
      case "Do":
        if let name = operation.firstName {
          draw(resources["/XObject"]["/" + name], resources: resources, state, depth: depth)
        }
      default: break
      }
    }
  }

  private mutating func draw(_ object: PDFObject, resources: PDFObject, _ state: State, depth: Int) {
    switch object["/Subtype"].name {
    case "/Image":
      let bilevel = object["/ImageMask"].boolean == true || object["/BitsPerComponent"].integer == 1
      add(
        PlacedImage(
          width: object["/Width"].integer ?? 0, height: object["/Height"].integer ?? 0, placement: state.matrix,
          isBilevel: bilevel, object: depth == 0 ? object : nil))
    case "/Form":
      isPlain = false
      forms += 1
      if forms > PageScan.formLimit { isTrap = true }
      // One that draws itself is drawn no further, by viewers neither.
      guard !isTrap, !open.contains(object.id), depth < 12, let content = object.decoded() else {
        isTrap = isTrap || object.unpacks(beyond: PDFObject.contentLimit)
        isCutShort = true
        return
      }
      open.append(object.id)
      defer { open.removeLast() }
      var inner = state
      if let n = object["/Matrix"].numbers(6) {
        inner.matrix = Affine(n[0], n[1], n[2], n[3], n[4], n[5]).then(state.matrix)
      }
      let own = object["/Resources"]
      walk(content, resources: own.isDictionary ? own : resources, from: inner, depth: depth + 1)
    default: isPlain = false
    }
  }

  private mutating func add(_ image: PlacedImage) {
    guard image.width > 0, image.height > 0, images.count < PageScan.imageLimit else { return }
    images.append(image)
  }

  private func inlineSize(_ operation: ContentOperation) -> (Int, Int) {
    var size = [0, 0]
    var key: String?
    for operand in operation.operands {
      switch operand {
      case .name(let name): key = name
      case .number(let value):
        if key == "W" || key == "Width" { size[0] = Int(exactly: value.rounded()) ?? 0 }
        if key == "H" || key == "Height" { size[1] = Int(exactly: value.rounded()) ?? 0 }
      default: break
      }
    }
    return (size[0], size[1])
  }
}

extension PDFObject {
  /// A page's content streams, decoded and joined; nil where there is none or it cannot be decoded.
  func pageContent() -> [UInt8]? {
    let contents = self["/Contents"]
    if contents.isStream { return contents.decoded() }
    var result: [UInt8] = []
    for part in contents.items {
      guard let bytes = part.decoded() else { continue }
      result += bytes
      result.append(10)
    }
    return result.isEmpty ? nil : result
  }
}

/// Takes the invisible text of earlier recognition out of a page.
enum HiddenText {
  static func remove(from page: PDFObject) throws {
    var seen: Set<Int> = []
    if let content = page.pageContent(), let cleaned = removed(from: content) {
      page.set("/Contents", page.file.indirect(page.file.stream(cleaned)))
    }
    removeInForms(page["/Resources"], &seen, depth: 0)
  }

  private static func removeInForms(_ resources: PDFObject, _ seen: inout Set<Int>, depth: Int) {
    guard depth < 12 else { return }
    let objects = resources["/XObject"]
    for key in objects.keys {
      let object = objects[key]
      guard object["/Subtype"].name == "/Form", object.id == 0 || seen.insert(object.id).inserted else { continue }
      if let content = object.decoded(), let cleaned = removed(from: content) {
        object.remove("/DecodeParms")
        object.replaceData(cleaned)
      }
      removeInForms(object["/Resources"], &seen, depth: depth + 1)
    }
  }

  /// Nil where nothing is hidden. A text object of which nothing shows goes as a whole.
  static func removed(from content: [UInt8]) -> [UInt8]? {
    var cuts: [Range<Int>] = []
    var mode = 0
    var saved: [Int] = []
    var objectStart: Int?
    var hidden: [Range<Int>] = []
    var shows = false
    for operation in ContentTokens(content) {
      switch operation.name {
      case "q": if saved.count < 512 { saved.append(mode) }
      case "Q": mode = saved.popLast() ?? mode
      case "Tr": mode = Int(exactly: operation.numbers.first ?? 0) ?? 0
      case "BT": (objectStart, hidden, shows) = (operation.range.lowerBound, [], false)
      case "Tj", "TJ", "'", "\"":
        if mode == 3 { hidden.append(operation.range) } else { shows = true }
      case "ET":
        if !hidden.isEmpty {
          if let objectStart, !shows {
            // The mode outlives the text object.
            cuts.append(objectStart..<operation.range.upperBound)
          } else {
            cuts += hidden
          }
        }
        objectStart = nil
        hidden = []
      default: break
      }
    }
    if cuts.isEmpty { return nil }
    var result: [UInt8] = []
    var at = 0
    for cut in cuts where cut.lowerBound >= at {
      result += content[at..<cut.lowerBound]
      result.append(10)
      at = cut.upperBound
    }
    return result + content[at...]
  }
}

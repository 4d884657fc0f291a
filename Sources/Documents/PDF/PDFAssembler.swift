import Foundation
import Frames

/// Makes the PDF of a document: its own pages with the text that was read laid invisibly under them.
public final class PDFAssembler {
  private let input: String
  private let file: PDFFile
  /// The pictures that the pages are made of; nil where the input is a PDF.
  private let pictures: PictureFile?
  private let maximumPixels: Int
  private var font: TextFont?
  /// How many pages of a picture file have been put into the PDF.
  private var placed = 0

  /// Why the output is no PDF/A although it was asked for; nil where it is one, or was not.
  public private(set) var archiveObstacle: String?
  private let becomesArchive: Bool
  private var isArchive = false

  /// Why the output is the input byte for byte; nil where text is added.
  public let seal: String?
  public let pageCount: Int
  /// What the output lacks of the input, by page counted from 0.
  public private(set) var losses: [(page: Int, text: String)] = []

  /// - Parameter becomesArchive: an existing PDF is to become a PDF/A-2b, where it can; pictures always do.
  public init(input: String, maximumPixels: Int, becomesArchive: Bool = false) throws {
    self.becomesArchive = becomesArchive
    self.input = input
    self.maximumPixels = maximumPixels
    if try Documents.isPDF(input) {
      file = try PDFFile(path: input)
      pictures = nil
      seal = file.seal
      pageCount = try file.pageCount()
      if seal == nil { try file.pushInheritedAttributes() }
    } else {
      let pictures = try PictureFile(path: input)
      file = try PDFFile(newNamed: (input as NSString).lastPathComponent)
      self.pictures = pictures
      seal = nil
      pageCount = pictures.pageCount
    }
    file.releaseObjects()
  }

  /// Adds what came of a page. Pages come in ascending order; those left out stay as they are.
  public func add(_ result: PageResult) throws {
    guard seal == nil, result.number < pageCount, result.number >= 0 else { return }
    defer { file.releaseObjects() }
    if let pictures {
      try place(pictures, upTo: result.number)
      try placePicture(pictures, result.number, result)
      placed = result.number + 1
    } else {
      try complete(file.page(result.number), result)
    }
  }

  /// Writes the PDF.
  public func write(to path: String) throws {
    if let seal {
      if becomesArchive { archiveObstacle = seal }
      try? FileManager.default.removeItem(atPath: path)
      do { try FileManager.default.copyItem(atPath: input, toPath: path) } catch {
        throw Failure("cannot copy the PDF (\(error.localizedDescription))", place: path, mayPass: true)
      }
      return
    }
    try font?.finish()
    if let pictures {
      try place(pictures, upTo: pageCount)
      try ArchiveForm.mark(file)
      isArchive = true
    } else if becomesArchive {
      try makeArchive()
    }
    file.releaseObjects()
    var options = PDFFile.WriteOptions()
    if isArchive { options = .init(minimumVersion: "1.7", packsObjects: true) }
    try file.write(to: path, options)
  }

  /// Reads a written PDF back. Throws `Failure` where it cannot be read or has other pages.
  public func verify(_ path: String) throws {
    if seal != nil { return }
    let written = try PDFFile(path: path)
    let count = try written.pageCount()
    guard count == pageCount else {
      throw Failure("the written PDF has \(count) pages instead of \(pageCount)", place: path)
    }
    try written.pushInheritedAttributes()
    for number in Set([0, pageCount / 2, pageCount - 1]) where number >= 0 {
      let frame = PageFrame(try written.page(number))
      guard frame.width > 0, frame.height > 0 else { throw Failure("the written PDF is damaged", place: path) }
    }
  }

  private func makeArchive() throws {
    let check = try ArchiveCheck(file)
    if let obstacle = check.obstacle {
      archiveObstacle = obstacle
      return
    }
    check.mend()
    try ArchiveForm.mark(file, title: file.trailer["/Info"]["/Title"].text)
    isArchive = true
  }

  // MARK: Pages of a PDF

  private func complete(_ page: PDFObject, _ result: PageResult) throws {
    if result.dropsHiddenText { try HiddenText.remove(from: page) }
    let frame = PageFrame(page)
    if let visible = result.visible {
      // The picture's unit square has its origin at the bottom left.
      let place = Affine(frame.width, 0, 0, -frame.height, 0, frame.height).then(frame.toUserSpace)
      try show(visible, at: place, on: page)
    }
    try layText(result, on: page, toUserSpace: frame.toUserSpace)
    if result.turn != 0 { page.set("/Rotate", file.integer((frame.rotation + result.turn) % 360)) }
    try file.check()
  }

  private func show(_ image: ImageStream, at place: Affine, on page: PDFObject) throws {
    let resources = try file.parsed("<< /XObject << >> >>")
    resources["/XObject"].set("/PipePage", try image.object(in: file))
    page.set("/Resources", resources)
    let numbers = [place.a, place.b, place.c, place.d, place.e, place.f].map(PDFNumber.text).joined(separator: " ")
    page.set("/Contents", file.stream(Array("q \(numbers) cm /PipePage Do Q\n".utf8)))
  }

  private func layText(_ result: PageResult, on page: PDFObject, toUserSpace: Affine) throws {
    guard let text = result.text, !result.hasOwnText else { return }
    let font = try self.font ?? TextFont(file)
    self.font = font
    guard let content = TextLayer(font: font, toUserSpace: toUserSpace).content(text) else { return }
    let layer =
      deflated(content).map { file.stream($0, filter: file.name("/FlateDecode")) } ?? file.stream(content)
    let old = page["/Contents"]
    page.set("/Contents", file.array([layer] + (old.isArray ? old.items : old.isStream ? [old] : [])))
    // Pages share dictionaries: only this page's copy gets the font.
    let resources = page["/Resources"].shallowCopy()
    let fonts = resources["/Font"].shallowCopy()
    fonts.set(TextFont.key, font.object)
    resources.set("/Font", fonts)
    page.set("/Resources", resources)
  }

  // MARK: Pages of a picture file

  private func place(_ pictures: PictureFile, upTo number: Int) throws {
    while placed < number {
      try placePicture(pictures, placed, nil)
      placed += 1
      file.releaseObjects()
    }
  }

  private func placePicture(_ pictures: PictureFile, _ number: Int, _ result: PageResult?) throws {
    let info = try pictures.info(number)
    let width = Double(info.width) * 72 / info.dpi.x
    let height = Double(info.height) * 72 / info.dpi.y
    let page = file.indirect(try file.parsed("<< /Type /Page /Resources << >> >>"))
    page.set("/MediaBox", file.array([file.integer(0), file.integer(0), file.real(width), file.real(height)]))
    let place = Affine(width, 0, 0, height, 0, 0)
    if let visible = result?.visible {
      try show(visible, at: place, on: page)
    } else {
      do {
        let (image, orientation) = try stream(pictures, number, info)
        try show(image, at: Affine.orientation(orientation).then(place), on: page)
      } catch let failure as Failure where pageCount > 1 {
        losses.append((number, failure.message))
      }
    }
    if let result {
      try layText(result, on: page, toUserSpace: Affine(1, 0, 0, -1, 0, height))
      if result.turn != 0 { page.set("/Rotate", file.integer(result.turn)) }
    }
    try file.addPage(page)
  }

  private func stream(
    _ pictures: PictureFile, _ number: Int, _ info: PictureFile.PageInfo
  ) throws -> (ImageStream, orientation: Int) {
    if let kept = ImageStream(pictures, page: number) { return (kept, info.orientation) }
    let isLossy = pictures.format == .webp || pictures.format == .jpeg || pictures.isJPEG(number)
    let pix = try pictures.shown(number, maximumPixels: maximumPixels)
    var image = try ImageStream(pix, quality: isLossy ? 90 : nil)
    image.profile = pictures.colourProfile(number, channels: image.channels)
    return (image, 1)
  }
}

extension Affine {
  /// From the unit square of samples as they lie in the file to that of the picture as shown, both with the origin at
  /// the bottom left, by EXIF's orientation.
  static func orientation(_ orientation: Int) -> Affine {
    switch orientation {
    case 2: Affine(-1, 0, 0, 1, 1, 0)
    case 3: Affine(-1, 0, 0, -1, 1, 1)
    case 4: Affine(1, 0, 0, -1, 0, 1)
    case 5: Affine(0, -1, -1, 0, 1, 1)
    case 6: Affine(0, -1, 1, 0, 0, 1)
    case 7: Affine(0, 1, 1, 0, 0, 0)
    case 8: Affine(0, 1, -1, 0, 1, 0)
    default: .identity
    }
  }
}

import Foundation
import Frames

/// What a picture file says beside its pixels, which FFmpeg 5.1 reads in part and writes hardly: it is taken from the
/// file's own structure and put into that of the output. ICC profiles go the same way out; FFmpeg reads them.
struct PictureTags {
  /// Of cameras; and what TIFF says of the picture.
  var exif: EXIF?
  /// Adobe's metadata, in XML.
  var xmp: [UInt8]?
  /// Photoshop's block of resources, where IPTC's captions and keywords lie.
  var photoshop: [UInt8]?
  var texts: [Text] = []
  /// The ICC profile, where FFmpeg does not read it right.
  var profile: [UInt8]?
  /// Pixels a metre, where both sides have the same.
  var density: Double?
  /// What is there and is not carried, in words.
  var left: [String] = []
  /// Names of compressed texts, which FFmpeg unpacks.
  var packedTexts: [String] = []
  /// Why FFmpeg 5.1, which does not say so itself, makes no picture of it but a black one.
  var obstacle: String?
  /// Pictures in the file, as far as they were counted.
  var pages = 1
  /// Whether the file says that it has no transparency, where FFmpeg gives some all the same.
  var isOpaque = false

  struct Text: Hashable, Codable {
    var name: String
    var value: String
  }

  /// More of one kind than this is no description of a picture.
  static let largest = 1 << 20

  init() {}

  /// What the file at `path` holds; nil where it is of another kind than PNG, JPEG, WebP and TIFF.
  init?(of path: String) {
    guard let file = FileHandle(forReadingAtPath: path) else { return nil }
    let reader = Reader(file: file)
    guard let head = reader.bytes(0, 12) else { return nil }
    if head.starts(with: PictureTags.pngSignature) {
      self.init(png: reader)
    } else if head.starts(with: [0xff, 0xd8]) {
      self.init(jpeg: reader)
    } else if head.starts(with: Array("RIFF".utf8)), head.suffix(4).elementsEqual("WEBP".utf8) {
      self.init(webp: reader)
    } else if head.starts(with: [0x49, 0x49, 42, 0]) || head.starts(with: [0x4d, 0x4d, 0, 42]) {
      self.init(tiff: reader, bigEndian: head[0] == 0x4d)
    } else {
      return nil
    }
    density = density ?? exif?.folder.flatMap(PictureTags.density)
  }

  var orientation: Orientation? { exif?.orientation.flatMap(Orientation.init(exif:)) }

  /// Bytes of a file, never more than there are.
  struct Reader {
    let file: FileHandle

    func bytes(_ offset: Int, _ count: Int) -> [UInt8]? {
      guard offset >= 0, count >= 0, count <= 1 << 24, (try? file.seek(toOffset: UInt64(offset))) != nil,
        let data = try? file.read(upToCount: count), data.count == count
      else { return count == 0 ? [] : nil }
      return Array(data)
    }
  }
}

// MARK: beside a frame

extension FrameSideData {
  // FFmpeg has no numbers for these.
  fileprivate static let exifType = -1, xmpType = -2, textType = -3, densityType = -4, photoshopType = -5

  /// Whether it is of a picture file: what films do not hold.
  public var isPictureTag: Bool {
    [FrameSideData.exifType, FrameSideData.xmpType, FrameSideData.textType, FrameSideData.photoshopType].contains(type)
  }

  static func tags(_ tags: PictureTags, width: Int, height: Int) -> [FrameSideData] {
    var result: [FrameSideData] = []
    if let exif = tags.exif { result.append(FrameSideData(type: exifType, bytes: exif.bytes)) }
    if let xmp = tags.xmp { result.append(FrameSideData(type: xmpType, bytes: xmp)) }
    if let photoshop = tags.photoshop { result.append(FrameSideData(type: photoshopType, bytes: photoshop)) }
    if !tags.texts.isEmpty, let json = try? JSONEncoder().encode(tags.texts) {
      result.append(FrameSideData(type: textType, bytes: Array(json)))
    }
    if let density = tags.density, width > 0, height > 0 {
      let perSide = density / (Double(width) * Double(height)).squareRoot()
      result.append(FrameSideData(type: densityType, bytes: Array(String(perSide).utf8)))
    }
    return result
  }
}

extension PictureTags {
  /// Those that came with a frame, for a picture of the given size: one that was enlarged keeps its size on paper.
  init(_ sideData: [FrameSideData], width: Int, height: Int) {
    func bytes(_ type: Int) -> [UInt8]? { sideData.first { $0.type == type }?.bytes }
    exif = bytes(FrameSideData.exifType).flatMap { EXIF($0) }
    xmp = bytes(FrameSideData.xmpType)
    photoshop = bytes(FrameSideData.photoshopType)
    texts = bytes(FrameSideData.textType).flatMap { try? JSONDecoder().decode([Text].self, from: Data($0)) } ?? []
    density = bytes(FrameSideData.densityType).flatMap { Double(String(decoding: $0, as: UTF8.self)) }.map {
      $0 * (Double(width) * Double(height)).squareRoot()
    }
    exif?.describe(width: width, height: height, density: density)
  }

  /// The picture file with these tags and the ICC profile in it, and what of them it cannot hold.
  func embedded(in file: [UInt8], _ format: PictureFormat, profile: [UInt8]?) -> (file: [UInt8], lost: [String]) {
    switch format {
    case .png: inPNG(file)
    case .jpeg: inJPEG(file)
    case .webp: inWebP(file, profile)
    case .tiff: inTIFF(file, profile)
    case .exr: (file, names + (profile == nil ? [] : ["the ICC profile"]))
    }
  }

  private var names: [String] {
    var names: [String] = []
    if exif != nil { names.append("the camera's tags (EXIF)") }
    if xmp != nil { names.append("XMP metadata") }
    if photoshop != nil { names.append("Photoshop's block (IPTC)") }
    names += texts.map { "the text '\($0.name)'" }
    return names
  }

  /// Tags of TIFF and EXIF that hold what PNG writes as texts.
  private static let textTags = [
    "description": 270, "title": 270, "comment": 270, "software": 305, "author": 315, "copyright": 33432,
  ]

  /// The camera's tags, with as many of the texts as there are tags for, and the names of the others.
  func folder() -> (folder: TagFolder, lost: [String]) {
    var folder = exif?.folder ?? TagFolder()
    var lost: [String] = []
    for text in texts {
      if let tag = PictureTags.textTags[text.name.lowercased()], folder[tag] == nil {
        folder.set(TagFolder.text(tag, text.value))
      } else {
        lost.append("the text '\(text.name)'")
      }
    }
    return (folder, lost)
  }
}

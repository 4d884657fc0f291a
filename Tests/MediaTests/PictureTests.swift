import Foundation
import Frames
import Testing

@testable import Media

/// Still pictures in and out.
@Suite struct PictureTests {
  private let scratch: Scratch
  init() throws { scratch = try Scratch() }

  private func bytes(_ path: String, _ format: String) throws -> Data {
    let raw = scratch.path("raw")
    try Tool.ffmpeg("-i \(path) -pix_fmt \(format) -f rawvideo", to: raw)
    return try Data(contentsOf: URL(filePath: raw))
  }

  @Test(arguments: ["rgb24", "rgba", "gray", "ya8", "gray16be", "pal8"], [PictureFormat.png, .tiff, .webp])
  func eightBitsComeBackUnchanged(pixels: String, format: PictureFormat) throws {
    if pixels == "gray16be" && format == .webp { return }
    let source = scratch.path("in.png")
    let noise = "geq=r='random(1)*255':g='random(2)*255':b='random(3)*255':a='random(4)*255'"
    try Tool.ffmpeg("-f lavfi -i color=s=67x45:d=1,format=rgba,\(noise) -frames:v 1 -pix_fmt \(pixels)", to: source)
    let reader = try VideoReader(source)
    let frame = try #require(try reader.read())
    #expect(try reader.read() == nil)
    let target = scratch.path("out." + format.rawValue)
    let depth = reader.streams[0].codedDepth.map { $0 > 8 ? 16 : 8 }
    try PictureWriter(format, quality: 100, depth: depth).write(frame.picture, to: target)
    let common = pixels == "gray16be" ? "gray16be" : frame.picture.format.alpha ? "rgba" : "rgb24"
    #expect(try bytes(source, common) == bytes(target, common))
  }

  /// FFmpeg 5.1 makes black pictures of these, and says nothing.
  @Test(arguments: ["tiles", "JPEG"]) func whatWouldBecomeBlackIsRefused(kind: String) throws {
    let source = scratch.path("in.tif")
    try Tool.ffmpeg("-f lavfi -i testsrc=s=64x48 -frames:v 1 -pix_fmt rgb24", to: source)
    var file = [UInt8](try Data(contentsOf: URL(filePath: source)))
    for entry in entries(file) {
      let tag = Int(file[entry]) | Int(file[entry + 1]) << 8
      // Compression, and the rows of a strip, which become the places of tiles.
      if kind == "JPEG", tag == 259 { file.replaceSubrange(entry + 8..<entry + 10, with: [7, 0]) }
      if kind == "tiles", tag == 278 { file.replaceSubrange(entry..<entry + 2, with: [0x44, 0x01]) }
    }
    try Data(file).write(to: URL(filePath: source))
    let failure = #expect(throws: Failure.self) { try VideoReader(source) }
    #expect(failure?.message.contains(kind) == true && failure?.advice?.contains("tiffcp") == true)
  }

  @Test(arguments: [(0, true), (1, false)]) func laterPagesAreNamedAsLost(kind: UInt8, isPage: Bool) throws {
    let source = scratch.path("in.tif")
    try Tool.ffmpeg("-f lavfi -i testsrc=s=64x48 -frames:v 1 -pix_fmt rgb24", to: source)
    var file = [UInt8](try Data(contentsOf: URL(filePath: source)))
    let list = entries(file)
    let (start, end) = (list[0] - 2, list[0] + 12 * list.count)
    if file.count % 2 != 0 { file.append(0) }
    let copy = file.count
    // The folder again, behind the file, with the kind of the picture (NewSubfileType) in place of the resolution's.
    file += file[start..<end] + [0, 0, 0, 0]
    for index in list.indices {
      let entry = copy + 2 + 12 * index
      if Int(file[entry]) | Int(file[entry + 1]) << 8 == 254 {
        file[entry + 8] = kind
      } else if index == list.count - 1 {
        file.replaceSubrange(entry..<entry + 12, with: [254, 0, 4, 0, 1, 0, 0, 0, kind, 0, 0, 0])
      }
    }
    file.replaceSubrange(end..<end + 4, with: (0..<4).map { UInt8(truncatingIfNeeded: copy >> (8 * $0)) })
    try Data(file).write(to: URL(filePath: source))
    let reader = try VideoReader(source)
    #expect(reader.notes.contains { $0.kind == .loss && $0.text.contains("2 pages") } == isPage, "\(reader.notes)")
  }

  /// Where each entry of a little-endian TIFF's first folder begins.
  private func entries(_ file: [UInt8]) -> [Int] {
    let start = (0..<4).reduce(0) { $0 | Int(file[4 + $1]) << (8 * $1) }
    return (0..<Int(file[start]) | Int(file[start + 1]) << 8).map { start + 2 + 12 * $0 }
  }

  @Test func everyColourOfEightBitsSurvivesTheWayThroughLuma() {
    for depth in [10, 12, 16] {
      let matrix = RGBMatrix(Colour(range: .limited, matrix: 6), depth: depth, rgbDepth: 8)
      var wrong = 0
      for r in stride(from: 0, through: 255, by: 3) {
        for g in stride(from: 0, through: 255, by: 5) {
          for b in stride(from: 0, through: 255, by: 3) {
            let (y, u, v) = matrix.yuv(Int64(r), Int64(g), Int64(b))
            let back = matrix.rgb(Int64(y), Int64(u), Int64(v))
            if (Int(back.0), Int(back.1), Int(back.2)) != (r, g, b) { wrong += 1 }
          }
        }
      }
      #expect(wrong == 0, "\(depth) bits")
    }
  }

  @Test func aPhotographStaysALikeThroughJPEG() throws {
    let (source, target) = (scratch.path("in.jpg"), scratch.path("out.jpg"))
    try Tool.ffmpeg("-f lavfi -i testsrc2=s=128x96:d=1,gblur=2 -frames:v 1 -q:v 2 -pix_fmt yuvj420p", to: source)
    let frame = try #require(try VideoReader(source).read())
    try PictureWriter(.jpeg, quality: 95).write(frame.picture, to: target)
    let (a, b) = (try bytes(source, "gray"), try bytes(target, "gray"))
    #expect(a.count == b.count)
    #expect(zip(a, b).map { abs(Int($0) - Int($1)) }.reduce(0, +) < a.count * 2)
    #expect(try Tool.probe(target, "v:0", "stream=pix_fmt") == ["yuvj420p"])
  }

  @Test func aFullRangePictureKeepsWhiteAsPNG() throws {
    let source = scratch.path("in.jpg")
    try Tool.ffmpeg("-f lavfi -i color=white:s=32x32:d=1 -frames:v 1 -q:v 1 -pix_fmt yuvj420p", to: source)
    let frame = try #require(try VideoReader(source).read())
    try PictureWriter(.png).write(frame.picture, to: scratch.path("out.png"))
    #expect(try bytes(scratch.path("out.png"), "rgb24").allSatisfy { $0 == 255 })
  }
}

@Suite struct OrientationTests {
  /// 3x2, samples numbered.
  private let picture = Picture(width: 3, height: 2, format: PixelFormat(.none)) { planes in
    for y in 0..<2 { for x in 0..<3 { planes[0].row(y, as: UInt8.self)[x] = UInt8(3 * y + x) } }
  }

  private func rows(_ picture: Picture) -> [[UInt8]] {
    picture.withPlanes { planes in
      (0..<picture.height).map { y in (0..<picture.width).map { planes[0].row(y, as: UInt8.self)[$0] } }
    }
  }

  @Test(
    arguments: [
      (1, [[0, 1, 2], [3, 4, 5]]), (2, [[2, 1, 0], [5, 4, 3]]), (3, [[5, 4, 3], [2, 1, 0]]),
      (4, [[3, 4, 5], [0, 1, 2]]),
      (5, [[0, 3], [1, 4], [2, 5]]), (6, [[3, 0], [4, 1], [5, 2]]), (7, [[5, 2], [4, 1], [3, 0]]),
      (8, [[2, 5], [1, 4], [0, 3]]),
    ] as [(Int, [[UInt8]])])
  func eachOfTheEightIsAsEXIFSays(code: Int, expected: [[UInt8]]) throws {
    let orientation = try #require(Orientation(exif: code))
    #expect(rows(picture.turned(orientation)) == expected)
    #expect(Orientation(displayMatrix: orientation.displayMatrix) == orientation)
  }
}

@Suite struct PixelFormatChoiceTests {
  private let offered = [
    PixelFormat(.yuv420), PixelFormat(.yuv422), PixelFormat(.yuv444), PixelFormat(.yuv420, depth: 10),
    PixelFormat(.yuv444, depth: 10), PixelFormat(.yuv444, depth: 12), PixelFormat(.none),
  ]

  @Test func nothingIsLostWhereItNeedNotBe() {
    #expect(PixelFormat(.yuv420).nearest(in: offered, depth: nil) == PixelFormat(.yuv420))
    #expect(PixelFormat(.yuv422, depth: 10).nearest(in: offered, depth: nil) == PixelFormat(.yuv444, depth: 10))
    #expect(PixelFormat(.yuv411).nearest(in: offered, depth: nil) == PixelFormat(.yuv422))
    #expect(PixelFormat(.yuv440).nearest(in: offered, depth: nil) == PixelFormat(.yuv444))
    #expect(PixelFormat(.yuv444, depth: 16).nearest(in: offered, depth: 10) == PixelFormat(.yuv444, depth: 10))
    #expect(PixelFormat(.none).nearest(in: offered, depth: nil) == PixelFormat(.none))
  }
}

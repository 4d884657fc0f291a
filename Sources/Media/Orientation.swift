import Frames

/// One of the eight ways to lay a picture down: transposed or not, then mirrored across, then down.
public struct Orientation: Sendable, Hashable {
  public var transposed: Bool
  public var mirrored: Bool
  public var flipped: Bool

  public init(transposed: Bool = false, mirrored: Bool = false, flipped: Bool = false) {
    (self.transposed, self.mirrored, self.flipped) = (transposed, mirrored, flipped)
  }

  public static let upright = Orientation()

  /// What a display matrix asks for; nil where it asks for something else than quarter turns and mirrors.
  public init?(displayMatrix matrix: [Int32]) {
    guard matrix.count == 9 else { return nil }
    let (a, b, c, d) = (Int64(matrix[0]), Int64(matrix[1]), Int64(matrix[3]), Int64(matrix[4]))
    // A degree of skew is taken as none.
    if abs(a) > 57 * abs(b), abs(d) > 57 * abs(c) {
      self.init(mirrored: a < 0, flipped: d < 0)
    } else if abs(b) > 57 * abs(a), abs(c) > 57 * abs(d) {
      self.init(transposed: true, mirrored: c < 0, flipped: b < 0)
    } else {
      return nil
    }
  }

  /// EXIF's orientation, 1 to 8.
  init?(exif: Int) {
    switch exif {
    case 1: self.init()
    case 2: self.init(mirrored: true)
    case 3: self.init(mirrored: true, flipped: true)
    case 4: self.init(flipped: true)
    case 5: self.init(transposed: true)
    case 6: self.init(transposed: true, mirrored: true)
    case 7: self.init(transposed: true, mirrored: true, flipped: true)
    case 8: self.init(transposed: true, flipped: true)
    default: return nil
    }
  }

  /// The matrix that asks for it, without translation.
  var displayMatrix: [Int32] {
    let (x, y): (Int32, Int32) = (mirrored ? -65536 : 65536, flipped ? -65536 : 65536)
    return transposed ? [0, y, 0, x, 0, 0, 0, 0, 1 << 30] : [x, 0, 0, 0, y, 0, 0, 0, 1 << 30]
  }
}

extension Picture {
  /// The picture with its samples laid as `orientation` asks: the same samples, elsewhere.
  public func turned(_ orientation: Orientation) -> Picture {
    guard orientation != .upright else { return self }
    let turn = orientation.transposed
    var colour = self.colour
    colour.chromaLocation = Picture.turnedChromaLocation(colour.chromaLocation, orientation)
    return Picture(
      width: turn ? height : width, height: turn ? width : height, format: format.turned(orientation), colour: colour,
      sampleAspectRatio: turn && sampleAspectRatio.isValid ? sampleAspectRatio.inverse : sampleAspectRatio
    ) { targets in
      withPlanes { sources in
        for (source, target) in zip(sources, targets) {
          if format.bytesPerSample == 1 {
            turnPlane(source, target, orientation, UInt8.self)
          } else {
            turnPlane(source, target, orientation, UInt16.self)
          }
        }
      }
    }
  }

  /// FFmpeg's codes: 1 left, 2 centre, 3 top left, 4 top, 5 bottom left, 6 bottom. Right of the centre has no name.
  static func turnedChromaLocation(_ location: Int, _ orientation: Orientation) -> Int {
    let places: [(x: Int, y: Int)] = [(-1, 0), (0, 0), (-1, -1), (0, -1), (-1, 1), (0, 1)]
    guard (1...6).contains(location) else { return location }
    var place = places[location - 1]
    if orientation.transposed { place = (place.y, place.x) }
    if orientation.mirrored { place.x = -place.x }
    if orientation.flipped { place.y = -place.y }
    return places.firstIndex { $0 == place }.map { $0 + 1 } ?? 0
  }
}

extension PixelFormat {
  /// The format of a picture of this one after a turn: chroma that is halved across is then halved down.
  func turned(_ orientation: Orientation) -> PixelFormat {
    guard orientation.transposed else { return self }
    var result = self
    if chroma == .yuv422 { result.chroma = .yuv440 }
    if chroma == .yuv440 { result.chroma = .yuv422 }
    return result
  }
}

/// Tiles keep both sides of a quarter turn in the cache.
private func turnPlane<Sample>(_ source: Plane, _ target: MutablePlane, _ orientation: Orientation, _: Sample.Type) {
  let tile = 32
  for top in stride(from: 0, to: target.height, by: tile) {
    for left in stride(from: 0, to: target.width, by: tile) {
      for y in top..<min(top + tile, target.height) {
        let row = target.row(y, as: Sample.self)
        let v = orientation.flipped ? target.height - 1 - y : y
        for x in left..<min(left + tile, target.width) {
          let u = orientation.mirrored ? target.width - 1 - x : x
          let (sx, sy) = orientation.transposed ? (v, u) : (u, v)
          row[x] = source.row(min(sy, source.height - 1), as: Sample.self)[min(sx, source.width - 1)]
        }
      }
    }
  }
}

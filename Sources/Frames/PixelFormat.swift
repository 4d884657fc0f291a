/// How the samples of a picture are laid out: planar luma, chroma at full or reduced size, maybe alpha.
///
/// RGB sources become 4:4:4 with enough bits to come back unchanged, so that stages need not know of RGB.
public struct PixelFormat: Sendable, Hashable, Codable, CustomStringConvertible {
  public enum Chroma: String, Sendable, Hashable, Codable {
    case none, yuv420, yuv422, yuv444, yuv440, yuv411, yuv410

    /// log2 of (luma width / chroma width, luma height / chroma height)
    public var shift: (x: Int, y: Int) {
      switch self {
      case .none, .yuv444: (0, 0)
      case .yuv420: (1, 1)
      case .yuv422: (1, 0)
      case .yuv440: (0, 1)
      case .yuv411: (2, 0)
      case .yuv410: (2, 2)
      }
    }
  }

  public var chroma: Chroma
  /// Bits a sample, 8 to 16. Eight are stored in a byte, more in the low bits of a native-endian `UInt16`.
  public var depth: Int
  /// Whether a last plane, of luma's size, holds opacity.
  public var alpha: Bool

  public init(_ chroma: Chroma, depth: Int = 8, alpha: Bool = false) {
    precondition((8...16).contains(depth), "a sample has 8 to 16 bits")
    self.chroma = chroma
    self.depth = depth
    self.alpha = alpha
  }

  public var bytesPerSample: Int { depth > 8 ? 2 : 1 }
  public var maximum: Int { 1 << depth - 1 }
  public var planeCount: Int { (chroma == .none ? 1 : 3) + (alpha ? 1 : 0) }
  public var alphaPlane: Int? { alpha ? planeCount - 1 : nil }

  /// The size in samples of plane `index` of a picture; chroma is rounded up, as every codec does.
  public func planeSize(_ index: Int, width: Int, height: Int) -> (width: Int, height: Int) {
    guard (chroma != .none) && (index == 1 || index == 2) else { return (width, height) }
    let (x, y) = chroma.shift
    return ((width + (1 << x) - 1) >> x, (height + (1 << y) - 1) >> y)
  }

  public var description: String {
    "\(chroma == .none ? "gray" : chroma.rawValue)\(alpha ? "+alpha" : "") \(depth) bit"
  }
}

/// What the numbers of a picture mean. Codes are those of ITU-T H.273, which FFmpeg's enumerations share;
/// 2 is "unspecified". They are carried, not interpreted, unless a stage has to.
public struct Colour: Sendable, Hashable, Codable {
  public enum Range: String, Sendable, Hashable, Codable { case unspecified, limited, full }

  public var range: Range
  public var matrix: Int
  public var primaries: Int
  public var transfer: Int
  /// FFmpeg's `AVChromaLocation`: 0 unspecified, 1 left, 2 centre, 3 top-left …
  public var chromaLocation: Int

  public init(
    range: Range = .unspecified, matrix: Int = 2, primaries: Int = 2, transfer: Int = 2, chromaLocation: Int = 0
  ) {
    self.range = range
    self.matrix = matrix
    self.primaries = primaries
    self.transfer = transfer
    self.chromaLocation = chromaLocation
  }

  public static let unspecified = Colour()

  /// What red, green and blue weigh in luma; BT.601's where the matrix is not known. They add up to 1.
  public var lumaWeights: (red: Double, green: Double, blue: Double) {
    let (red, blue): (Double, Double) =
      switch matrix {
      case 1: (0.2126, 0.0722)
      case 4: (0.30, 0.11)
      case 7: (0.212, 0.087)
      case 9, 10: (0.2627, 0.0593)
      default: (0.299, 0.114)
      }
    return (red, 1 - red - blue, blue)
  }

  /// SMPTE ST 2084, the curve of HDR10.
  public var isPQ: Bool { transfer == 16 }
  /// ARIB STD-B67, hybrid log-gamma.
  public var isHLG: Bool { transfer == 18 }
}

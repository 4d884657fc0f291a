import Foundation

/// A linear map of the plane: x' = a·x + c·y + e, y' = b·x + d·y + f.
public struct Affine: Sendable, Hashable, Codable {
  public var a, b, c, d, e, f: Double

  public init(_ a: Double, _ b: Double, _ c: Double, _ d: Double, _ e: Double, _ f: Double) {
    (self.a, self.b, self.c, self.d, self.e, self.f) = (a, b, c, d, e, f)
  }

  public static let identity = Affine(1, 0, 0, 1, 0, 0)
  public static func scale(_ x: Double, _ y: Double) -> Affine { Affine(x, 0, 0, y, 0, 0) }
  public static func move(_ x: Double, _ y: Double) -> Affine { Affine(1, 0, 0, 1, x, y) }
  /// By an angle in radians, from the x axis towards the y axis.
  public static func rotation(_ angle: Double) -> Affine {
    Affine(cos(angle), sin(angle), -sin(angle), cos(angle), 0, 0)
  }

  /// This map, then `next`.
  public func then(_ next: Affine) -> Affine {
    let x = next.direction(a, b)
    let y = next.direction(c, d)
    let origin = next.point(e, f)
    return Affine(x.x, x.y, y.x, y.y, origin.x, origin.y)
  }

  public func point(_ x: Double, _ y: Double) -> (x: Double, y: Double) { (a * x + c * y + e, b * x + d * y + f) }
  /// Without the shift of the origin.
  public func direction(_ x: Double, _ y: Double) -> (x: Double, y: Double) { (a * x + c * y, b * x + d * y) }

  /// The smallest upright box around the image of `box`.
  public func bounds(_ box: Box) -> Box {
    let corners = [
      point(box.x, box.y), point(box.x + box.width, box.y), point(box.x, box.y + box.height),
      point(box.x + box.width, box.y + box.height),
    ]
    let (xs, ys) = (corners.map(\.x), corners.map(\.y))
    let (left, top) = (xs.min()!, ys.min()!)
    return Box(x: left, y: top, width: xs.max()! - left, height: ys.max()! - top)
  }

  /// Nil where the map is not reversible.
  public var inverse: Affine? {
    let determinant = a * d - b * c
    guard determinant.isFinite, abs(determinant) > 1e-12 else { return nil }
    return Affine(
      d / determinant, -b / determinant, -c / determinant, a / determinant, (c * f - d * e) / determinant,
      (b * e - a * f) / determinant)
  }
}

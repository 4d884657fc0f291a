import Foundation

/// A scale with which one fused product gives the codes of a rounded product that is then rounded to a whole number.
///
/// `(2^23 + shift + sum) · scale + offset`, rounded once, is a float of 1.5 · 2^23 + code: its low bits are the code. Two
/// things could make codes differ from those of the definition, `round(float(sum · scale))`: the definition's first
/// rounding where it ends halfway between codes, and that `offset` is a whole number. So scales are sought, a few units in
/// the last place from what a model states, and shifts, for which no sum comes that close.
public struct FusedScale: Sendable, Equatable {
  public let scale: Float
  /// What sums begin at, beside their bias and the bits of 2^23.
  public let shift: Int32
  public let offset: Float

  /// Bits of 1.5 · 2^23 are 0 below.
  private static let whole = 0x1.8p23

  /// A channel that is always 0.
  public static let zero = FusedScale(scale: 0, shift: 0, offset: Float(FusedScale.whole))

  private init(scale: Float, shift: Int32, offset: Float) {
    self.scale = scale
    self.shift = shift
    self.offset = offset
  }

  /// - Parameters:
  ///   - scale: at least 0.
  ///   - largestSum: the magnitude that no sum exceeds.
  /// - Returns: nil where there is no such shift, or codes may exceed 16 bits before they saturate.
  public init?(_ scale: Float, largestSum: Int) {
    guard scale != 0 else {
      self = .zero
      return
    }
    guard (0x1p-20...1).contains(scale), largestSum < 1 << 23, Double(scale) * Double(largestSum) < 0x7FFF else {
      return nil
    }
    let (low, high) = FusedScale.tolerance(scale, largestSum: largestSum)
    guard low < high else { return nil }
    let real = Double(scale)
    let begin = (0x1p23 * real).rounded(.up)
    for step in 0..<4096 {
      let target = begin + Double(step)
      let place = (target / real).rounded()
      guard place <= Double(1 << 24 - 1 - largestSum) else { return nil }
      // Exact: a product of two floats, and its difference from a whole number near it.
      let error = place * real - target
      guard place >= 0x1p23, low < error, error < high else { continue }
      self.init(scale: scale, shift: Int32(place - 0x1p23), offset: Float(FusedScale.whole - target))
      return
    }
    return nil
  }

  /// The nearest scale that can be fused; the same where there is none among the nearest.
  public static func scale(near scale: Float, largestSum: Int) -> Float {
    var (below, above) = (scale, scale)
    for _ in 0..<32 {
      for candidate in below == above ? [scale] : [above, below] where candidate > 0 {
        if FusedScale(candidate, largestSum: largestSum) != nil { return candidate }
      }
      (below, above) = (below.nextDown, above.nextUp)
    }
    return scale
  }

  /// What may be added to exact products, between two bounds, without another code for any sum.
  private static func tolerance(_ scale: Float, largestSum: Int) -> (Double, Double) {
    let real = Double(scale)
    var (low, high) = (-0.5, 0.5)
    for code in 0..<255 {
      let edge = Double(code) + 0.5
      // The least sum whose code is above.
      var sum = (edge / real).rounded(.down)
      guard sum <= Double(largestSum) else { break }
      while (Float(sum) * scale).rounded(.toNearestOrEven) <= Float(code) { sum += 1 }
      while (Float(sum - 1) * scale).rounded(.toNearestOrEven) > Float(code) { sum -= 1 }
      low = max(low, edge - sum * real)
      high = min(high, edge - (sum - 1) * real)
    }
    return (low, high)
  }
}

/// An exact fraction, as media containers state time bases, frame rates and aspect ratios.
public struct Rational: Sendable, Hashable, Codable, CustomStringConvertible {
  public var numerator: Int
  public var denominator: Int

  public init(_ numerator: Int, _ denominator: Int) {
    self.numerator = numerator
    self.denominator = denominator
  }

  public var isValid: Bool { numerator > 0 && denominator > 0 }
  public var value: Double { Double(numerator) / Double(denominator) }
  public var inverse: Rational { Rational(denominator, numerator) }
  public var description: String { "\(numerator)/\(denominator)" }
}

/// A point in time: `value` counted in units of `timeBase` seconds, carried unchanged from source to output.
public struct Timestamp: Sendable, Hashable, Codable {
  public var value: Int
  public var timeBase: Rational

  public init(_ value: Int, timeBase: Rational) {
    self.value = value
    self.timeBase = timeBase
  }

  public var seconds: Double { Double(value) * timeBase.value }
}

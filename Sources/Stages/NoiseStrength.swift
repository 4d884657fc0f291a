import Frames
import Pipeline

/// The noise level of each plane of a stream: what the pipeline says, or what is measured, steady over a shot.
final class NoiseStrength {
  private let strength: Automatic
  private let isWanted: Bool
  private var trackers: [Int: NoiseTracker] = [:]
  /// The first plane's level, for those that are too small to tell, and where it was measured.
  private var first: (level: Double, blocks: [Int]) = (0, [])

  /// - Parameter isWanted: whether the network wants to be told. One that finds out for itself is shown every plane.
  init(_ strength: Automatic, isWanted: Bool) { (self.strength, self.isWanted) = (strength, isWanted) }

  func forget() { trackers = [:] }

  /// In levels of eight bits.
  ///
  /// - Parameters:
  ///   - share: what independent noise of 1 on red, green and blue makes on this plane.
  ///   - sharesBlocks: whether all planes have one size, and are to be measured where the first one is.
  func level(of plane: Plane, _ index: Int, depth: Int, share: Double, sharesBlocks: Bool = false) -> Double {
    guard isWanted else { return 255 }
    if case .value(let sigma) = strength { return sigma * share }
    if index == 0 { first = (0, []) }
    guard let estimate = NoiseEstimate(plane, depth: depth, in: index > 0 && sharesBlocks ? first.blocks : nil) else {
      return first.level
    }
    let level = min(trackers[index, default: NoiseTracker()].update(estimate), 75)
    if index == 0 { first = (level, estimate.blocks) }
    return level
  }
}

/// What independent noise of 1 on red, green and blue makes on luma and chroma.
struct NoiseShares {
  /// Of luma, and of Cb and Cr where there is chroma.
  let planes: [Double]

  init(_ colour: Colour, hasChroma: Bool) {
    let full = colour.range == .full
    guard hasChroma else {
      planes = [full ? 1 : 219.0 / 255]
      return
    }
    let (kr, kg, kb) = colour.lumaWeights
    let (ySpan, cSpan) = full ? (1.0, 1.0) : (219.0 / 255, 224.0 / 255)
    planes = [
      ySpan * (kr * kr + kg * kg + kb * kb).squareRoot(),
      cSpan * (kr * kr + kg * kg + (1 - kb) * (1 - kb)).squareRoot() / (2 * (1 - kb)),
      cSpan * (kb * kb + kg * kg + (1 - kr) * (1 - kr)).squareRoot() / (2 * (1 - kr)),
    ]
  }
}

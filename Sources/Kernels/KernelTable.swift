import CKernelSupport
import Foundation
import KernelBody
import KernelsBaseline

#if arch(x86_64)
  import KernelsAVX2
  import KernelsAVXVNNI
  import KernelsVNNI
#endif

public typealias ConvolutionRow = KernelBody.ConvolutionRow
public typealias SquareRows = KernelBody.SquareRows
public typealias Requantisation = KernelBody.Requantisation
public typealias CodeRange = KernelBody.CodeRange
public typealias FinishingRow = KernelBody.FinishingRow
public typealias FinishingArithmetic = KernelBody.FinishingArithmetic

/// The kernels of one level, and what packing weights for them has to know.
public struct KernelTable: Sendable {
  public var level: KernelLevel
  public var convolve: @Sendable (UnsafePointer<ConvolutionRow>) -> Void
  public var finish: @Sendable (UnsafePointer<FinishingRow>) -> Void
  /// Multiplies from registers: pixels, weights, 1024 sums, iterations; returns the multiply-accumulates done.
  public var multiplyAtPeak:
    @Sendable (UnsafePointer<UInt8>, UnsafePointer<Int8>, UnsafeMutablePointer<Int32>, Int) -> Int
  /// Blocks of sixteen channels that one pass computes best.
  public var widestBlocks: Int
  /// Whether neighbouring taps are faster together than one by one, because they share what they load.
  public var joinsTaps: Bool
  /// Whether codes that need but be scaled and saturated are made with `FusedScale`.
  public var fusesScales = false
  /// Whether `ConvolutionRow` may have `quads` and an `outputPlane`.
  public var hasQuads = false
  /// Bytes of an element of a tensor and of a weight: 1 or 2.
  public var elementBytes: Int

  /// 3x3 convolutions by squares; nil where there are none.
  public var squares: Squares?

  public struct Squares: Sendable {
    public var convolve: @Sendable (UnsafePointer<SquareRows>) -> Void
    /// What is to be done for each square beside its products, in multiply instructions of the plain kernels: for sixteen
    /// input channels, and for sixteen outputs.
    public var inputCost, outputCost: Int
  }

  /// The highest level of this processor, unless the environment variable `PIPE_CPU` lowers it.
  public static let current = table(for: KernelLevel.current)

  /// Every level that this processor can run, lowest first.
  public static var available: [KernelTable] {
    KernelLevel.available.map(table(for:))
  }

  static func table(for level: KernelLevel) -> KernelTable {
    #if arch(x86_64)
      switch level {
      case .vnni:
        return KernelTable(
          level: .vnni, convolve: { convolveVNNI($0) }, finish: { finishVNNI($0) },
          multiplyAtPeak: { multiplyAtPeakVNNI($0, $1, $2, $3) }, widestBlocks: 2, joinsTaps: true, fusesScales: true,
          hasQuads: true, elementBytes: 1)
      case .avxVNNI:
        return KernelTable(
          level: .avxVNNI, convolve: { convolveAVXVNNI($0) }, finish: { finishAVXVNNI($0) },
          multiplyAtPeak: { multiplyAtPeakAVXVNNI($0, $1, $2, $3) }, widestBlocks: 1, joinsTaps: false,
          elementBytes: 1,
          squares: .init(
            convolve: { convolveSquaresAVXVNNI($0) }, inputCost: 102, outputCost: 178))
      case .avx2:
        return KernelTable(
          level: .avx2, convolve: { convolveAVX2($0) }, finish: { finishAVX2($0) },
          multiplyAtPeak: { multiplyAtPeakAVX2($0, $1, $2, $3) }, widestBlocks: 1, joinsTaps: false, elementBytes: 2,
          squares: .init(convolve: { convolveSquaresAVX2($0) }, inputCost: 51, outputCost: 89))
      case .baseline: break
      }
    #endif
    #if arch(x86_64) || arch(arm64)
      let elementBytes = 2
      let squares = Squares(
        convolve: { convolveSquaresBaseline($0) }, inputCost: 51, outputCost: 100)
    #else
      let elementBytes = 1
      let squares: Squares? = nil
    #endif
    return KernelTable(
      level: .baseline, convolve: { convolveBaseline($0) }, finish: { finishBaseline($0) },
      multiplyAtPeak: { multiplyAtPeakBaseline($0, $1, $2, $3) }, widestBlocks: 1, joinsTaps: false,
      elementBytes: elementBytes, squares: squares)
  }
}

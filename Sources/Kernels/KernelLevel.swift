import CKernelSupport
import Foundation

/// The vector levels, lowest first. The baseline is what every processor of the architecture has: SSE2 on x86-64, NEON on
/// arm64, plain Swift elsewhere.
public enum KernelLevel: Int, Sendable, Comparable, CaseIterable, CustomStringConvertible {
  case baseline, avx2, avxVNNI, vnni

  public static func < (left: KernelLevel, right: KernelLevel) -> Bool { left.rawValue < right.rawValue }

  public var description: String {
    switch self {
    case .baseline: "baseline"
    case .avx2: "avx2"
    case .avxVNNI: "avx-vnni"
    case .vnni: "vnni"
    }
  }

  /// The highest that the processor and the operating system allow.
  public static let highest: KernelLevel = {
    #if arch(x86_64)
      switch pipe_cpu_level() {
      case Int32(PipeCPULevelVNNI.rawValue): return .vnni
      case Int32(PipeCPULevelAVXVNNI.rawValue): return .avxVNNI
      case Int32(PipeCPULevelAVX2.rawValue): return .avx2
      default: return .baseline
      }
    #else
      return .baseline
    #endif
  }()

  /// All that this processor can run, lowest first. AVX-512 processors need not have the 256-bit dot products.
  public static var available: [KernelLevel] {
    allCases.filter { $0 <= highest && ($0 != .avxVNNI || pipe_cpu_has_avx_vnni() != 0) }
  }

  /// `highest`, lowered by `PIPE_CPU`. A value that names no level is ignored, and so is one above `highest`.
  public static let current: KernelLevel = {
    let wanted = ProcessInfo.processInfo.environment["PIPE_CPU"]
    return available.first { $0.description == wanted } ?? highest
  }()
}

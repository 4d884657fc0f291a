import Documents
import Frames
import Pipeline

/// Handles that are dear to open, lent to one thread at a time and kept between jobs.
final class ToolShed<Key: Hashable & Sendable, Tool>: @unchecked Sendable {
  // Unchecked: a tool is either in `idle`, behind its lock, or with the one thread that borrowed it.
  private let idle = Locked<[Key: [Kept]]>([:])
  private let make: @Sendable (Key) throws -> Tool
  /// After so many uses a tool is thrown away, lest it grow.
  private let uses: Int
  private struct Kept: @unchecked Sendable {
    let tool: Tool
    var uses = 0
  }

  init(uses: Int, _ make: @escaping @Sendable (Key) throws -> Tool) {
    self.uses = uses
    self.make = make
  }

  func withTool<Result>(_ key: Key, _ body: (Tool) throws -> Result) throws -> Result {
    var kept = try idle.withLock { $0[key]?.popLast() } ?? Kept(tool: make(key))
    let result = try body(kept.tool)
    kept.uses += 1
    // A tool whose use has failed is not used again.
    if kept.uses < uses { idle.withLock { $0[key, default: []].append(kept) } }
    return result
  }
}

extension ToolShed where Key == RecogniserOptions, Tool == Recogniser {
  // A handle grows by a sixth of a megabyte a page, and to open one takes a tenth of a second.
  static let recognisers = ToolShed(uses: 40) { try Recogniser($0) }
}

extension ToolShed where Key == Bool, Tool == OrientationDetector {
  static let detectors = ToolShed(uses: 200) { _ in try OrientationDetector() }
  func withTool<Result>(_ body: (Tool) throws -> Result) throws -> Result { try withTool(true, body) }
}

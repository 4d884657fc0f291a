import Foundation
import Frames
import Inference
import Pipeline

/// `pipe bench model`.
public struct ModelBenchmark: Sendable {
  private let name: String
  private let size: (width: Int, height: Int)
  private let result: NetworkBenchmark
  private let unchanged: Int?

  /// - Parameters:
  ///   - model: a name, or the path of an ONNX file.
  ///   - size: such as `960x540`.
  ///   - unchanged: how many of a hundred rows of a frame repeat the previous one's; nil: none are looked for.
  ///   - scaling: whether one thread is timed beside all of them.
  public init(
    _ model: String, size: String, threads: Int?, runs: Int, unchanged: Int? = nil, scaling: Bool = false
  ) throws {
    self.unchanged = unchanged
    let path = try Resources().find(model, .models)
    let network = try Network(contentsOf: URL(filePath: path))
    name = network.name
    self.size = try Self.size(size)
    result = NetworkBenchmark(
      network, width: self.size.width, height: self.size.height, threads: threads ?? Budget.available.threads,
      runs: runs, unchanged: unchanged.map { Double($0) / 100 }, scaling: scaling)
  }

  static func size(_ text: String) throws -> (width: Int, height: Int) {
    let sides = text.lowercased().split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
    guard sides.count == 2, let width = sides[0], let height = sides[1], (1...16384).contains(width),
      (1...16384).contains(height)
    else { throw Failure("--size \(text) is no size such as 960x540", exitCode: .usage) }
    return (width, height)
  }

  /// - Parameter layers: whether each layer has a line.
  public func text(layers: Bool) -> String {
    let multiplied =
      result.multipliedGmacPerSecond < result.gmacPerSecond
      ? String(format: "%.1f of them multiplied, ", result.multipliedGmacPerSecond) : ""
    let head = String(
      format: "%@ on %dx%d: %.2f ms, %.1f fps, %.1f GMAC/s (%@%.0f %% of the peak), %@, %d thread%@", name, size.width,
      size.height, result.milliseconds, result.framesPerSecond, result.gmacPerSecond, multiplied,
      result.peakShare * 100, result.level, result.threads, result.threads == 1 ? "" : "s")
    let memory = String(
      format: "%.1f MB moved a frame, %.1f MB held", Double(result.bytes) / 1e6, Double(result.memory) / 1e6)
    let each = (layers ? result.layers : []).map {
      String(format: "  %@  %.2f ms  %.1f GMAC/s", $0.name, $0.milliseconds, $0.gmacPerSecond)
    }
    let repeated = result.millisecondsWithUnchanged.map {
      String(
        format: "%.2f ms where %d %% of the rows repeat the previous frame's: %.1f %% of the time", $0, unchanged ?? 0,
        100 * $0 / result.milliseconds)
    }
    let scaling = result.speedup.map { String(format: "%.2f times as fast as one thread", $0) }
    return ([head, memory] + [repeated, scaling].compactMap { $0 } + each).joined(separator: "\n")
  }

  /// One object, on one line.
  ///
  /// - Parameter layers: whether it has a list of them.
  public func json(layers: Bool) -> String {
    var fields: [String: Value] = [
      "model": .string(name), "ms": .double(result.milliseconds), "fps": .double(result.framesPerSecond),
      "gmac_per_s": .double(result.gmacPerSecond), "multiplied_gmac_per_s": .double(result.multipliedGmacPerSecond),
      "peak_share": .double(result.peakShare), "level": .string(result.level), "threads": .int(result.threads),
      "bytes": .int(result.bytes), "memory": .int(result.memory), "width": .int(size.width),
      "height": .int(size.height),
    ]
    if let repeated = result.millisecondsWithUnchanged { fields["ms_unchanged"] = .double(repeated) }
    if let speedup = result.speedup { fields["speedup"] = .double(speedup) }
    if layers {
      fields["layers"] = .list(
        result.layers.map {
          .map(["name": .string($0.name), "ms": .double($0.milliseconds), "gmac_per_s": .double($0.gmacPerSecond)])
        })
    }
    return Value.map(fields).lineJSON
  }
}

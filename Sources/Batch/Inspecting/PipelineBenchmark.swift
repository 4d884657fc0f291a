import Foundation
import Frames
import Pipeline

/// `pipe bench pipeline`: one job of a chain, in this process, several times over, nothing of it kept.
public struct PipelineBenchmark: Sendable {
  private let pipeline: String
  private let input: String
  private let threads: Int
  private let runs: [JobResult]
  /// Bytes written by one run.
  private let written: Int

  /// - Throws: what the pipeline or the job throws; nothing is left behind either way.
  public init(
    _ pipeline: String, input: String, settings: [String], threads: Int?, runs: Int, registry: StageRegistry
  ) throws {
    let chain = try Chain(path: try Resources().find(pipeline, .pipelines), settings: settings, registry: registry)
    try chain.check()
    let folder = FileManager.default.temporaryDirectory.appending(path: "pipe-bench-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let name = OutputName.make(chain.output, input: (input as NSString).lastPathComponent, unique: false)
    let threads = threads ?? Budget.available.threads
    let order = JobOrder(
      input: input.hasPrefix("-") ? "./" + input : input, output: folder.appending(path: name).path, threads: threads,
      strict: false, verbose: false)
    var written = 0
    self.runs = try (0..<runs).map { _ in
      let result = try Self.run(order, chain)
      let files = result.report.sink.files.map(\.part)
      written = files.reduce(0) { $0 + (FileIdentity(path: $1)?.size ?? 0) }
      for file in files { try? FileManager.default.removeItem(atPath: file) }
      return result
    }
    (self.pipeline, self.input, self.threads, self.written) = (chain.name, input, threads, written)
  }

  private static func run(_ order: JobOrder, _ chain: Chain) throws -> JobResult {
    switch LocalRunner(chain).run(order, stop: { .none }, progress: { _ in }) {
    case .done(let result): return result
    case .failed(let failure, _): throw failure
    default: throw Failure("the job did not end", place: order.input)
    }
  }

  /// The run whose time is the median.
  private var median: JobResult {
    runs.sorted { $0.report.seconds < $1.report.seconds }[runs.count / 2]
  }

  public var text: String {
    let (run, report) = (median, median.report)
    let head = String(
      format: "%@ on %@: %d frames in %.2f s, %.1f fps, %d thread%@, median of %d", pipeline, input, report.framesOut,
      report.seconds, Double(report.framesOut) / report.seconds, threads, threads == 1 ? "" : "s", runs.count)
    let cost = String(
      format: "%.2f s of processor time, %.0f MB at the peak, %.2f MB written", run.cpuSeconds,
      Double(run.peakMemory) / 1e6, Double(written) / 1e6)
    let stages = report.stageSeconds.sorted { $0.value > $1.value }.map {
      String(format: "  %@  at work for %.2f s, %.0f %% of the time", $0.key, $0.value, $0.value / report.seconds * 100)
    }
    return ([head, cost] + stages).joined(separator: "\n")
  }

  /// One object, on one line.
  public var json: String {
    let (run, report) = (median, median.report)
    return Value.map([
      "pipeline": .string(pipeline), "input": .string(input), "frames": .int(report.framesOut),
      "seconds": .double(report.seconds), "fps": .double(Double(report.framesOut) / report.seconds),
      "cpu_seconds": .double(run.cpuSeconds), "memory": .int(run.peakMemory), "bytes": .int(written),
      "threads": .int(threads), "runs": .int(runs.count),
      "stages": .map(report.stageSeconds.mapValues { .double($0) }),
    ]).lineJSON
  }
}

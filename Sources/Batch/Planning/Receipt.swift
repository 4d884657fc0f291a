import Foundation
import Frames
import Pipeline

/// What came of one input: the entry of the ledger, one JSON file an output.
public struct Receipt: Sendable, Codable {
  public enum Status: String, Sendable, Codable {
    case done
    /// It will not pass by trying again.
    case failed
    /// The output did not meet `require:` and was set aside.
    case quarantined
  }

  public struct Input: Sendable, Codable {
    /// Below its input folder.
    public var relative: String
    public var path: String
    public var identity: FileIdentity
    /// SHA-256 of its content, hexadecimal; absent where it could not be read to its end.
    public var sha256: String?
  }

  public struct Output: Sendable, Codable {
    /// Below the output folder.
    public var relative: String
    public var identity: FileIdentity
    public var sha256: String
  }

  /// What it cost.
  public struct Cost: Sendable, Codable {
    public var seconds: Double
    public var cpuSeconds: Double
    /// Bytes.
    public var peakMemory: Int
    public var threads: Int
    public var stageSeconds: [String: Double]
    /// How much it was.
    public var extent: JobExtent?
  }

  public static let currentFormat = 1

  public var format = Receipt.currentFormat
  public var status: Status
  public var input: Input
  /// SHA-256 of the normalised pipeline, models and library versions included.
  public var pipelineKey: String
  /// The normalised pipeline itself, so that a later run can say what has changed.
  public var pipeline: Value
  public var pipelineName: String
  public var program: String
  /// Seconds since 1970.
  public var finished: Double
  public var outputs: [Output] = []
  public var failure: Failure?
  public var notes: [Note] = []
  public var framesIn = 0
  public var framesOut = 0
  public var cost: Cost?
  public var details: [String: Value] = [:]
}

extension Receipt {
  /// Where the receipt of an output lies. Names are cut where `.json` would make them too long for the disk.
  static func path(_ root: OutputRoot, _ relative: String) -> String {
    root.receipts + "/" + TemporaryName.fitting(relative, suffix: ".json")
  }

  /// Nil where there is none. One that cannot be read (a power cut) still tells that the output is ours.
  static func load(_ path: String) -> Loaded? { FileSystem.contents(path).map { load($0) } }

  static func load(_ data: Data) -> Loaded {
    guard let receipt = try? JSONDecoder().decode(Receipt.self, from: data), receipt.format == currentFormat else {
      return .unreadable
    }
    return .receipt(receipt)
  }

  enum Loaded {
    case receipt(Receipt)
    case unreadable
  }

  func write(to path: String) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    try FileSystem.makeFolders(path.parentFolder)
    // The digest comes first, where a plan finds it without reading the rest.
    let rest = try encoder.encode(self).dropFirst()
    try FileSystem.writeAtomically(Data("{\(digest)".utf8) + rest + Data("\n".utf8), to: path)
  }

  /// What a plan asks of most receipts, in a line: nothing but the same input, pipeline and output gives the same.
  /// Empty where there is no single output, for which the whole receipt has to be read.
  private var digest: String {
    guard status == .done, outputs.count == 1, let output = outputs.first else { return "" }
    return Self.digest(pipelineKey: pipelineKey, input: input.identity, output: output.identity)
  }

  static func digest(pipelineKey: String, input: FileIdentity, output: FileIdentity) -> String {
    let numbers = [input, output].flatMap { ["\($0.size)", "\($0.modified)", "\($0.inode)"] }
    return "\n  \"digest\" : \"\(pipelineKey) \(numbers.joined(separator: " "))\","
  }
}

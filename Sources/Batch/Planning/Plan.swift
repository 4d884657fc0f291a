import Foundation
import Frames
import Pipeline

/// An input and what is to happen with it.
public struct PlannedJob: Sendable {
  public enum Action: String, Sendable, Codable {
    case run
    case upToDate = "up to date"
    /// Not an input of this pipeline.
    case skip
    /// It failed before in the same way as it would again, or must not be done.
    case failed
  }

  public var input: InputFile
  /// Which of the plan's output roots.
  public var root: Int
  /// Below the output root; empty where the input is skipped.
  public var relativeOutput: String
  public var action: Action
  public var why: String
  /// The receipt there is, if any.
  var receipt: Receipt?
  /// The output lies complete under its temporary name: the last run was stopped before it could rename it.
  var unpublished = false
}

/// What a run will do. `--dry-run` prints it, the executor runs it.
public struct Plan: Sendable {
  public var jobs: [PlannedJob]
  public var roots: [OutputRoot]
  let key: PipelineKey

  public func output(of job: PlannedJob) -> String { roots[job.root].file(job.relativeOutput) }
  public var toRun: [PlannedJob] { jobs.filter { $0.action == .run } }

  init(scan: Scan, layout: OutputLayout, chain: Chain, key: PipelineKey, fresh: Bool) throws {
    self.key = key
    roots = layout.roots
    jobs = []
    var own = OwnOutputs(scan)
    var inputs: [InputFile] = []
    for file in scan.files {
      if let why = own.reason(file, pipeline: chain.name) {
        jobs.append(
          PlannedJob(input: file, root: layout.places[file.root].root, relativeOutput: "", action: .skip, why: why))
      } else {
        inputs.append(file)
      }
    }
    let names = try OutputNames(inputs, scan: scan, layout: layout, template: chain.output)
    let states = OutputStates(key: key, fresh: fresh)
    for (file, relative) in zip(inputs, names.relative) {
      let root = layout.places[file.root].root
      var job = PlannedJob(input: file, root: root, relativeOutput: relative ?? "", action: .run, why: "new")
      if relative == nil {
        job.action = .failed
        job.why = "another input has the same output; rename one of them"
      } else {
        states.decide(&job, root: roots[root])
      }
      jobs.append(job)
    }
    for file in scan.unmatched {
      jobs.append(
        PlannedJob(
          input: file, root: layout.places[file.root].root, relativeOutput: "", action: .skip,
          why: "the pipeline '\(chain.name)' does not take such files"))
    }
  }
}

/// The name of each input's output. Where two would have the same, one keeps it and others get their whole name.
private struct OutputNames {
  /// Nil where even the whole name is taken.
  private(set) var relative: [String?]
  /// Longer names would leave no room for `.part` and the like.
  private static let longestName = 240

  init(_ inputs: [InputFile], scan: Scan, layout: OutputLayout, template: String) throws {
    relative = Array(repeating: nil, count: inputs.count)
    let present = Set(inputs.map { scan.resolved($0) })
    var taken: [String: Int] = [:]

    func place(_ index: Int, unique: Bool) -> (relative: String, claim: String, clear: Bool) {
      let file = inputs[index]
      let place = layout.places[file.root]
      let folder = file.relative.dropLast(file.name.count)
      let name = Self.name(template, file.name, unique: unique)
      let relative = place.prefix + folder + name
      let root = layout.roots[place.root]
      // Names that differ only in case or Unicode form count as one: they would be one on many disks.
      let claim = "\(place.root)/" + relative.precomposedStringWithCanonicalMapping.lowercased()
      return (relative, claim, !present.contains(root.resolved + "/" + relative))
    }
    func owner(_ index: Int, _ relative: String) -> Bool {
      let root = layout.roots[layout.places[inputs[index].root].root]
      guard case .receipt(let receipt)? = Receipt.load(Receipt.path(root, relative)) else { return false }
      return receipt.input.relative == inputs[index].relative
    }

    // Those who have an output by its receipt come first, in the order of files.
    var waiting: [Int] = []
    var plainCount: [String: Int] = [:]
    let plain = inputs.indices.map { place($0, unique: false) }
    for entry in plain { plainCount[entry.claim, default: 0] += 1 }
    let ledgers = layout.roots.map { FileSystem.status($0.receipts) != nil }
    for index in inputs.indices {
      if ledgers[layout.places[inputs[index].root].root] {
        let whole = place(index, unique: true)
        if whole.relative != plain[index].relative, whole.clear, owner(index, whole.relative), taken[whole.claim] == nil
        {
          relative[index] = whole.relative
          taken[whole.claim] = index
          continue
        }
        if plainCount[plain[index].claim, default: 0] > 1, plain[index].clear, taken[plain[index].claim] == nil,
          owner(index, plain[index].relative)
        {
          relative[index] = plain[index].relative
          taken[plain[index].claim] = index
          continue
        }
      }
      waiting.append(index)
    }
    for index in waiting {
      for candidate in [plain[index], place(index, unique: true)] where candidate.clear {
        if taken[candidate.claim] == nil {
          relative[index] = candidate.relative
          taken[candidate.claim] = index
          break
        }
      }
    }
  }

  private static func name(_ template: String, _ input: String, unique: Bool) -> String {
    let name = OutputName.make(template, input: input, unique: unique)
    let excess = name.utf8.count - longestName
    guard excess > 0 else { return name }
    // Cut the input's stem, keep its extension, and tell it apart by a hash.
    let dot = input.lastIndex(of: ".").flatMap { $0 == input.startIndex ? nil : $0 }
    let ext = dot.map { String(input[$0...]) } ?? ""
    let stem = dot.map { String(input[..<$0]) } ?? input
    let limit = max(stem.utf8.count - excess, 20)
    let short = TemporaryName.cut(stem, to: limit)
    return OutputName.make(template, input: short + ext, unique: unique)
  }
}

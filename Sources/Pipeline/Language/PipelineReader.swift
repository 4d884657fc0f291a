import Foundation
import Frames
import Yams

extension Chain {
  /// Reads and checks a pipeline.
  /// - Parameters:
  ///   - text: YAML 1.2 (JSON is YAML, too).
  ///   - file: its name for error messages.
  ///   - settings: `--set` overrides, each `STAGE.PARAM=VALUE`.
  /// - Throws: `PipelineErrors` with every mistake of the file, or a `Failure` of exit code 2 for a wrong setting.
  public init(text: String, file: String, settings: [String] = [], registry: StageRegistry) throws {
    let reader = PipelineReader(file: file, registry: registry)
    let overrides = try settings.map { try Setting($0, registry: registry) }
    self = try reader.read(text, overrides: overrides)
  }

  /// Reads and checks the pipeline in a file.
  public init(path: String, settings: [String] = [], registry: StageRegistry) throws {
    let url = URL(filePath: path)
    let data: Data
    do { data = try Data(contentsOf: url) } catch {
      throw Failure("cannot read the pipeline \(path): \(Failure.reason(error))", exitCode: .usage)
    }
    guard data.count <= PipelineReader.largestFile, let text = String(data: data, encoding: .utf8) else {
      throw Failure("\(path) is no pipeline: it is not a small UTF-8 text", exitCode: .usage)
    }
    try self.init(text: text, file: path, settings: settings, registry: registry)
  }
}

extension Failure {
  /// The plain reason in a Foundation error: "No such file or directory".
  public static func reason(_ error: any Error) -> String {
    let error = error as NSError
    if let underlying = error.userInfo[NSUnderlyingErrorKey] as? NSError, underlying.domain == NSPOSIXErrorDomain {
      return String(cString: strerror(Int32(underlying.code)))
    }
    if error.domain == NSPOSIXErrorDomain { return String(cString: strerror(Int32(error.code))) }
    return error.localizedDescription
  }
}

/// Walks the YAML once, gathering mistakes rather than stopping at the first.
private final class PipelineReader {
  static let largestFile = 256 << 10
  private static let topLevel = ["version", "name", "inputs", "output", "segment", "require", "stages"]
  private static let metrics = ["frames", "psnr_vs_lanczos", "ocr_confidence"]

  private let file: String
  private let registry: StageRegistry
  private var diagnostics: [Diagnostic] = []

  init(file: String, registry: StageRegistry) {
    self.file = file
    self.registry = registry
  }

  func read(_ yaml: String, overrides: [Setting]) throws -> Chain {
    try refuseDeepNesting(yaml)
    let root: Node
    do {
      guard let node = try compose(yaml: yaml) else { throw PipelineErrors([at(1, 1, "the file is empty")]) }
      root = node
    } catch let error as YamlError {
      throw PipelineErrors([diagnostic(error)])
    }
    guard case .mapping(let top) = root else {
      throw PipelineErrors([at(root, "a pipeline is a mapping with version, inputs, output and stages")])
    }
    let entries = fields(top, of: "a pipeline", allowed: Self.topLevel)
    version(entries["version"], root)
    let stages = stages(entries["stages"], root, overrides)
    let chain = Chain(
      name: entries["name"].flatMap { text($0, "name") }
        ?? URL(filePath: file).deletingPathExtension().lastPathComponent,
      inputs: inputs(entries["inputs"], root), output: output(entries["output"], root),
      segment: entries["segment"].flatMap { value($0, .duration, "segment") }.flatMap {
        if case .double(let seconds) = $0 { seconds } else { nil }
      }, requirements: requirements(entries["require"]), stages: stages)
    guard diagnostics.isEmpty else { throw PipelineErrors(diagnostics) }
    return chain
  }

  // MARK: The top level

  private func version(_ node: Node?, _ root: Node) {
    guard let node else { return report(root, "'version: 1' is missing") }
    if case .scalar(let scalar) = node, scalar.string == "1" { return }
    report(node, "this program reads version 1 of the language")
  }

  private func inputs(_ node: Node?, _ root: Node) -> Chain.Inputs {
    guard let node else {
      report(root, "'inputs' is missing: which files the pipeline takes, as { include: [\"**/*.mp4\"] }")
      return Chain.Inputs(include: [], exclude: [])
    }
    guard case .mapping(let mapping) = node else {
      report(node, "'inputs' wants a mapping with include and exclude")
      return Chain.Inputs(include: [], exclude: [])
    }
    let entries = fields(mapping, of: "'inputs'", allowed: ["include", "exclude"])
    if entries["include"] == nil { report(node, "'inputs' wants an 'include' list") }
    return Chain.Inputs(
      include: entries["include"].map { texts($0, "include") } ?? [],
      exclude: entries["exclude"].map { texts($0, "exclude") } ?? [])
  }

  private func output(_ node: Node?, _ root: Node) -> String {
    guard let node else {
      report(root, "'output' is missing: the name of each output, as \"{stem}-2x.mkv\"")
      return ""
    }
    guard let template = text(node, "output") else { return "" }
    do { try OutputName.check(template) } catch let error as Failure { report(node, error.message) } catch {}
    return template
  }

  private func requirements(_ node: Node?) -> [Chain.Requirement] {
    guard let node else { return [] }
    guard case .mapping(let mapping) = node else {
      report(node, "'require' wants a mapping such as { frames: exact }")
      return []
    }
    return fields(mapping, of: "'require'", allowed: Self.metrics).sorted { $0.key < $1.key }.compactMap {
      metric, node in
      guard let condition = text(node, metric) else { return nil }
      let words = condition.split(separator: " ")
      let compares =
        words.count == 2 && [">=", "<=", ">", "<"].contains(words[0]) && ParameterKind.number(String(words[1])) != nil
      guard metric == "frames" ? condition == "exact" : compares else {
        report(
          node, metric == "frames" ? "frames can only be 'exact'" : "\(metric) wants a comparison such as \">= 20\"")
        return nil
      }
      return Chain.Requirement(metric: metric, condition: condition)
    }
  }

  // MARK: The chain

  private func stages(_ node: Node?, _ root: Node, _ overrides: [Setting]) -> [Chain.ConfiguredStage] {
    guard let node else {
      report(root, "'stages' is missing")
      return []
    }
    guard case .sequence(let items) = node, !items.isEmpty else {
      report(node, "'stages' wants a list, such as [decode, upscale, encode]")
      return []
    }
    var chain: [(spec: StageSpec, node: Node)] = []
    var known = true
    var configured: [Chain.ConfiguredStage] = []
    for item in items {
      guard let (name, nameNode, parameters) = entry(item) else {
        known = false
        continue
      }
      guard let spec = registry[name] else {
        report(nameNode, "there is no stage '\(name)'" + Nearest.hint(name, in: registry.specs.map(\.name)))
        known = false
        continue
      }
      chain.append((spec, nameNode))
      var values = parameters.map { self.parameters($0, spec) } ?? [:]
      for override in overrides where override.stage == spec.name { values[override.parameter] = override.value }
      let before = diagnostics.count
      do {
        let (stage, complete) = try spec.make(values)
        configured.append(
          Chain.ConfiguredStage(
            spec: spec, stage: stage, values: complete, place: place(nameNode), places: places(in: parameters)))
      } catch let failure as Failure {
        if diagnostics.count == before { report(nameNode, failure.description) }
      } catch {
        report(nameNode, "\(error)")
      }
    }
    if known { checkChain(chain, node) }
    for override in overrides where known && !chain.contains(where: { $0.spec.name == override.stage }) {
      report(node, "--set \(override.text): this pipeline has no stage '\(override.stage)'")
    }
    return configured
  }

  private func place(_ node: Node) -> String { "\(file):\(node.mark?.line ?? 1):\(node.mark?.column ?? 1)" }

  /// Where each name within parameters stands.
  private func places(in node: Node?) -> [String: String] {
    guard case .mapping(let mapping)? = node else { return [:] }
    return mapping.reduce(into: [:]) { places, pair in
      if case .scalar(let name) = pair.key { places[name.string] = place(pair.key) }
      places.merge(self.places(in: pair.value)) { own, _ in own }
    }
  }

  /// A stage's name and its parameters: `decode`, `decode: {…}` or `deinterlace: auto`.
  private func entry(_ node: Node) -> (name: String, node: Node, parameters: Node?)? {
    switch node {
    case .scalar(let scalar): return (scalar.string, node, nil)
    case .mapping(let mapping) where mapping.count == 1:
      guard let (key, value) = mapping.first, case .scalar(let scalar) = key else { break }
      return (scalar.string, key, value)
    case .mapping(let mapping) where mapping.count > 1:
      report(
        node, "a stage is one name with its parameters; indent the parameters further, or begin each stage with '-'")
      return nil
    default: break
    }
    report(node, "a stage is a name, or a name with its parameters")
    return nil
  }

  private func parameters(_ node: Node, _ spec: StageSpec) -> [String: Value] {
    if case .mapping(let mapping) = node {
      var values: [String: Value] = [:]
      let entries = fields(mapping, of: "'\(spec.name)'", allowed: spec.parameters.map(\.name))
      for (name, node) in entries {
        guard let parameter = spec.parameters.first(where: { $0.name == name }) else { continue }
        if let value = value(node, parameter.kind, "\(spec.name).\(name)") { values[name] = value }
      }
      return values
    }
    if case .scalar(let scalar) = node, scalar.string.isEmpty, scalar.style == .plain { return [:] }
    guard let main = spec.main, let parameter = spec.parameters.first(where: { $0.name == main }) else {
      let names = spec.parameters.map(\.name).joined(separator: ", ")
      report(node, "'\(spec.name)' wants its parameters by name" + (names.isEmpty ? "; it has none" : ": \(names)"))
      return [:]
    }
    return value(node, parameter.kind, "\(spec.name).\(main)").map { [main: $0] } ?? [:]
  }

  private func checkChain(_ chain: [(spec: StageSpec, node: Node)], _ list: Node) {
    guard let first = chain.first, let last = chain.last else { return }
    var flow: Flow?
    if case .source(let kind) = first.spec.role {
      flow = kind
    } else {
      let sources = registry.specs.filter { if case .source = $0.role { true } else { false } }.map(\.name)
      report(
        first.node, "a chain begins with a source (\(sources.joined(separator: ", "))), not with '\(first.spec.name)'")
    }
    for (spec, node) in chain.dropFirst() {
      switch spec.role {
      case .source:
        report(node, "'\(spec.name)' is a source: it can only stand first")
      case .filter(let flows), .sink(let flows):
        if let flow, !flows.contains(flow) {
          report(
            node,
            "'\(spec.name)' takes \(flows.map(\.rawValue).sorted().joined(separator: " or ")), but '\(first.spec.name)' gives \(flow.rawValue)"
          )
        }
      }
    }
    for (spec, node) in chain.dropLast() {
      if case .sink = spec.role { report(node, "'\(spec.name)' is a sink: it can only stand last") }
    }
    if case .sink = last.spec.role { return }
    let sinks = registry.specs.filter {
      if case .sink(let flows) = $0.role { flow.map(flows.contains) ?? true } else { false }
    }.map(\.name)
    report(last.node, "the chain has no sink: end it with one of \(sinks.joined(separator: ", "))")
  }

  // MARK: Nodes

  /// The entries of a mapping by name; unknown names are reported with the nearest known one.
  private func fields(_ mapping: Node.Mapping, of owner: String, allowed: [String]) -> [String: Node] {
    var result: [String: Node] = [:]
    for (key, value) in mapping {
      guard case .scalar(let scalar) = key, allowed.contains(scalar.string) else {
        let name = key.string ?? "…"
        report(key, "\(owner) has no '\(name)'" + Nearest.hint(name, in: allowed))
        continue
      }
      result[scalar.string] = value
    }
    return result
  }

  private func value(_ node: Node, _ kind: ParameterKind, _ name: String) -> Value? {
    switch kind.parse(Written(node)) {
    case .success(let value): return value
    case .failure(let complaint):
      report(
        node, "\(name): \(complaint.text)" + (complaint.text.contains("there ") ? "" : "; it wants \(kind.wanted)"))
      return nil
    }
  }

  private func text(_ node: Node, _ name: String) -> String? {
    if case .scalar(let scalar) = node, !scalar.string.isEmpty { return scalar.string }
    report(node, "'\(name)' wants a text")
    return nil
  }

  private func texts(_ node: Node, _ name: String) -> [String] {
    guard case .sequence(let items) = node else {
      report(node, "'\(name)' wants a list of patterns, such as [\"**/*.mp4\"]")
      return []
    }
    return items.compactMap { text($0, name) }
  }

  // MARK: Mistakes

  private func report(_ node: Node, _ message: String) { diagnostics.append(at(node, message)) }

  private func at(_ node: Node, _ message: String) -> Diagnostic {
    at(node.mark?.line ?? 1, node.mark?.column ?? 1, message)
  }

  private func at(_ line: Int, _ column: Int, _ message: String) -> Diagnostic {
    Diagnostic(file: file, line: line, column: column, message: message)
  }

  private func diagnostic(_ error: YamlError) -> Diagnostic {
    switch error {
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
      .composer(_, let problem, let mark, _):
      at(mark.line, mark.column, "this is no YAML: \(problem)")
    case .duplicatedKeysInMapping(let duplicates, let context):
      at(context.mark.line, context.mark.column, "'\(duplicates.joined(separator: "', '"))' is given twice")
    case .reader(let problem, _, _, _): at(1, 1, "this is no YAML: \(problem)")
    default: at(1, 1, "this is no YAML")
    }
  }

  /// The YAML library recurses for each level: a hostile file of brackets would exhaust the stack.
  private func refuseDeepNesting(_ text: String) throws {
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      let indicators = line.utf8.lazy.filter { [UInt8(ascii: "["), UInt8(ascii: "{")].contains($0) }.count
      let dashes = line.components(separatedBy: "- ").count - 1
      let questions = line.components(separatedBy: "? ").count - 1
      let indent = line.prefix { $0 == " " }.count
      guard indicators <= 64, dashes + questions <= 64, indent <= 400 else {
        throw PipelineErrors([at(index + 1, 1, "nested too deep for a pipeline")])
      }
    }
    guard text.utf8.lazy.filter({ [UInt8(ascii: "["), UInt8(ascii: "{")].contains($0) }).count <= 1000 else {
      throw PipelineErrors([at(1, 1, "nested too deep for a pipeline")])
    }
  }
}

extension Written {
  init(_ node: Node) {
    switch node {
    case .scalar(let scalar): self = .scalar(scalar.string, quoted: scalar.style != .plain && scalar.style != .any)
    case .sequence(let items): self = .list(items.map { Written($0) })
    case .mapping(let mapping): self = .map(mapping.map { ($0.key.string ?? "", Written($0.value)) })
    case .alias: self = .scalar("", quoted: false)
    }
  }
}

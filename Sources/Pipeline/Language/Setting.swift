import Frames

/// One `--set STAGE.PARAM=VALUE`, checked against the stage's declaration.
struct Setting {
  let text: String
  let stage: String
  let parameter: String
  let value: Value

  init(_ text: String, registry: StageRegistry) throws {
    self.text = text
    let sides = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let names = sides[0].split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    guard sides.count == 2, names.count == 2 else {
      throw Failure("--set \(text) is not of the form STAGE.PARAM=VALUE", exitCode: .usage)
    }
    (stage, parameter) = (String(names[0]), String(names[1]))
    guard let spec = registry[stage] else {
      throw Failure(
        "--set \(text): there is no stage '\(stage)'" + Nearest.hint(stage, in: registry.specs.map(\.name)),
        exitCode: .usage)
    }
    let name = parameter
    guard let known = spec.parameters.first(where: { $0.name == name }) else {
      throw Failure(
        "--set \(text): '\(stage)' has no '\(name)'" + Nearest.hint(name, in: spec.parameters.map(\.name)),
        exitCode: .usage)
    }
    let right = String(sides[1])
    let written: Written =
      if case .choices = known.kind {
        .list(right.split(separator: ",").map { .scalar(String($0), quoted: false) })
      } else {
        .scalar(right, quoted: false)
      }
    switch known.kind.parse(written) {
    case .success(let value): self.value = value
    case .failure(let complaint):
      throw Failure("--set \(text): \(complaint.text); it wants \(known.kind.wanted)", exitCode: .usage)
    }
  }
}

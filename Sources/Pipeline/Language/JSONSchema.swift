/// The JSON Schema (draft 2020-12) of the pipeline language, made from the stages' declarations.
public enum JSONSchema {
  public static func make(_ registry: StageRegistry) -> Value {
    .map([
      "$schema": "https://json-schema.org/draft/2020-12/schema",
      "title": "A pipeline of pipe",
      "type": "object",
      "additionalProperties": false,
      "required": ["version", "inputs", "output", "stages"],
      "properties": .map([
        "version": .map(["const": .int(1), "description": "The version of the language."]),
        "name": .map(["type": "string", "description": "The name of the pipeline; else that of its file."]),
        "inputs": .map([
          "type": "object", "additionalProperties": false, "required": ["include"],
          "properties": .map([
            "include": patterns("Glob patterns of the files to take, below the input folder; case is ignored."),
            "exclude": patterns("Glob patterns of files to leave."),
          ]),
        ]),
        "output": .map([
          "type": "string", "pattern": "\\{(stem|name)\\}",
          "description": "The name of an output, with {stem}, {ext}, {name} and {n}.",
        ]),
        "segment": .map([
          "type": .list(["string", "number"]), "pattern": "^[0-9.]+(ms|s|m|h)?$",
          "description": "The length of the stretches that a long video is cut into, such as 30s.",
        ]),
        "require": .map([
          "type": "object", "additionalProperties": false,
          "description": "What an output must meet to be published.",
          "properties": .map([
            "frames": .map(["const": "exact"]),
            "psnr_vs_lanczos": comparison, "ocr_confidence": comparison,
          ]),
        ]),
        "stages": .map([
          "type": "array", "minItems": .int(2),
          "items": .map(["oneOf": .list([names(registry)] + registry.specs.map(stage))]),
        ]),
      ]),
    ])
  }

  private static let comparison: Value = .map(["type": "string", "pattern": "^(>=|<=|>|<) [0-9.]+$"])

  private static func patterns(_ description: String) -> Value {
    .map([
      "type": "array", "items": .map(["type": "string", "minLength": .int(1)]), "description": .string(description),
    ])
  }

  /// A stage without parameters is just its name.
  private static func names(_ registry: StageRegistry) -> Value {
    .map(["enum": .list(registry.specs.map { .string($0.name) })])
  }

  private static func stage(_ spec: StageSpec) -> Value {
    let parameters = Dictionary(uniqueKeysWithValues: spec.parameters.map { ($0.name, schema($0)) })
    var forms: [Value] = [
      .map(["type": "object", "additionalProperties": .bool(false), "properties": .map(parameters)]),
      .map(["type": "null"]),
    ]
    if let main = spec.main, let parameter = parameters[main] { forms.append(parameter) }
    return .map([
      "type": "object", "additionalProperties": false, "required": .list([.string(spec.name)]),
      "properties": .map([spec.name: .map(["description": .string(spec.summary), "anyOf": .list(forms)])]),
    ])
  }

  private static func schema(_ spec: ParameterSpec) -> Value {
    var fields: [String: Value] = ["description": .string(spec.summary + (spec.unit.map { " [\($0)]" } ?? ""))]
    if spec.defaultValue != .null { fields["default"] = spec.defaultValue }
    switch spec.kind {
    case .boolean: fields["type"] = "boolean"
    case .integer(let range):
      fields["type"] = "integer"
      fields["minimum"] = .int(range.lowerBound)
      if range.upperBound < .max { fields["maximum"] = .int(range.upperBound) }
    case .number(let range):
      fields["type"] = "number"
      fields["minimum"] = .double(range.lowerBound)
      fields["maximum"] = .double(range.upperBound)
    case .numberOrAuto(let range):
      fields["anyOf"] = .list([
        .map(["const": "auto"]),
        .map(["type": "number", "minimum": .double(range.lowerBound), "maximum": .double(range.upperBound)]),
      ])
    case .text: fields["type"] = .list(["string", "number", "boolean"])
    case .choice(let words): fields["enum"] = .list(words.map { .string($0) })
    case .choices(let words):
      let choice: Value = .map(["enum": .list(words.map { .string($0) })])
      fields["anyOf"] = .list([choice, .map(["type": "array", "items": choice])])
    case .duration:
      fields["type"] = .list(["string", "number"])
      fields["pattern"] = "^[0-9.]+(ms|s|m|h)?$"
    case .pairs:
      fields["anyOf"] = .list([
        .map([
          "type": "object", "additionalProperties": .map(["type": .list(["string", "number", "boolean"])]),
        ]), .map(["type": "string"]),
      ])
    }
    return .map(fields)
  }
}

extension Value: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral {
  public init(stringLiteral value: String) { self = .string(value) }
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  public init(arrayLiteral elements: Value...) { self = .list(elements) }
}

import Frames

/// What is known of a stage without an instance of it.
public struct StageSpec: Sendable {
  public let name: String
  public let summary: String
  public let main: String?
  public let role: StageRole
  public let parameters: [ParameterSpec]
  let make: @Sendable ([String: Value]) throws -> (any Stage, [String: Value])

  init<S: Stage>(_ stage: S.Type) {
    name = S.name
    summary = S.summary
    main = S.main
    role = S.role
    parameters = S.Options.parameters.map(\.spec)
    make = { values in
      var options = S.Options()
      for parameter in S.Options.parameters {
        if let value = values[parameter.spec.name] { parameter.assign(&options, value) }
      }
      var complete: [String: Value] = [:]
      for parameter in S.Options.parameters { complete[parameter.spec.name] = parameter.read(options) }
      return (try S(options), complete)
    }
  }
}

/// The stages that pipelines may name.
public struct StageRegistry: Sendable {
  public let specs: [StageSpec]

  public init(_ stages: [any Stage.Type]) { specs = stages.map { StageRegistry.spec($0) } }

  private static func spec<S: Stage>(_ stage: S.Type) -> StageSpec { StageSpec(stage) }

  public subscript(name: String) -> StageSpec? { specs.first { $0.name == name } }
}

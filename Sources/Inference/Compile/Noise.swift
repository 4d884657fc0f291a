import Frames

/// The noise level that a denoiser is told: an input, or a constant that callers may replace, named `sigma`; one number
/// for the whole picture, in units of 255 levels. It may only add to a convolution's bias.
extension Compiler {
  static let noiseInput = "sigma"

  mutating func takeNoiseLevel(_ graph: OnnxGraph) throws(Failure) {
    guard
      graph.replaceable.contains(Compiler.noiseInput)
        || graph.inputs.contains(where: { $0.name == Compiler.noiseInput })
    else { return }
    let level = graph.constants[Compiler.noiseInput].map(\.scalar) ?? 0
    guard let level, (0...1).contains(level) else {
      throw refuse("its noise level '\(Compiler.noiseInput)' is not one number of 0 to 1")
    }
    noiseLevel = level
    values[Compiler.noiseInput] = .noise([1])
  }

  func noise(_ node: OnnxNode, _ factors: [Double], times constants: [Double]) throws(Failure) -> Value {
    let count = max(factors.count, constants.count)
    let (left, right) = (try spread(node, factors, over: count), try spread(node, constants, over: count))
    return .noise(zip(left, right).map { $0 * $1 })
  }

  func add(_ node: OnnxNode, noise factors: [Double], to pending: inout Pending) throws(Failure) -> Value {
    guard !pending.hasActivation else { throw node.refuse("the noise level cannot be added after an activation") }
    let factors = try spread(node, factors, over: pending)
    pending.noise = zip(pending.noise ?? .init(repeating: 0, count: factors.count), factors).map { $0 + $1 }
    return .pending(pending)
  }
}

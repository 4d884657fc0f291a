import Frames
import Randomness
import Testing

@testable import Inference
@testable import Kernels

/// What a network under test is made of.
struct NetworkShape: CustomTestStringConvertible {
  var channels: [Int]
  var upscale = 2
  /// Of the picture and of the result.
  var planes = 1
  var interpolation: Interpolation?
  var fold = 1
  var takesNoise = false
  var kernels: [(height: Int, width: Int)] = []
  var weights: ClosedRange<Int> = -128...127
  /// Of a hundred weight blocks (a tap of four inputs by sixteen outputs), how many are zero.
  var zeroBlocks = 0
  var zeroPoints = false
  var slopes = false
  var addsPicture = true
  var residual: Quantisation?
  var result: Quantisation?
  enum Mixing { case none, sum, join }
  /// What the last layer reads: the one before it, or that and the first, added or side by side.
  var mixing = Mixing.none
  /// Whether what the last layer reads is twice as large as what is before it.
  var enlarging: Interpolation?

  var testDescription: String {
    "\(planes) \(channels) x\(upscale) / \(fold) noise \(takesNoise) mixing \(mixing) enlarging \(enlarging.map { "\($0)" } ?? "") kernels \(kernels) weights \(weights) zero \(zeroBlocks)% points \(zeroPoints) "
      + "slopes \(slopes) picture \(addsPicture) residual \(residual != nil) result \(result != nil) \(interpolation.map { "\($0)" } ?? "")"
  }

  func make(_ random: inout Seeded) -> IntegerNetwork {
    var tensors = [IntegerNetwork.Tensor(channels: planes * fold * fold, quantisation: .samples)]
    var operations: [IntegerNetwork.Operation] = [.picture(output: 0, codes: (0...255).map { UInt8($0) })]
    for index in 0...channels.count {
      let last = index == channels.count
      if last && mixing != .none { mix(&tensors, &operations, &random) }
      if last, let enlarging { enlarge(enlarging, &tensors, &operations, &random) }
      let reads = last ? tensors.count - 1 : index
      let input = tensors[reads].channels
      let outputs = last ? planes * upscale * upscale : channels[index]
      let kernel = kernels.isEmpty ? (height: 3, width: 3) : kernels[index]
      let window = input * kernel.height * kernel.width
      var layer = IntegerNetwork.Convolution(
        name: "\(index)", input: reads, output: last ? nil : index + 1, outputChannels: outputs, inputChannels: input,
        kernelHeight: kernel.height, kernelWidth: kernel.width, padTop: kernel.height / 2, padLeft: kernel.width / 2,
        weights: (0..<outputs * window).map { _ in Int8(Int.random(in: weights, using: &random)) },
        bias: (0..<outputs).map { _ in Int32.random(in: -20000...20000, using: &random) }, scales: [],
        negativeScales: nil, low: 0, high: 255, macs: outputs * window)
      if zeroBlocks > 0 { prune(&layer, &random) }
      if takesNoise && index == 0 {
        layer.noise = (0..<outputs).map { _ in Double.random(in: -50000...50000, using: &random) }
      }
      if !last {
        // So that codes of noise fill their range and clip now and then, in every layer. Weights of one sign add up faster.
        let spread = weights.contains(0) ? 0.6 : 20
        let typical = 1 / (spread * Double(weights.upperBound) * Double(window).squareRoot())
        let fuses = Bool.random(using: &random)
        layer.scales = (0..<outputs).map { channel in
          let scale = Float(typical * Double.random(in: 0.2...2, using: &random))
          return fuses ? FusedScale.scale(near: scale, largestSum: Emission.largestSum(layer, channel)) : scale
        }
        if slopes {
          layer.negativeScales = layer.scales.map { $0 * Float.random(in: -0.5...1.5, using: &random) }
          layer.high = UInt8.random(in: 200...255, using: &random)
        }
        var quantisation = Quantisation.samples
        if zeroPoints {
          quantisation.zeroPoint = UInt8.random(in: 0...255, using: &random)
          layer.low = UInt8.random(in: 0...min(quantisation.zeroPoint, layer.high), using: &random)
        }
        tensors.append(.init(channels: outputs, quantisation: quantisation))
      }
      operations.append(.convolution(layer))
    }
    let window = Double(tensors[tensors.count - 1].channels * 9)
    let ending = IntegerNetwork.Ending(
      upscale: upscale, planes: planes, addsPicture: addsPicture, interpolation: interpolation,
      scales: (0..<planes * upscale * upscale).map { _ in
        Double.random(in: 0.5...1, using: &random) / (Double(weights.upperBound) * window.squareRoot())
      }, residual: residual, result: result)
    return IntegerNetwork(
      tensors: tensors, operations: operations, ending: ending, fold: fold, noiseLevel: takesNoise ? 0.06 : nil)
  }

  private func enlarge(
    _ interpolation: Interpolation, _ tensors: inout [IntegerNetwork.Tensor],
    _ operations: inout [IntegerNetwork.Operation], _ random: inout Seeded
  ) {
    let input = tensors.count - 1
    let channels = tensors[input].channels / (fold * fold)
    var quantisation = Quantisation.samples
    quantisation.zeroPoint = UInt8.random(in: 0...255, using: &random)
    operations.append(
      .enlargement(
        .init(
          name: "enlargement", input: input, output: tensors.count, interpolation: interpolation, side: fold,
          channels: channels, scale: zeroPoints ? Float.random(in: 0.05...0.1, using: &random) : 1 / 16,
          slopes: (0..<channels).map { _ in slopes ? Float.random(in: -0.5...1.5, using: &random) : 1 },
          low: zeroPoints ? quantisation.zeroPoint : 0, high: 250)))
    tensors.append(.init(channels: 4 * tensors[input].channels, quantisation: quantisation))
  }

  private func mix(
    _ tensors: inout [IntegerNetwork.Tensor], _ operations: inout [IntegerNetwork.Operation], _ random: inout Seeded
  ) {
    func term(_ input: Int) -> IntegerNetwork.Mix.Term {
      .init(input: input, scale: Float.random(in: 0.3...1.5, using: &random))
    }
    let (first, last) = (term(1), term(tensors.count - 1))
    var quantisation = Quantisation.samples
    quantisation.zeroPoint = UInt8.random(in: 0...255, using: &random)
    let channels = tensors[1].channels + (mixing == .sum ? 0 : tensors[tensors.count - 1].channels)
    operations.append(
      .mix(
        .init(
          name: "mix", output: tensors.count,
          parts: mixing == .sum
            ? [.init(channels: channels, terms: [first, last])]
            : [first, last].map { .init(channels: tensors[$0.input].channels, terms: [$0]) },
          slopes: (0..<channels).map { _ in slopes ? Float.random(in: -0.5...1.5, using: &random) : 1 },
          low: zeroPoints ? quantisation.zeroPoint : 0, high: 250)))
    tensors.append(.init(channels: channels, quantisation: quantisation))
  }

  private func prune(_ layer: inout IntegerNetwork.Convolution, _ random: inout Seeded) {
    for block in stride(from: 0, to: layer.outputChannels, by: 16) {
      for group in stride(from: 0, to: layer.inputChannels, by: 4) {
        for tap in 0..<layer.kernelHeight * layer.kernelWidth
        where Int.random(in: 0..<100, using: &random) < zeroBlocks {
          for output in block..<min(block + 16, layer.outputChannels) {
            for input in group..<min(group + 4, layer.inputChannels) {
              layer.weights[
                (output * layer.inputChannels + input) * layer.kernelHeight * layer.kernelWidth + tap] = 0
            }
          }
        }
      }
    }
  }
}

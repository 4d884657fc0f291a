/// Convolutions at the grid of the network's coarsest tensor, where finer tensors' pixels are channels.
extension Compiler.RawConvolution {
  /// The same convolution over blocks of `side`² pixels: outputs are [pixel][output], inputs lie at `places`.
  ///
  /// - Parameters:
  ///   - places: where each of [pixel][input] lies among the channels of the tensor that is read.
  ///   - channels: of that tensor.
  func expanded(side: Int, places: [Int], channels: Int) -> Self {
    guard side > 1 || places != Array(0..<channels) else { return self }
    let (top, left) = (Tap(-padTop, side), Tap(-padLeft, side))
    let bottom = Tap(side + kernelHeight - 2 - padTop, side)
    let right = Tap(side + kernelWidth - 2 - padLeft, side)
    let (height, width) = (bottom.block - top.block + 1, right.block - left.block + 1)
    var result = self
    result.outputChannels *= side * side
    result.inputChannels = channels
    result.kernelHeight = height
    result.kernelWidth = width
    result.padTop = -top.block
    result.padLeft = -left.block
    result.macs *= side * side
    result.sumScales = (0..<result.outputChannels).map { sumScales[$0 % outputChannels] }
    result.weights = .init(repeating: 0, count: result.outputChannels * channels * height * width)
    for pixel in 0..<side * side {
      for y in 0..<kernelHeight {
        let down = Tap(pixel / side + y - padTop, side)
        for x in 0..<kernelWidth {
          let across = Tap(pixel % side + x - padLeft, side)
          let from = (down.pixel * side + across.pixel) * inputChannels
          let window = (down.block - top.block) * width + across.block - left.block
          for output in 0..<outputChannels {
            for input in 0..<inputChannels {
              let to = (pixel * outputChannels + output) * channels + places[from + input]
              result.weights[to * height * width + window] =
                weights[((output * inputChannels + input) * kernelHeight + y) * kernelWidth + x]
            }
          }
        }
      }
    }
    return result
  }

  /// A place relative to a block: which block, and which pixel of it.
  private struct Tap {
    let block: Int
    let pixel: Int

    init(_ place: Int, _ side: Int) {
      pixel = (place % side + side) % side
      block = (place - pixel) / side
    }
  }
}

extension IntegerNetwork.Convolution {
  /// The same with some of its outputs, in this order.
  func picking(_ outputs: [Int]) -> Self {
    let window = inputChannels * kernelHeight * kernelWidth
    var result = self
    result.outputChannels = outputs.count
    result.weights = outputs.flatMap { weights[$0 * window..<($0 + 1) * window] }
    result.bias = outputs.map { bias[$0] }
    result.noise = noise.map { noise in outputs.map { noise[$0] } }
    return result
  }
}

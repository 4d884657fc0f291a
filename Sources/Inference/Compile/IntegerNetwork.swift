/// A network as it is run: integer convolutions over byte tensors, and one last step that makes samples.
///
/// Every number in it has been checked: no run can overflow, whatever the picture holds.
struct IntegerNetwork: Sendable {
  var tensors: [Tensor]
  /// In an order in which every input is made before it is read.
  var operations: [Operation]
  var ending: Ending
  /// Blocks of `fold`² pixels are the channels of the first tensor: all tensors are that much smaller than the picture.
  var fold = 1
  /// What a denoiser is told where the caller says nothing, in units of 255 levels; nil for other networks.
  var noiseLevel: Double?

  /// Channels of bytes, `(code - zeroPoint) · scale` each.
  struct Tensor: Sendable, Equatable {
    var channels: Int
    var quantisation: Quantisation
  }

  enum Operation: Sendable {
    /// The picture's samples, rounded to eight bits, become codes by this table. A block's samples are channels, row
    /// by row, each of all planes; where the picture ends within a block, its edge is repeated.
    case picture(output: Int, codes: [UInt8])
    case convolution(Convolution)
    case mix(Mix)
    case enlargement(Enlargement)

    var inputs: [Int] {
      switch self {
      case .picture: []
      case .convolution(let convolution): [convolution.input]
      case .mix(let mix): mix.inputs
      case .enlargement(let enlargement): [enlargement.input]
      }
    }

    var output: Int? {
      switch self {
      case .mix(let mix): mix.output
      case .enlargement(let enlargement): enlargement.output
      case .picture(let output, _): output
      case .convolution(let convolution): convolution.output
      }
    }
  }

  /// Tensors side by side, or the sums of some: code = round(slope(sum of (input's code - zero point) ·
  /// scale)) + zero point.
  struct Mix: Sendable {
    struct Term: Sendable {
      var input: Int
      /// The channel that it begins with.
      var first = 0
      /// From the input's codes to the output's.
      var scale: Float
    }
    /// Some channels of each term, added.
    struct Part: Sendable {
      var channels: Int
      var terms: [Term]
    }
    var name: String
    var output: Int
    var parts: [Part]
    /// What sums below zero are multiplied by, for each channel of the output.
    var slopes: [Float]
    /// The codes an activation clips to.
    var low: UInt8
    var high: UInt8

    var inputs: [Int] { parts.flatMap { $0.terms.map(\.input) } }
  }

  /// A tensor twice as large by linear interpolation: code = round(slope((sum of sixteenths · code - 16 · zero point) ·
  /// scale)) + zero point. Outside the picture its edge is repeated.
  struct Enlargement: Sendable {
    var name: String
    var input: Int
    var output: Int
    var interpolation: Interpolation
    /// Of the input's pixels in a block, which are its channels, [side² pixels][channel]; the output has [4 · side²
    /// pixels][channel].
    var side: Int
    var channels: Int
    /// From a sixteenth of the input's codes to the output's.
    var scale: Float
    /// What values below zero are multiplied by, for each channel of a pixel.
    var slopes: [Float]
    /// The codes an activation clips to.
    var low: UInt8
    var high: UInt8
  }

  struct Convolution: Sendable {
    var name: String
    var input: Int
    /// nil: the sums go to the ending.
    var output: Int?
    var outputChannels: Int
    var inputChannels: Int
    var kernelHeight: Int
    var kernelWidth: Int
    var padTop: Int
    var padLeft: Int
    /// [output][input][y][x]
    var weights: [Int8]
    /// In units of the sums, the input's zero point already taken off.
    var bias: [Int32]
    /// What a noise level of 1 adds to the bias.
    var noise: [Double]?
    /// From sums to codes.
    var scales: [Float]
    /// The same for sums below zero, where an activation slopes there.
    var negativeScales: [Float]?
    /// The codes an activation clips to.
    var low: UInt8
    var high: UInt8
    /// Multiply-accumulates for one output pixel, as the model states them.
    var macs: Int

    /// The bias at a noise level, 0 to 1.
    func bias(noiseLevel: Double) -> [Int32] {
      guard let noise else { return bias }
      return zip(bias, noise).map { $0 &+ Int32(($1 * noiseLevel).rounded(.toNearestOrEven)) }
    }

    /// Whether codes are clipped to their own range alone.
    var onlySaturates: Bool { negativeScales == nil && low == 0 && high == 255 }

    func weight(_ output: Int, _ input: Int, _ y: Int, _ x: Int) -> Int8 {
      weights[((output * inputChannels + input) * kernelHeight + y) * kernelWidth + x]
    }
  }

  /// Sums of [plane][`upscale`² pixels] become samples: residual plus base, pixels shuffled out. Base is the picture's
  /// sample at the same place, repeated or interpolated where the result is larger.
  struct Ending: Sendable {
    /// Bits of the base for a picture of `depth` bits.
    func baseDepth(_ depth: Int) -> Int { interpolation == nil ? depth : Interpolation.depth(of: depth) }

    var upscale: Int
    var planes = 1
    var addsPicture: Bool
    /// nil: samples are repeated.
    var interpolation: Interpolation?
    /// Output samples of eight bits for one unit of a sum, by channel: 255 times the real value.
    var scales: [Double]
    /// Where the model quantises the residual itself.
    var residual: Quantisation?
    /// Where the model quantises the result.
    var result: Quantisation?
  }
}

/// `real = (code - zeroPoint) · scale`, with codes of 0 to 255.
struct Quantisation: Sendable, Hashable {
  var scale: Float
  var zeroPoint: UInt8

  /// Samples of eight bits, where 255 stands for 1.
  static let samples = Quantisation(scale: 1 / 255, zeroPoint: 0)

  func code(_ real: Double) -> UInt8 {
    let code = (real / Double(scale)).rounded(.toNearestOrEven) + Double(zeroPoint)
    return UInt8(min(max(code, 0), 255))
  }
}

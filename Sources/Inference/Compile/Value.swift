/// What a name in an ONNX graph stands for, as far as the engine understands it.
enum Value {
  case constant(OnnxTensor)
  /// A constant behind DequantizeLinear.
  case scaled(ScaledConstant)
  /// The picture, `repeats` times along the channels and enlarged by repeating pixels `upscale` times.
  case picture(PictureValue)
  /// The noise level that a denoiser is told, times a factor for each channel.
  case noise([Double])
  /// A convolution's result that nothing has rounded yet.
  case pending(Pending)
  /// Byte tensors added or side by side, not rounded yet.
  case mixed(Mixed)
  /// A byte tensor's codes, and the reals they stand for.
  case codes(Feature)
  case levels(Feature)
  /// On the way out: codes of a result, and reals.
  case endingCodes(EndingValue)
  case ending(EndingValue)
}

struct ScaledConstant {
  var integers: [Int]
  var shape: [Int]
  /// One, or one for each index along `axis`.
  var scales: [Double]
  var axis: Int
}

struct PictureValue {
  var repeats = 1
  var upscale = 1
  /// Blocks of so many pixels, squared, have become channels.
  var fold = 1
  /// Whether it is a code (after QuantizeLinear) rather than a real.
  var isCode = false
  var quantisation: Quantisation?
}

/// A convolution and what follows it until something rounds: real = clip(slope(gain · (sum · scale + bias))).
struct Pending {
  var convolution: Int
  var gain: [Double]
  var bias: [Double]
  /// What a noise level of 1 adds to the bias.
  var noise: [Double]?
  var slopes: [Double]?
  var low = -Double.infinity
  var high = Double.infinity

  /// The opposite of it, where no activation follows.
  var negated: Pending {
    var other = self
    other.gain = gain.map { -$0 }
    other.bias = bias.map { -$0 }
    other.noise = noise?.map { -$0 }
    return other
  }

  var hasActivation: Bool { slopes != nil || low > -.infinity || high < .infinity }

  /// Multiplies a channel, before any activation.
  mutating func scale(_ channel: Int, by factor: Double) {
    gain[channel] *= factor
    bias[channel] *= factor
    noise?[channel] *= factor
  }
}

/// Parts side by side, each the sum of its features, and what follows until something rounds:
/// real = clip(slope(factor · sum)).
struct Mixed {
  var name: String
  var parts: [[Feature]]
  var factor = 1.0
  var slopes: [Double]?
  var low = -Double.infinity
  var high = Double.infinity

  var channels: Int { parts.reduce(0) { $0 + $1[0].channels } }
  var hasActivation: Bool { slopes != nil || low > -.infinity || high < .infinity }
}

/// A byte tensor: the picture's own codes, or what a convolution leaves.
struct Feature {
  enum Source {
    case picture
    case convolution(Pending)
    indirect case mix(Mixed)
  }
  var source: Source
  var channels: Int
  var quantisation: Quantisation
  /// Two features of the same number are the same tensor.
  var number: Int
}

struct EndingValue {
  var pending: Pending
  var residual: Quantisation?
  var result: Quantisation?
  var upscale = 1
  var addsPicture = false
}

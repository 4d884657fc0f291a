/// What a name in an ONNX graph stands for, as far as the engine understands it.
enum Value {
  case constant(OnnxTensor)
  /// A constant behind DequantizeLinear.
  case scaled(ScaledConstant)
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

/// The picture, folded, repeated or enlarged.
struct PictureValue {
  var view: View
  /// How pixels between those of the picture are made; nil: they repeat it.
  var interpolation: Interpolation?
  /// What the picture was quantised to before it was interpolated.
  var interpolated = Quantisation.samples
  /// Whether it is a code (after QuantizeLinear) rather than a real.
  var isCode = false
  var quantisation: Quantisation?
}

/// A convolution and what follows it until something rounds: real = clip(slope(gain · (sum · scale + bias))).
struct Pending {
  var convolution: Int
  /// By the convolution's own channels, as is all the rest.
  var gain: [Double]
  var bias: [Double]
  /// What a noise level of 1 adds to the bias.
  var noise: [Double]?
  var slopes: [Double]?
  var low = -Double.infinity
  var high = Double.infinity
  var view: View
  /// The channel of the view that each of the convolution's channels belongs to; nil where some belong to several.
  var channels: [Int]?

  init(convolution: Int, bias: [Double], resolution: Resolution) {
    self.convolution = convolution
    gain = .init(repeating: 1, count: bias.count)
    self.bias = bias
    view = View(Shape(channels: bias.count, resolution: resolution))
    channels = Array(bias.indices)
  }

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

  mutating func take(_ step: View.Step) -> Bool {
    guard view.take(step) else { return false }
    let count = view.shape.channels
    switch step {
    case .unfold(let size, let planar): channels = channels?.map { planar ? $0 / (size * size) : $0 % count }
    case .enlarge: break
    case .fold, .repeat: channels = nil
    }
    return true
  }
}

/// Parts side by side, each the sum of its features, or one feature interpolated, and what follows until something
/// rounds: real = clip(slope(factor · sum)).
struct Mixed {
  var name: String
  var parts: [[Feature]]
  /// Twice as large; then there is one part of one feature, whose view is as it was made.
  var interpolation: Interpolation?
  var factor = 1.0
  var slopes: [Double]?
  var low = -Double.infinity
  var high = Double.infinity
  var view: View

  /// Features of one resolution, those of a part with as many channels.
  init(name: String, parts: [[Feature]]) {
    self.name = name
    self.parts = parts
    view = View(
      Shape(
        channels: parts.reduce(0) { $0 + $1[0].shape.channels }, resolution: parts[0][0].shape.resolution))
  }

  /// A feature twice as large.
  init(name: String, _ feature: Feature, interpolation: Interpolation) {
    self.init(name: name, parts: [[feature]])
    self.interpolation = interpolation
    view = View(
      Shape(channels: feature.shape.channels, resolution: feature.shape.resolution.times(2, by: 1)))
  }

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
  var quantisation: Quantisation
  /// Two features of the same number are views of the same tensor.
  var number: Int
  var view: View

  var shape: Shape { view.shape }
}

struct EndingValue {
  var pending: Pending
  var residual: Quantisation?
  var result: Quantisation?
  /// The picture as it is added, of the same shape.
  var added: PictureValue?
}

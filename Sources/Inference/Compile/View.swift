/// Pixels of a tensor for each of the picture's, across and down: `up / down`, in lowest terms.
struct Resolution: Hashable {
  var up = 1
  var down = 1

  func times(_ up: Int, by down: Int) -> Resolution {
    let (up, down) = (self.up * up, self.down * down)
    let common = Resolution.commonDivisor(up, down)
    return Resolution(up: up / common, down: down / common)
  }

  /// The least grid that this is a whole number of pixels of, and that `grid` divides.
  func grid(with grid: Int) -> Int { grid / Resolution.commonDivisor(grid, down) * down }

  private static func commonDivisor(_ a: Int, _ b: Int) -> Int { b == 0 ? a : commonDivisor(b, a % b) }
}

struct Shape: Hashable {
  var channels: Int
  var resolution = Resolution()
}

/// A tensor of another shape than the one that was made, with the same values.
///
/// All tensors are run at the grid of the coarsest: where one has `side`² pixels in a block of the grid, they are
/// channels, [pixel of the block, row by row][channel]. So folding pixels into channels, and unfolding, moves nothing.
struct View: Hashable {
  enum Step: Hashable {
    /// SpaceToDepth: blocks of so many pixels, squared, become channels, [pixel][channel].
    case fold(Int)
    /// DepthToSpace; the channels it takes are [channel][pixel] where `planar`, else [pixel][channel].
    case unfold(Int, planar: Bool)
    /// Every pixel becomes a block of so many, squared.
    case enlarge(Int)
    /// All channels so many times, one after the other.
    case `repeat`(Int)
  }

  static let most = 16

  let made: Shape
  private(set) var shape: Shape
  private(set) var steps: [Step] = []

  init(_ made: Shape) {
    self.made = made
    shape = made
  }

  /// - Returns: false, leaving it as it is, where this step cannot be taken.
  mutating func take(_ step: Step) -> Bool {
    var next = shape
    switch step {
    case .fold(let size) where (1...8).contains(size):
      next = Shape(channels: shape.channels * size * size, resolution: shape.resolution.times(1, by: size))
    case .unfold(let size, _) where (1...8).contains(size) && shape.channels % (size * size) == 0:
      next = Shape(channels: shape.channels / (size * size), resolution: shape.resolution.times(size, by: 1))
    case .enlarge(let size) where (1...8).contains(size): next.resolution = shape.resolution.times(size, by: 1)
    case .repeat(let count) where (1...Compiler.mostChannels).contains(count): next.channels *= count
    default: return false
    }
    guard (1...Compiler.mostChannels).contains(next.channels), next.resolution.up <= View.most,
      next.resolution.down <= View.most, steps.count < View.most
    else { return false }
    shape = next
    steps.append(step)
    return true
  }

  /// Whether each value that was made is there no more than once.
  var isInjective: Bool {
    steps.allSatisfy {
      switch $0 {
      case .fold, .unfold: true
      case .enlarge, .repeat: false
      }
    }
  }

  /// Where each value of [pixel of a grid's block][channel] lies among the channels that were made.
  ///
  /// - Parameter grid: pixels of the picture along a block, a multiple of every resolution's `down`.
  func places(grid: Int) -> [Int] {
    var channels = made.channels
    var side = grid * made.resolution.up / made.resolution.down
    var places = Array(0..<side * side * channels)
    for step in steps {
      let (before, from) = (places, (side: side, channels: channels))
      /// The value at a pixel before this step.
      func value(_ y: Int, _ x: Int, _ channel: Int) -> Int { before[(y * from.side + x) * from.channels + channel] }
      let source: (_ y: Int, _ x: Int, _ channel: Int) -> Int
      switch step {
      case .fold(let size):
        side /= size
        channels *= size * size
        source = { y, x, channel in
          let pixel = channel / from.channels
          return value(y * size + pixel / size, x * size + pixel % size, channel % from.channels)
        }
      case .unfold(let size, let planar):
        side *= size
        channels /= size * size
        let count = channels
        source = { y, x, channel in
          let pixel = y % size * size + x % size
          return value(y / size, x / size, planar ? channel * size * size + pixel : pixel * count + channel)
        }
      case .enlarge(let size):
        side *= size
        source = { y, x, channel in value(y / size, x / size, channel) }
      case .repeat(let count):
        channels *= count
        source = { y, x, channel in value(y, x, channel % from.channels) }
      }
      places = (0..<side * side * channels).map { index in
        let pixel = index / channels
        return source(pixel / side, pixel % side, index % channels)
      }
    }
    return places
  }
}

/// How a tensor is enlarged twice by linear interpolation: each sample of the output is between two of the input.
enum Interpolation: Hashable {
  /// Centres of pixels keep their places: quarters and three quarters.
  case halfPixel
  /// Every other sample is one of the input.
  case asymmetric

  /// By the name of ONNX's `coordinate_transformation_mode`; nil for others.
  init?(_ coordinates: String) {
    switch coordinates {
    case "half_pixel", "pytorch_half_pixel": self = .halfPixel
    case "asymmetric": self = .asymmetric
    default: return nil
    }
  }

  /// In quarters, of the samples before, at and after an output sample's place: of even outputs, of odd ones.
  var weights: (even: [Int32], odd: [Int32]) {
    switch self {
    case .halfPixel: ([1, 3, 0], [0, 3, 1])
    case .asymmetric: ([0, 4, 0], [0, 2, 2])
    }
  }

  /// Samples before, at and after an output's place that it is between, and their weights in quarters; the second may
  /// weigh nothing.
  func neighbours(_ output: Int) -> (first: Int, second: Int, weights: (Int32, Int32)) {
    let at = output / 2
    switch self {
    case .halfPixel: return (at, output % 2 == 0 ? at - 1 : at + 1, (3, 1))
    case .asymmetric: return output % 2 == 0 ? (at, at, (4, 0)) : (at, at + 1, (2, 2))
    }
  }

  /// Bits that the interpolated picture has: four more, which make it exact, up to 16.
  static func depth(of depth: Int) -> Int { min(depth + 4, 16) }
}

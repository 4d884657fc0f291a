/// One row of a convolution's outputs, for one or two blocks of sixteen channels.
///
/// The weights are a list of taps, grouped by input row: each is four (`few`: sixteen) neighbouring input bytes, from
/// `offsets` bytes after the pixel's own place, and 64 · blocks bytes of weights (`quads`: 16). Elements and weights have
/// the instruction set's `elementBytes`. That covers any kernel size, any number of channels, and zeros left out. Taps one
/// pixel apart share what they load, so an entry may hold three or two of them.
public struct ConvolutionRow {
  public enum Shape: Sendable {
    /// A tap is four bytes, for sixteen outputs a block.
    case taps
    /// A tap is sixteen bytes, for four outputs.
    case few
    /// A tap is four bytes, for four outputs: 16 bytes of weights. Pixels' groups of four bytes lie side by side, and each
    /// group of channels is an input row of its own.
    case quads
  }

  public var shape: Shape
  public var blocks: Int
  /// Where pixel 0 of each input row lies.
  public var rows: UnsafePointer<UnsafePointer<UInt8>>
  public var rowCount: Int
  /// Bytes from one output pixel's place in the input to the next's.
  public var inputStep: Int
  /// Each input row has entries of three taps, then of two, then of one: the numbers after the last of each.
  public var rowEnds: UnsafePointer<Int32>
  public var offsets: UnsafePointer<Int32>
  public var weights: UnsafePointer<Int8>
  public var bias: UnsafePointer<Int32>
  public var requantisation: Requantisation
  /// Quantised output: pixel 0's first channel of the block, and the bytes from pixel to pixel.
  public var output: UnsafeMutablePointer<UInt8>?
  /// Bytes from one group of four channels to the next, whose pixels lie side by side then; 0: channels do. For one
  /// block, where the instruction set has `quads`.
  public var outputPlane: Int
  /// Or sums: of `outputStep` integers a pixel; for `few`, [4 outputs][4 pixels] every four pixels, for
  /// `quads` [4 outputs][16 pixels] every sixteen.
  public var sums: UnsafeMutablePointer<Int32>?
  public var outputStep: Int
  /// In pixels. Outputs are written, and inputs read, up to the next multiple of eight beyond; for `quads`, of 32.
  public var width: Int

  public init(
    shape: Shape, blocks: Int, rows: UnsafePointer<UnsafePointer<UInt8>>, rowCount: Int, inputStep: Int,
    rowEnds: UnsafePointer<Int32>, offsets: UnsafePointer<Int32>, weights: UnsafePointer<Int8>,
    bias: UnsafePointer<Int32>, requantisation: Requantisation, output: UnsafeMutablePointer<UInt8>?,
    outputPlane: Int = 0, sums: UnsafeMutablePointer<Int32>?, outputStep: Int, width: Int
  ) {
    self.shape = shape
    self.blocks = blocks
    self.rows = rows
    self.rowCount = rowCount
    self.inputStep = inputStep
    self.rowEnds = rowEnds
    self.offsets = offsets
    self.weights = weights
    self.bias = bias
    self.requantisation = requantisation
    self.output = output
    self.outputPlane = outputPlane
    self.sums = sums
    self.outputStep = outputStep
    self.width = width
  }
}

/// Computes a row, with the widest tile that suits its shape and a constant step where it is a usual one.
@inlinable @inline(__always)
public func convolve<I: InstructionSet>(_: I.Type, _ job: UnsafePointer<ConvolutionRow>) {
  if I.hasQuads && job.pointee.shape == .quads { return convolve(I.QuadTile.self, Step4<I>.self, job) }
  switch job.pointee.inputStep / I.elementBytes {
  case 1: convolve(I.self, Step1<I>.self, job)
  case 16: convolve(I.self, Step16<I>.self, job)
  case 32: convolve(I.self, Step32<I>.self, job)
  case 48: convolve(I.self, Step48<I>.self, job)
  case 64: convolve(I.self, Step64<I>.self, job)
  default: convolve(I.self, AnyStep.self, job)
  }
}

@inlinable @inline(__always)
func convolve<I: InstructionSet, Step: PixelStep>(_: I.Type, _: Step.Type, _ job: UnsafePointer<ConvolutionRow>) {
  switch (job.pointee.shape, job.pointee.blocks) {
  case (.few, _), (.quads, _): convolve(I.FewTile.self, Step.self, job)
  case (.taps, 1): convolve(I.Tile.self, Step.self, job)
  case (.taps, _): convolve(I.WideTile.self, Step.self, job)
  }
}

@inlinable
func convolve<Tile: SumTile, Step: PixelStep>(
  _: Tile.Type, _: Step.Type, _ job: UnsafePointer<ConvolutionRow>
) {
  let job = job.pointee
  let whole = job.width &- job.width % Tile.pixels
  convolve(Tile.self, Step.self, job, from: 0, to: whole)
  if whole < job.width { convolve(Tile.Rest.self, Step.self, job, from: whole, to: job.width) }
}

/// Whole tiles from a pixel on, the last of which may reach beyond the end.
@inlinable @inline(__always)
func convolve<Tile: SumTile, Step: PixelStep>(
  _: Tile.Type, _: Step.Type, _ job: ConvolutionRow, from start: Int, to end: Int
) {
  var x = start
  if !Tile.gathers, let output = job.output {
    if Tile.Instructions.hasQuads && job.outputPlane != 0 && job.requantisation.plainOffsets != nil {
      while x < end {
        let tile = multiply(Tile.self, Step.self, job, x: x, sumOffset: Tile.Instructions.codesOffset)
        tile.store(
          output + x &* job.outputStep, step: job.outputStep, plane: job.outputPlane, job.requantisation, plain: true)
        x &+= Tile.pixels
      }
    } else if job.requantisation.plainOffsets != nil {
      while x < end {
        let tile = multiply(Tile.self, Step.self, job, x: x, sumOffset: Tile.Instructions.codesOffset)
        tile.store(output + x &* job.outputStep, step: job.outputStep, plane: 0, job.requantisation, plain: true)
        x &+= Tile.pixels
      }
    } else {
      while x < end {
        let tile = multiply(Tile.self, Step.self, job, x: x, sumOffset: 0)
        tile.store(
          output + x &* job.outputStep, step: job.outputStep, plane: job.outputPlane, job.requantisation, plain: false)
        x &+= Tile.pixels
      }
    }
  } else if let sums = job.sums {
    while x < end {
      let tile = multiply(Tile.self, Step.self, job, x: x, sumOffset: 0)
      tile.storeSums(sums + x &* job.outputStep, step: job.outputStep)
      x &+= Tile.pixels
    }
  }
}

@inlinable @inline(__always)
func multiply<Tile: SumTile, Step: PixelStep>(
  _: Tile.Type, _: Step.Type, _ job: ConvolutionRow, x: Int, sumOffset: Int32
) -> Tile {
  var tile = Tile(bias: job.bias, offset: sumOffset)
  var offset = job.offsets
  var weights = job.weights
  let step = Step.bytes(job)
  var row = 0
  while row < job.rowCount {
    let pixels = job.rows[row] + x &* step
    let ends = job.rowEnds + (3 &* row)
    let triples = job.offsets + Int(ends[0])
    while offset < triples {
      tile.threeTaps(pixels + Int(offset.pointee), step: step, weights)
      weights += 3 &* Tile.tapBytes
      offset += 1
    }
    let pairs = job.offsets + Int(ends[1])
    while offset < pairs {
      tile.twoTaps(pixels + Int(offset.pointee), step: step, weights)
      weights += 2 &* Tile.tapBytes
      offset += 1
    }
    let singles = job.offsets + Int(ends[2])
    while offset < singles {
      tile.tap(pixels + Int(offset.pointee), step: step, weights)
      weights += Tile.tapBytes
      offset += 1
    }
    row &+= 1
  }
  return tile
}

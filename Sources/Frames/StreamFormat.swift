/// What is known of a stream of pictures before its first one, and what each stage may change of it.
public struct StreamFormat: Sendable, Hashable {
  public var width: Int
  public var height: Int
  public var pixelFormat: PixelFormat
  /// Bits a sample in the file, where the way from RGB needs more in the picture.
  public var codedDepth: Int?
  public var colour: Colour
  /// 0/1 where unknown.
  public var sampleAspectRatio: Rational
  public var timeBase: Rational
  /// Nominal frames a second, where the container gives a believable one. Never used to make timestamps.
  public var frameRate: Rational?
  /// As the stream marks its first frame; `progressive` only where a stage has seen to it, since flags are often wrong.
  public var fields: FieldOrder
  /// FFmpeg's 3x3 display matrix (16.16 fixed point, last column 2.30), where the picture is to be turned or mirrored.
  public var displayMatrix: [Int32]?
  public var masteringDisplay: MasteringDisplay?
  public var contentLight: ContentLight?
  /// How many frames or pages will come: exact for documents, the container's estimate for video.
  public var frameCount: Int?
  /// The stream's index in its file.
  public var sourceStream: Int

  public init(
    width: Int, height: Int, pixelFormat: PixelFormat, colour: Colour = .unspecified,
    sampleAspectRatio: Rational = Rational(0, 1), timeBase: Rational, frameRate: Rational? = nil,
    fields: FieldOrder = .unknown, displayMatrix: [Int32]? = nil, masteringDisplay: MasteringDisplay? = nil,
    contentLight: ContentLight? = nil, frameCount: Int? = nil, sourceStream: Int = 0, codedDepth: Int? = nil
  ) {
    self.width = width
    self.height = height
    self.pixelFormat = pixelFormat
    self.colour = colour
    self.sampleAspectRatio = sampleAspectRatio
    self.timeBase = timeBase
    self.frameRate = frameRate
    self.fields = fields
    self.displayMatrix = displayMatrix
    self.masteringDisplay = masteringDisplay
    self.contentLight = contentLight
    self.frameCount = frameCount
    self.sourceStream = sourceStream
    self.codedDepth = codedDepth
  }
}

/// The display an HDR picture was mastered on: SMPTE ST 2086.
public struct MasteringDisplay: Sendable, Hashable, Codable {
  /// CIE 1931 x and y of red, green and blue, in that order.
  public var primaries: [Rational]
  /// CIE 1931 x and y.
  public var whitePoint: [Rational]
  /// Candela a square metre.
  public var minimumLuminance: Rational
  public var maximumLuminance: Rational

  public init(primaries: [Rational], whitePoint: [Rational], minimumLuminance: Rational, maximumLuminance: Rational) {
    self.primaries = primaries
    self.whitePoint = whitePoint
    self.minimumLuminance = minimumLuminance
    self.maximumLuminance = maximumLuminance
  }
}

/// CTA-861.3 content light levels, in candela a square metre.
public struct ContentLight: Sendable, Hashable, Codable {
  public var maximumContentLight: Int
  public var maximumFrameAverage: Int

  public init(maximumContentLight: Int, maximumFrameAverage: Int) {
    self.maximumContentLight = maximumContentLight
    self.maximumFrameAverage = maximumFrameAverage
  }
}

import Frames

/// How a stream's pictures come to lie in an output: turned here, or by players as the container tells them.
struct Placement {
  /// What the encoder gets.
  let format: StreamFormat
  /// For the container, where it is to tell players.
  let carriedMatrix: [Int32]?
  let notes: [MediaNote]
  private let orientation: Orientation
  /// Chroma that is halved one way only cannot be turned in place.
  private let widener: Scaler?

  init(_ source: StreamFormat, _ settings: WriterSettings) throws {
    var format = source
    var notes: [MediaNote] = []
    var turn = Orientation.upright
    var carried: [Int32]?
    let label = "video stream \(source.sourceStream)"
    if let matrix = source.displayMatrix {
      let apply =
        switch settings.orientation {
        case .auto: !settings.container.carriesDisplayMatrix
        case .apply: true
        case .carry: false
        }
      let orientation = Orientation(displayMatrix: matrix)
      if apply, let orientation {
        turn = orientation
        if turn != .upright {
          notes.append(MediaNote(.converted, "\(label): the display matrix is applied to the pixels"))
        }
      } else if settings.container.carriesDisplayMatrix {
        carried = Placement.recentred(matrix, width: source.width, height: source.height)
      } else {
        notes.append(MediaNote(.loss, "\(label): display matrix; \(settings.container.name) cannot hold it"))
      }
    }
    var widener: Scaler?
    if turn.transposed, [.yuv422, .yuv440, .yuv411].contains(source.pixelFormat.chroma) {
      format.pixelFormat.chroma = .yuv444
      widener = try Scaler(
        from: PictureLayout(width: source.width, height: source.height, format: source.pixelFormat),
        to: PictureLayout(width: source.width, height: source.height, format: format.pixelFormat))
    }
    if carried == nil { format = format.turned(turn) }
    (self.format, carriedMatrix, self.notes, orientation, self.widener) = (format, carried, notes, turn, widener)
  }

  func place(_ picture: Picture) throws -> Picture {
    try (widener?.scale(picture) ?? picture).turned(orientation)
  }

  /// The matrix with the translation that brings a picture of the new size back to the origin.
  private static func recentred(_ matrix: [Int32], width: Int, height: Int) -> [Int32] {
    guard let orientation = Orientation(displayMatrix: matrix) else { return matrix }
    var result = orientation.displayMatrix
    let size = orientation.transposed ? (height, width) : (width, height)
    result[6] = orientation.mirrored ? Int32(clamping: size.0 << 16) : 0
    result[7] = orientation.flipped ? Int32(clamping: size.1 << 16) : 0
    return result
  }
}

extension StreamFormat {
  /// What is known of a stream whose pictures are turned, and need no display matrix any more.
  public func turned(_ orientation: Orientation) -> StreamFormat {
    var result = self
    result.displayMatrix = nil
    result.pixelFormat = pixelFormat.turned(orientation)
    result.colour.chromaLocation = Picture.turnedChromaLocation(colour.chromaLocation, orientation)
    if orientation.transposed {
      (result.width, result.height) = (height, width)
      if sampleAspectRatio.isValid { result.sampleAspectRatio = sampleAspectRatio.inverse }
    }
    return result
  }
}

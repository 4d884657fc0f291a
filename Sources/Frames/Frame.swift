/// Which field of an interlaced picture is shown first.
public enum FieldOrder: String, Sendable, Hashable, Codable { case unknown, progressive, topFirst, bottomFirst }

/// What flows through a chain: a picture with its place in time (a frame of video) or in a document (a page).
public struct Frame: Sendable {
  public var picture: Picture
  /// Which of the source's streams it belongs to: an index into `Source.streams`.
  public var stream: Int
  /// When it is shown, in the source's own units. For pages, their number counted from 0.
  public var timestamp: Timestamp
  /// How long it is shown, in units of `timestamp.timeBase`, where the source says so.
  public var duration: Int?
  public var fields: FieldOrder
  /// What is known beyond the picture where it is the page of a document.
  public var page: Page?
  /// Data that a codec attaches to a single frame and a sink may carry on (captions, dynamic HDR metadata).
  public var sideData: [FrameSideData]

  public init(
    picture: Picture, stream: Int = 0, timestamp: Timestamp, duration: Int? = nil, fields: FieldOrder = .unknown,
    page: Page? = nil, sideData: [FrameSideData] = []
  ) {
    self.picture = picture
    self.stream = stream
    self.timestamp = timestamp
    self.duration = duration
    self.fields = fields
    self.page = page
    self.sideData = sideData
  }

  /// The same moment with another picture.
  public func with(_ picture: Picture) -> Frame {
    var copy = self
    copy.picture = picture
    return copy
  }
}

/// A codec's own data for one frame: FFmpeg's `AVFrameSideDataType` and its bytes.
public struct FrameSideData: Sendable, Hashable {
  public var type: Int
  public var bytes: [UInt8]

  public init(type: Int, bytes: [UInt8]) {
    self.type = type
    self.bytes = bytes
  }
}

import Frames

/// What stretches of a stream look like to libavfilter's `idet`: whole pictures, fields of two moments woven together,
/// or film brought to 30 frames a second by repeated fields (3:2 pulldown). Flags are not trusted, only counted.
public struct FieldScan: Sendable, Hashable, Codable {
  public enum Content: Sendable, Hashable {
    case whole
    /// Woven of two moments; the order is `topFirst` or `bottomFirst`.
    case interlaced(FieldOrder)
    /// Two frames of five are woven of two film frames; the order is that of the fields.
    case telecined(FieldOrder)
    /// Too little moves to tell.
    case unsure
  }

  /// How many frames were looked at, and how many of them the stream marks as interlaced.
  public private(set) var frames = 0
  public private(set) var flagged = 0
  private var topFirst = 0
  private var bottomFirst = 0
  private var whole = 0
  /// Nobody says that there are fields: most frames must show them, but for telecined film's two of five.
  private var isDoubtful = false
  /// Frames that repeat a field of the one before where 3:2 pulldown would, those that do so elsewhere, and how many
  /// pulldown would have in stretches as long.
  private var onBeat = 0
  private var offBeat = 0
  private var beats = 0

  private static let stretches = 8
  private static let length = 15

  /// Looks at eight stretches of fifteen frames, spread over the stream `number` of the file.
  public init(_ path: String, stream number: Int, threads: Int) throws {
    try self.init(path, number, threads, detector: "idet", label: "lavfi.idet.multiple.current_frame")
    guard flagged == 0, content != .whole, content != .unsure else { return }
    // Fields that nobody has marked must be plain. At idet's own threshold of 1.04 moving patterns of thin lines pass
    // for them in every frame, at 1.25 still in some; at 1.5 in few, and real fields in most.
    self = try FieldScan(
      path, number, threads, detector: "idet=intl_thres=1.5", label: "lavfi.idet.single.current_frame")
    isDoubtful = true
  }

  private init(_ path: String, _ number: Int, _ threads: Int, detector: String, label: String) throws {
    var graph: FilterGraph?
    var current = -1
    let tally = Tally()
    func close() throws {
      try graph?.filter(nil) { _ in }
      count(tally, by: label)
      tally.labels = []
    }
    try VideoReader.runs(
      of: path, stream: number, stretches: FieldScan.stretches, frames: FieldScan.length, threads: threads
    ) { run, frame in
      if run != current {
        try close()
        let picture = frame.picture
        let format = StreamFormat(
          width: picture.width, height: picture.height, pixelFormat: picture.format, colour: picture.colour,
          timeBase: frame.timestamp.timeBase)
        graph = try FilterGraph(detector, input: format, threads: threads)
        graph?.onMetadata = { tally.labels.append($0) }
        current = run
      }
      frames += 1
      if frame.fields.isInterlaced { flagged += 1 }
      try graph?.filter(frame) { _ in }
    }
    try close()
  }

  private final class Tally { var labels: [[String: String]] = [] }

  private mutating func count(_ run: Tally, by key: String) {
    for label in run.labels {
      switch label[key] {
      case "tff": topFirst += 1
      case "bff": bottomFirst += 1
      case "progressive": whole += 1
      default: break
      }
    }
    // Of five frames one repeats a top field and, two or three later, one a bottom field.
    let repeated = run.labels.map { $0["lavfi.idet.repeated.current_frame"] }
    let all = repeated.filter { $0 == "top" || $0 == "bottom" }.count
    var best = 0
    for phase in 0..<5 {
      for distance in [2, 3] {
        best = max(
          best,
          repeated.indices.filter {
            ($0 % 5 == phase && repeated[$0] == "top")
              || ($0 % 5 == (phase + distance) % 5 && repeated[$0] == "bottom")
          }.count)
      }
    }
    onBeat += best
    offBeat += all - best
    beats += run.labels.count * 2 / 5
  }

  public var content: Content {
    let order = topFirst >= bottomFirst ? FieldOrder.topFirst : .bottomFirst
    let (woven, determined) = (topFirst + bottomFirst, topFirst + bottomFirst + whole)
    guard determined >= 8 else { return .unsure }
    // Noise is taken for fields of either order; real fields have one.
    if woven * 4 >= determined, max(topFirst, bottomFirst) >= 4 * min(topFirst, bottomFirst) {
      if beats > 0, onBeat * 10 >= beats * 6, offBeat * 4 <= onBeat { return .telecined(order) }
      return isDoubtful && woven * 2 < determined ? .unsure : .interlaced(order)
    }
    return woven * 20 <= determined ? .whole : .unsure
  }
}

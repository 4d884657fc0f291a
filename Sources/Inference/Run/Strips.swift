import Foundation

/// How a picture is cut into strips of columns, so narrow that a strip's rows of all tensors stay in a core's cache.
///
/// Of each tensor a strip makes columns that lie further right by the tensor's `lead` (`Plan.leads`), so that a layer
/// finds all that it reads to the right; what it reads to the left, the strip before has left in a `Seam`. So no column
/// is made twice, and none differs from what a strip as wide as the picture would make.
struct Strips {
  /// Columns that strips and leads are whole multiples of: eight are a whole number of the smaller tiles of any level.
  static let grain = 8
  /// Narrower ones cost more than a cache that they fit gains.
  static let narrowest = 64

  let width: Int
  /// Where each strip of the output begins: 0 and multiples of `grain`.
  private let starts: [Int]

  var count: Int { starts.count }

  /// - Parameters:
  ///   - width: of the folded picture.
  ///   - stripWidth: of all strips but the last, rounded up; nil: as many as the cache holds.
  ///   - threads: with several, there is one strip even of rows that take 2.5 times the cache: they can be cut and lent
  ///     while they are made (`RowShares`), which gains more than what spills into the cores' common cache costs.
  ///   - cache: bytes of a core's own.
  init(_ plan: Plan, width: Int, stripWidth: Int? = nil, threads: Int = 1, cache: Int = Strips.cache) {
    self.width = width
    if let stripWidth {
      starts = Array(stride(from: 0, to: width, by: Strips.rounded(max(stripWidth, 1))))
      return
    }
    if threads > 1 && plan.lends && width * plan.bytesPerColumn + plan.arena.bytes <= cache * 5 / 2 {
      starts = [0]
      return
    }
    let most = width / max(Strips.narrowest, 2 * plan.meanLead)
    let room = max(cache * 3 / 4 - plan.arena.bytes, cache / 4)
    let count = max(min((width * plan.bytesPerColumn + room - 1) / room, most), 1)
    // Whole tiles; the first strip makes more of what leads, the last less.
    let each = (width / count + Band.tile - 1) / Band.tile * Band.tile
    let first = each - plan.meanLead / Strips.grain * Strips.grain
    starts = [0] + (0..<count - 1).map { first + each * $0 }.filter { $0 < width }
  }

  static func rounded(_ columns: Int) -> Int { (columns + grain - 1) / grain * grain }

  /// The columns that a strip makes of a tensor with that lead; 0 for the output.
  func columns(_ strip: Int, lead: Int) -> Columns {
    let start = strip == 0 ? 0 : min(width, starts[strip] + lead)
    let end = strip + 1 == count ? width : min(width, starts[strip + 1] + lead)
    return Columns(lowerBound: start, upperBound: end)
  }

  /// Columns of the widest strip.
  func widest(lead: Int) -> Int { (0..<count).map { columns($0, lead: lead).count }.max() ?? 0 }

  /// Bytes of a core's own cache.
  static let cache: Int = {
    #if canImport(Glibc)
      let size = sysconf(Int32(_SC_LEVEL2_CACHE_SIZE))
      if size > 0 { return min(max(size, 1 << 18), 1 << 24) }
    #endif
    return 1 << 20
  }()
}

/// Those of a strip, where a range would have to be checked each time.
struct Columns: BitwiseCopyable {
  var lowerBound: Int
  var upperBound: Int
  var count: Int { upperBound - lowerBound }
}

import CZlib
import Foundation

extension PNGHeader {
  /// The samples without their opacity, deflated with PNG's filters still on them, where nothing shows through: PDF/A
  /// wants opacity apart. Nil where a pixel is not opaque, the samples are not of 8 bits, or are damaged.
  ///
  /// Filters work on each channel by itself, so that one may be left out without undoing them: of a channel that is
  /// 255 all over it is known what they leave.
  func opaqueSamples(in data: Data) -> [UInt8]? {
    guard depth == 8, !interlaced, colourType == 4 || colourType == 6,
      let inflater = Inflater(data, samples), let deflater = Deflater()
    else { return nil }
    let channels = colourType == 4 ? 2 : 4
    let kept = channels - 1
    var row = [UInt8](repeating: 0, count: 1 + width * channels)
    var shortened = [UInt8](repeating: 0, count: 1 + width * kept)
    for y in 0..<height {
      guard inflater.fill(&row), let opaque = PNGHeader.opaque(filter: row[0], isFirstRow: y == 0) else { return nil }
      shortened[0] = row[0]
      var differs = row[channels] ^ opaque.first
      row.withUnsafeBufferPointer { row in
        shortened.withUnsafeMutableBufferPointer { shortened in
          for x in 0..<width {
            for channel in 1...kept { shortened[x * kept + channel] = row[x * channels + channel] }
            if x > 0 { differs |= row[(x + 1) * channels] ^ opaque.rest }
          }
        }
      }
      guard differs == 0, deflater.add(shortened) else { return nil }
    }
    return deflater.finish()
  }

  /// What a filter leaves of opacity in a row's first pixel and in its others; nil where there is no such filter.
  private static func opaque(filter: UInt8, isFirstRow: Bool) -> (first: UInt8, rest: UInt8)? {
    let above: UInt8 = isFirstRow ? 0 : 255
    return switch filter {
    case 0: (255, 255)
    case 1: (255, 0)
    case 2: (255 - above, 255 - above)
    case 3: (255 - above / 2, isFirstRow ? 128 : 0)
    // Paeth's choice: what lies above in the first pixel, what lies to the left in the others.
    case 4: (255 - above, 0)
    default: nil
    }
  }
}

/// Inflates stretches of a file that are one stream, as far as is asked for. Used by one thread.
private final class Inflater {
  private let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
  private let data: Data
  private var stretches: ArraySlice<Range<Int>>

  init?(_ data: Data, _ stretches: [Range<Int>]) {
    (self.data, self.stretches) = (data, stretches[...])
    stream.initialize(to: z_stream())
    guard inflateInit_(stream, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
      stream.deallocate()
      return nil
    }
  }

  deinit {
    inflateEnd(stream)
    stream.deallocate()
  }

  /// False where the stream is damaged or ends before.
  func fill(_ bytes: inout [UInt8]) -> Bool {
    let count = bytes.count
    return bytes.withUnsafeMutableBufferPointer { target in
      var filled = 0
      while filled < count {
        guard let stretch = stretches.first else { return false }
        if stretch.isEmpty {
          stretches.removeFirst()
          continue
        }
        let (used, made, isOver) = data.withUnsafeBytes { source in
          let available = min(stretch.count, Int(UInt32.max))
          stream.pointee.next_in = UnsafeMutablePointer(
            mutating: source.bindMemory(to: UInt8.self).baseAddress! + stretch.lowerBound)
          stream.pointee.avail_in = UInt32(available)
          stream.pointee.next_out = target.baseAddress! + filled
          stream.pointee.avail_out = UInt32(clamping: count - filled)
          let before = Int(stream.pointee.avail_out)
          let status = inflate(stream, Z_NO_FLUSH)
          return (
            available - Int(stream.pointee.avail_in), before - Int(stream.pointee.avail_out),
            status != Z_OK && status != Z_BUF_ERROR
          )
        }
        filled += made
        stretches[stretches.startIndex] = stretch.lowerBound + used..<stretch.upperBound
        if filled < count, isOver || (used == 0 && made == 0) { return false }
      }
      return true
    }
  }
}

/// Deflates a stream with a zlib header, fast rather than small. Used by one thread.
private final class Deflater {
  private let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
  private var result: [UInt8] = []
  private var piece = [UInt8](repeating: 0, count: 1 << 16)
  /// Of scanned and drawn pages higher levels save about a hundredth, in twice the time.
  private static let level: Int32 = 3

  init?() {
    stream.initialize(to: z_stream())
    guard deflateInit_(stream, Deflater.level, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
      stream.deallocate()
      return nil
    }
  }

  deinit {
    deflateEnd(stream)
    stream.deallocate()
  }

  func add(_ bytes: [UInt8]) -> Bool { run(bytes, Z_NO_FLUSH) }

  func finish() -> [UInt8]? { run([], Z_FINISH) ? result : nil }

  private func run(_ bytes: [UInt8], _ flush: Int32) -> Bool {
    bytes.withUnsafeBufferPointer { source in
      stream.pointee.next_in = UnsafeMutablePointer(mutating: source.baseAddress)
      stream.pointee.avail_in = UInt32(clamping: source.count)
      while true {
        let (status, made) = piece.withUnsafeMutableBufferPointer { target in
          stream.pointee.next_out = target.baseAddress
          stream.pointee.avail_out = UInt32(target.count)
          let status = deflate(stream, flush)
          return (status, target.count - Int(stream.pointee.avail_out))
        }
        guard status == Z_OK || status == Z_STREAM_END || status == Z_BUF_ERROR else { return false }
        result += piece[..<made]
        if stream.pointee.avail_out > 0 { return stream.pointee.avail_in == 0 }
      }
    }
  }
}

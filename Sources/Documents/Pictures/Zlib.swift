import CZlib
import Foundation

/// Inflates stretches of a file that are one stream, as far as is asked for. Used by one thread.
final class Inflater {
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

  /// How many of `bytes` were made: fewer where the stream is damaged or ends before.
  func fill(_ bytes: inout [UInt8]) -> Int {
    let count = bytes.count
    return bytes.withUnsafeMutableBufferPointer { target in
      var filled = 0
      while filled < count {
        guard let stretch = stretches.first else { return filled }
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
        if filled < count, isOver || (used == 0 && made == 0) { return filled }
      }
      return filled
    }
  }
}

/// Deflates a stream with a zlib header, fast rather than small. Used by one thread.
final class Deflater {
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

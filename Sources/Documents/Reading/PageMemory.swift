import CTesseract
import Foundation

/// How memory is had for pages, which are large and of many sizes.
enum PageMemory {
  /// Bytes from which on malloc maps a block of its own.
  static let mapped = 1 << 20

  static let settled: Void = {
    // On glibc's heap pages leave holes that the next one does not fit, and a long document grows by megabytes a page.
    // Blocks of a megabyte and more go back to the system at once instead.
    mallopt(M_MMAP_THRESHOLD, Int32(mapped))
    setPixMemoryManager({ PixelBlocks.shared.take($0) }, { PixelBlocks.shared.giveBack($0) })
  }()
}

/// Memory for the samples of Leptonica's images, lent again and again: Tesseract makes and drops dozens of masks a page,
/// and the system takes as long to hand out the pages of each anew as it takes to fill them.
///
/// Blocks are malloc's, so that one taken here may be freed there, and the other way round.
final class PixelBlocks: @unchecked Sendable {
  // Unchecked: `kept` and `bytes` are touched under `lock` alone.
  private let lock = NSLock()
  /// What nobody uses, the longest unused first.
  private var kept: [(block: UnsafeMutableRawPointer, size: Int)] = []
  private var bytes = 0
  private let limit: Int
  /// Smaller blocks malloc has at hand itself.
  private static let least = PageMemory.mapped

  /// Room for the masks of two pages of 300 dpi.
  static let shared = PixelBlocks(limit: 48 << 20)

  /// - Parameter limit: bytes that may be kept unused.
  init(limit: Int) { self.limit = limit }

  deinit { for (block, _) in kept { free(block) } }

  func take(_ size: Int) -> UnsafeMutableRawPointer? {
    if size < PixelBlocks.least { return malloc(size) }
    lock.lock()
    var best: Int?
    for (index, one) in kept.enumerated() where one.size >= size && one.size <= size &+ size / 4 {
      if let found = best, kept[found].size <= one.size { continue }
      best = index
    }
    let found = best.map { kept.remove(at: $0) }
    bytes -= found?.size ?? 0
    lock.unlock()
    return found?.block ?? malloc(size)
  }

  func giveBack(_ block: UnsafeMutableRawPointer?) {
    let size = malloc_usable_size(block)
    guard let block, size >= PixelBlocks.least, size <= limit else { return free(block) }
    lock.lock()
    kept.append((block, size))
    bytes += size
    var excess = 0
    while bytes > limit {
      bytes -= kept[excess].size
      excess += 1
    }
    let dropped = kept.prefix(excess)
    kept.removeFirst(excess)
    lock.unlock()
    for (block, _) in dropped { free(block) }
  }
}

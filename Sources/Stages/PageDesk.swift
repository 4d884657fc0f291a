import Dispatch
import Frames
import Pipeline

/// A page on its way.
final class PageSlot: Sendable {
  let frame: Frame
  var pixels: Int { frame.picture.width * frame.picture.height }
  private let result = Locked<Result<Frame, any Error>?>(nil)
  private let done = DispatchSemaphore(value: 0)

  init(_ frame: Frame) { self.frame = frame }

  func fill(_ value: Result<Frame, any Error>) {
    result.withLock { $0 = value }
    done.signal()
  }

  var isFilled: Bool { result.withLock { $0 != nil } }

  /// To be called once.
  func wait() throws -> Frame {
    done.wait()
    return try result.withLock { try $0!.get() }
  }
}

/// Pages that wait for one of a few readers: first come, first read, until no more will come. Then the longest is
/// read first, lest it keep one reader busy when the others have nothing left to do.
final class PageDesk: Sendable {
  private struct State {
    var waiting: [PageSlot] = []
    var readers = 0
  }
  private let state = Locked(State())
  private let queue = DispatchQueue(label: "pages", attributes: .concurrent)
  private let readers: Int
  private let read: @Sendable (Frame) throws -> Frame

  init(readers: Int, _ read: @escaping @Sendable (Frame) throws -> Frame) {
    self.readers = readers
    self.read = read
  }

  func add(_ slot: PageSlot) {
    let wantsReader = state.withLock {
      $0.waiting.append(slot)
      guard $0.readers < readers else { return false }
      $0.readers += 1
      return true
    }
    guard wantsReader else { return }
    queue.async { [self] in
      while let slot = next() { slot.fill(Result { try read(slot.frame) }) }
    }
  }

  /// No more pages will come.
  func end() {
    state.withLock {
      let lengths = $0.waiting.map { (slot: $0, length: $0.frame.picture.inkEdges) }
      $0.waiting = lengths.sorted { $0.length > $1.length }.map(\.slot)
    }
  }

  /// Nobody waits for the pages any more.
  func abandon() { state.withLock { $0.waiting = [] } }

  private func next() -> PageSlot? {
    state.withLock {
      if $0.waiting.isEmpty {
        $0.readers -= 1
        return nil
      }
      return $0.waiting.removeFirst()
    }
  }
}

extension Picture {
  /// How often brightness jumps along some of its rows: grows with the letters on a page, and so with the time that
  /// reading it takes.
  var inkEdges: Int {
    guard format.depth == 8 else { return width * height }
    return withPlanes { planes in
      var edges = 0
      for y in stride(from: 0, to: planes[0].height, by: 8) {
        let row = planes[0].row(y, as: UInt8.self)
        for x in 1..<max(planes[0].width, 1) where abs(Int16(row[x]) - Int16(row[x - 1])) > 48 { edges += 1 }
      }
      return edges
    }
  }
}

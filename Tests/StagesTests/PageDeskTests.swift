import Dispatch
import Foundation
import Frames
import Pipeline
import Testing

@testable import Stages

@Suite struct PageDeskTests {
  /// A page of so many dark columns.
  private func slot(_ number: Int, columns: Int) -> PageSlot {
    let picture = Picture(width: 64, height: 64, format: PixelFormat(.none)) { planes in
      for y in 0..<64 {
        for x in 0..<64 { planes[0].row(y, as: UInt8.self)[x] = x % 2 == 0 && x < 2 * columns ? 0 : 255 }
      }
    }
    return PageSlot(Frame(picture: picture, timestamp: Timestamp(number, timeBase: Rational(1, 1))))
  }

  @Test func `pages are read as they come, and the longest first when no more will come`() throws {
    let read = Locked<[Int]>([])
    let hold = DispatchSemaphore(value: 0)
    let begun = DispatchSemaphore(value: 0)
    let desk = PageDesk(readers: 1) { frame in
      begun.signal()
      hold.wait()
      read.withLock { $0.append(frame.timestamp.value) }
      return frame
    }
    let slots = [4, 1, 9, 30, 2, 20].enumerated().map { slot($0, columns: $1) }
    for slot in slots.prefix(4) { desk.add(slot) }
    // The first is being read; the second is taken before the end is known.
    begun.wait()
    hold.signal()
    begun.wait()
    for slot in slots.dropFirst(4) { desk.add(slot) }
    desk.end()
    for _ in 1..<slots.count { hold.signal() }
    for (number, slot) in slots.enumerated() { #expect(try slot.wait().timestamp.value == number) }
    #expect(read.withLock { $0 } == [0, 1, 3, 5, 2, 4])
  }

  @Test func `no more pages are read at once than there are readers`() throws {
    let busy = Locked((now: 0, most: 0))
    let desk = PageDesk(readers: 3) { frame in
      busy.withLock {
        $0.now += 1
        $0.most = max($0.most, $0.now)
      }
      usleep(2000)
      busy.withLock { $0.now -= 1 }
      return frame
    }
    let slots = (0..<40).map { slot($0, columns: 1) }
    slots.forEach(desk.add)
    for slot in slots { _ = try slot.wait() }
    #expect(busy.withLock { $0.most } <= 3)
  }
}

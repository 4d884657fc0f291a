import Collections
import Foundation

/// Hands items from one thread to the next, in order; the writer waits while it is full, the reader while it is empty.
final class BoundedQueue<Item: Sendable>: @unchecked Sendable {
  // Unchecked: all state is touched under `condition` alone.
  private let condition = NSCondition()
  private let capacity: Int
  private var items: Deque<Item> = []
  private var ended = false
  private var broken = false

  init(capacity: Int) { self.capacity = max(capacity, 1) }

  /// Throws `QueueBroken` when the other end has given up.
  func push(_ item: Item) throws {
    condition.lock()
    defer { condition.unlock() }
    while items.count >= capacity && !broken { condition.wait() }
    if broken { throw QueueBroken() }
    items.append(item)
    condition.broadcast()
  }

  /// The next item, or nil after the last. Throws `QueueBroken` when the other end has given up.
  func pop() throws -> Item? {
    condition.lock()
    defer { condition.unlock() }
    while items.isEmpty && !ended && !broken { condition.wait() }
    if broken { throw QueueBroken() }
    let item = items.popFirst()
    condition.broadcast()
    return item
  }

  /// No more items will come.
  func end() { set { ended = true } }

  /// Wakes both ends with an error: another part of the chain has failed.
  func breakOff() {
    set {
      broken = true
      items.removeAll()
    }
  }

  private func set(_ change: () -> Void) {
    condition.lock()
    change()
    condition.broadcast()
    condition.unlock()
  }
}

struct QueueBroken: Error {}

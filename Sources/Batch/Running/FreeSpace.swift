import Foundation
import Frames

/// Keeps a run from filling a disk to the brim: below the reserve, jobs wait, and after a while the run ends.
final class FreeSpace: Sendable {
  /// Bytes that are left to others: 256 MiB, or a fiftieth of a small disk.
  private let reserve: Int
  /// Seconds to wait for room.
  private let patience: Double
  private let say: @Sendable (String) -> Void

  init(_ root: OutputRoot, patience: Double = 60, say: @escaping @Sendable (String) -> Void) {
    let size = FileSystem.diskSize(root.path) ?? .max
    reserve = min(256 << 20, size / 50)
    (self.patience, self.say) = (patience, say)
  }

  /// Whether next to nothing can be written any more.
  func isFull(_ path: String) -> Bool { FileSystem.freeSpace(path).map { $0 < min(reserve, 256 << 10) } ?? false }

  /// Returns when there is room again; false where there is none in time, or the run is to stop.
  func wait(for path: String, stop: StopFlag) -> Bool {
    let start = ContinuousClock.now
    var told = false
    while let free = FileSystem.freeSpace(path), free < reserve {
      if !told {
        say("only \(free >> 20) MiB are free at \(path): waiting until \(reserve >> 20) MiB are")
        told = true
      }
      if stop.level > .none || start.duration(to: .now).seconds > patience { return false }
      Thread.sleep(forTimeInterval: 0.5)
    }
    return true
  }
}

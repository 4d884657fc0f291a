import Foundation
import Pipeline

/// Waits for changes below folders by inotify, and says whether it can be relied on: not for network folders.
final class FolderWatch {
  private let descriptor = inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC))
  private(set) var isReliable: Bool
  private static let changes =
    UInt32(IN_CLOSE_WRITE) | UInt32(IN_CREATE) | UInt32(IN_MOVED_TO) | UInt32(IN_ATTRIB) | UInt32(IN_MOVE_SELF)

  init(_ inputs: [String]) {
    isReliable = descriptor >= 0
    for input in inputs {
      if Self.isRemote(input) { isReliable = false }
      add(input)
    }
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  private func add(_ path: String) {
    guard descriptor >= 0 else { return }
    if inotify_add_watch(descriptor, path, Self.changes) < 0 { isReliable = false }
    let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    for name in names where !name.hasPrefix(".") {
      let below = path + "/" + name
      var status = stat()
      if lstat(below, &status) == 0, status.isFolder { add(below) }
    }
  }

  /// Returns after a change (and a short while in which its like may follow), after so long, or when stopped.
  func wait(seconds: Double, stop: StopFlag) {
    let limit = ContinuousClock.now + .seconds(seconds)
    while ContinuousClock.now < limit, stop.level == .none {
      var polled = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      if descriptor < 0 {
        usleep(200_000)
      } else if poll(&polled, 1, 200) > 0 {
        usleep(300_000)
        return
      }
    }
  }

  /// Whether others may write there without our kernel seeing it: NFS, SMB, FUSE, 9p.
  private static func isRemote(_ path: String) -> Bool {
    guard let resolved = FileSystem.resolved(path),
      let mounts = try? String(contentsOfFile: "/proc/self/mounts", encoding: .utf8)
    else { return false }
    var best = (length: -1, type: "")
    for line in mounts.split(separator: "\n") {
      let fields = line.split(separator: " ")
      guard fields.count > 2 else { continue }
      let point = fields[1].replacingOccurrences(of: "\\040", with: " ")
      if resolved == point || resolved.hasPrefix(point == "/" ? "/" : point + "/"), point.utf8.count >= best.length {
        best = (point.utf8.count, String(fields[2]))
      }
    }
    return ["nfs", "cifs", "smb", "fuse", "9p"].contains { best.type.hasPrefix($0) }
  }
}

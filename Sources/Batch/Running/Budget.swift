import Foundation
import Frames

/// What this machine lends us: one budget, shared out before jobs start.
public struct Budget: Sendable, Hashable {
  /// Threads that may be busy at once.
  public var threads: Int
  /// Bytes.
  public var memory: Int

  public init(threads: Int, memory: Int) { (self.threads, self.memory) = (max(threads, 1), memory) }

  /// What the kernel lets this process have: its processors by affinity and by the control group's quota, not the
  /// machine's; memory likewise.
  public static var available: Budget {
    let groups = ControlGroups()
    let quota = groups.processors.map { max(Int($0.rounded(.up)), 1) } ?? .max
    let memory = Int(clamping: ProcessInfo.processInfo.physicalMemory)
    return Budget(
      threads: min(ProcessInfo.processInfo.activeProcessorCount, quota), memory: min(memory, groups.memory ?? .max))
  }

  /// How many jobs run at once: one with all threads where there are few files, several where files are so many that
  /// the start and the end of each, which keep no core busy, are better overlapped.
  func lanes(jobs: Int, requested: Int?) -> Int {
    if let requested { return max(min(requested, jobs), 1) }
    // A lane wants some memory of its own: a worker with a network, a decoder's frames, an encoder's lookahead.
    let fitting = max(memory / (1 << 30), 1)
    return max(min(threads, jobs / 2, fitting, 16), 1)
  }

  /// The threads of one job when `active` are running or about to: twice its share. Where one waits, for its input or
  /// at its end, the others have something for its core to do.
  func threads(active: Int) -> Int { min(max(2 * threads / max(active, 1), 1), threads) }

  /// The address space of one worker: its share of the memory, and room for what is only reserved.
  func addressSpace(lanes: Int) -> Int { memory / max(lanes, 1) &+ (2 << 30) }
}

/// The limits of the control groups that this process is in (version 2, and 1 where it is mounted).
private struct ControlGroups {
  var processors: Double?
  var memory: Int?

  init() {
    let lines = (try? String(contentsOfFile: "/proc/self/cgroup", encoding: .utf8)) ?? ""
    for line in lines.split(separator: "\n") {
      let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard fields.count == 3 else { continue }
      let path = String(fields[2])
      if fields[0] == "0" {
        walk("/sys/fs/cgroup", path) { group, folder in
          let words = Self.words(folder + "/cpu.max")
          if words.count == 2, let quota = Double(words[0]), let period = Double(words[1]), period > 0 {
            group.limit(processors: quota / period)
          }
          group.limit(memory: Self.words(folder + "/memory.max").first)
        }
      } else if fields[1].split(separator: ",").contains("cpu") {
        walk("/sys/fs/cgroup/\(fields[1])", path) { group, folder in
          if let quota = Self.words(folder + "/cpu.cfs_quota_us").first.flatMap(Double.init), quota > 0,
            let period = Self.words(folder + "/cpu.cfs_period_us").first.flatMap(Double.init), period > 0
          {
            group.limit(processors: quota / period)
          }
        }
      } else if fields[1] == "memory" {
        walk("/sys/fs/cgroup/memory", path) { $0.limit(memory: Self.words($1 + "/memory.limit_in_bytes").first) }
      }
    }
  }

  /// The group and all above it: each may set a limit. In a container the path may not be visible; its root is.
  private mutating func walk(_ mount: String, _ path: String, _ body: (inout ControlGroups, String) -> Void) {
    var path = path
    while true {
      body(&self, path == "/" ? mount : mount + path)
      if path == "/" || path.isEmpty { return }
      path = path.parentFolder
    }
  }

  private mutating func limit(processors value: Double) { processors = min(processors ?? value, value) }

  private mutating func limit(memory word: String?) {
    guard let value = word.flatMap({ Int($0) }), value > 0 else { return }
    memory = min(memory ?? value, value)
  }

  private static func words(_ path: String) -> [String] {
    let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
    return text.split(whereSeparator: \.isWhitespace).map(String.init)
  }
}

import Foundation

/// What this process has used, and what it may.
enum ResourceUse {
  /// Processor seconds of all threads, user and system.
  static var cpuSeconds: Double {
    var usage = rusage()
    guard getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 else { return 0 }
    func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
    return seconds(usage.ru_utime) + seconds(usage.ru_stime)
  }

  /// Seconds that the threads now alive have stood in line for a processor: they would work if they were let. Zero where
  /// the kernel does not count them.
  static var waitingSeconds: Double {
    let threads = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")) ?? []
    return threads.reduce(0) { sum, thread in
      // Three numbers: nanoseconds on a processor, nanoseconds in line for one, turns.
      let text = (try? String(contentsOfFile: "/proc/self/task/\(thread)/schedstat", encoding: .utf8)) ?? ""
      let fields = text.split(separator: " ")
      return sum + (fields.count > 1 ? Double(fields[1]) ?? 0 : 0) / 1e9
    }
  }

  /// The most memory that was resident at once since `resetPeakMemory`, in bytes.
  static var peakMemory: Int {
    guard let text = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8) else { return 0 }
    for line in text.split(separator: "\n") where line.hasPrefix("VmHWM:") {
      return (line.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) << 10
    }
    return 0
  }

  static func resetPeakMemory() { write("5", to: "/proc/self/clear_refs") }

  /// Makes this process rather than its parent the one that the kernel ends when memory runs out.
  static func offerToMemoryKiller() { write("500", to: "/proc/self/oom_score_adj") }

  static func limitAddressSpace(_ bytes: Int) {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0 else { return }
    // Only the soft limit: the next job may have more.
    limit.rlim_cur = min(rlim_t(bytes), limit.rlim_max)
    setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit)
  }

  /// A crash on a hostile file is expected here; its memory image is of no use.
  static func forbidCoreDumps() {
    var limit = rlimit(rlim_cur: 0, rlim_max: 0)
    setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &limit)
  }

  private static func write(_ text: String, to path: String) {
    let descriptor = open(path, O_WRONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    _ = text.withCString { Foundation.write(descriptor, $0, strlen($0)) }
    close(descriptor)
  }
}

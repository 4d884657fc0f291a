import Foundation
import Frames
import Media
import Pipeline

/// What tells at a glance whether a file is still the same: if all of it is equal, nobody has written to it.
public struct FileIdentity: Sendable, Hashable, Codable {
  public var size: Int
  /// Nanoseconds since 1970.
  public var modified: Int
  public var inode: UInt64

  private init(size: Int, modified: Int, inode: UInt64) {
    (self.size, self.modified, self.inode) = (size, modified, inode)
  }

  init(_ status: stat) {
    size = Int(status.st_size)
    modified = Int(status.st_mtim.tv_sec) &* 1_000_000_000 &+ Int(status.st_mtim.tv_nsec)
    inode = UInt64(status.st_ino)
  }

  /// Nil where there is no plain file at `path`; links are followed. Of a sequence of pictures: of all together.
  public init?(path: String) {
    if let sequence = PictureSequence(path) {
      let all = sequence.entries.compactMap { FileSystem.status($0.path).map(FileIdentity.init) }
      guard all.count == sequence.entries.count else { return nil }
      self.init(
        size: all.reduce(0) { $0 &+ $1.size }, modified: all.map(\.modified).max() ?? 0,
        inode: all.reduce(UInt64(all.count)) { $0 &* 31 &+ $1.inode })
      return
    }
    guard let status = FileSystem.status(path), status.isFile else { return nil }
    self.init(status)
  }
}

extension stat {
  var isFile: Bool { st_mode & S_IFMT == S_IFREG }
  var isFolder: Bool { st_mode & S_IFMT == S_IFDIR }
}

/// The system calls that Foundation has no exact form of; `errno` is caught on the spot.
enum FileSystem {
  static func status(_ path: String) -> stat? {
    var result = stat()
    return stat(path, &result) == 0 ? result : nil
  }

  /// The path without links, `.` and `..`, or nil where nothing lies there.
  static func resolved(_ path: String) -> String? {
    guard let pointer = realpath(path, nil) else { return nil }
    defer { free(pointer) }
    return String(cString: pointer)
  }

  /// The resolved path of something that may not exist yet: as much of it as does is resolved.
  static func resolvedFuture(_ path: String) -> String {
    var existing = path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
    var missing: [String] = []
    while true {
      if let real = resolved(existing) {
        return missing.isEmpty ? real : (real == "/" ? "" : real) + "/" + missing.reversed().joined(separator: "/")
      }
      let url = URL(filePath: existing)
      let name = url.lastPathComponent
      // `a/../b` where `a` is missing: the text alone decides.
      if name == ".." || existing == "/" || existing.isEmpty { return URL(filePath: path).standardized.path }
      missing.append(name)
      existing = url.deletingLastPathComponent().path
    }
  }

  /// Flushes a file or a folder to disk. Throws with the system's reason.
  static func flush(_ path: String) throws {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw SystemError("open", path) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw SystemError("flush", path) }
  }

  static func rename(_ from: String, to: String) throws {
    guard Foundation.rename(from, to) == 0 else { throw SystemError("rename \(from) to", to) }
  }

  static func makeFolders(_ path: String) throws {
    if let status = status(path) {
      guard status.isFolder else { throw SystemError("make the folder", path, code: ENOTDIR) }
      return
    }
    let parent = path.parentFolder
    if !parent.isEmpty, parent != path { try makeFolders(parent) }
    guard mkdir(path, 0o777) == 0 || errno == EEXIST else { throw SystemError("make the folder", path) }
  }

  /// Writes a small file so that it is there whole or not at all, also after a power cut.
  static func writeAtomically(_ data: Data, to path: String) throws {
    let temporary = TemporaryName.fitting(path, suffix: ".tmp")
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw SystemError("write", path) }
    do {
      defer { close(descriptor) }
      try write(data, to: descriptor, path)
      guard fdatasync(descriptor) == 0 else { throw SystemError("flush", path) }
    } catch {
      unlink(temporary)
      throw error
    }
    try rename(temporary, to: path)
  }

  /// Writes everything, however many calls it takes.
  static func write(_ data: Data, to descriptor: Int32, _ path: String) throws {
    try data.withUnsafeBytes { bytes in
      var rest = bytes[...]
      while !rest.isEmpty {
        let count = Foundation.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
        if count < 0 {
          if errno == EINTR { continue }
          throw SystemError("write", path)
        }
        rest = rest.dropFirst(count)
      }
    }
  }

  /// A small file's content, or nil where it cannot be read.
  static func contents(_ path: String) -> Data? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.isFile, status.st_size < 64 << 20 else { return nil }
    var data = Data(count: Int(status.st_size))
    let count = data.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
    return count < 0 ? nil : data.prefix(count)
  }

  /// Bytes of the whole file system where `path` lies.
  static func diskSize(_ path: String) -> Int? {
    var info = statvfs()
    guard statvfs(path, &info) == 0 else { return nil }
    return Int(clamping: UInt64(info.f_blocks) &* UInt64(info.f_frsize))
  }

  /// Bytes that an ordinary user may still write where `path` lies.
  static func freeSpace(_ path: String) -> Int? {
    var info = statvfs()
    guard statvfs(path, &info) == 0 else { return nil }
    return Int(clamping: UInt64(info.f_bavail) &* UInt64(info.f_frsize))
  }
}

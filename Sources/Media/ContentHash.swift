import CFFmpeg
import Foundation
import Frames

/// SHA-256 of a stream of bytes.
public final class ContentHash {
  private let context: OpaquePointer

  public init() throws {
    guard let context = av_sha_alloc() else { throw Failure("no memory", exitCode: .exhausted, mayPass: true) }
    self.context = context
    av_sha_init(context, 256)
  }

  deinit { av_free(UnsafeMutableRawPointer(context)) }

  public func update(_ bytes: UnsafeRawBufferPointer) {
    guard let base = bytes.bindMemory(to: UInt8.self).baseAddress else { return }
    av_sha_update(context, base, bytes.count)
  }

  /// The hash as 64 hexadecimal digits. Nothing may follow it.
  public func finish() -> String {
    var digest = [UInt8](repeating: 0, count: 32)
    av_sha_final(context, &digest)
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }

  public static func of(_ bytes: some DataProtocol) throws -> String {
    let hash = try ContentHash()
    for region in bytes.regions { region.withUnsafeBytes { hash.update($0) } }
    return hash.finish()
  }

  /// The hash of a file's content, or of all pictures of a sequence with their numbers. `proceed` is asked now and then
  /// whether to go on; nil if not. Throws a `Failure` with the system's reason where a file cannot be read.
  public static func of(file path: String, proceed: () -> Bool = { true }) throws -> String? {
    let hash = try ContentHash()
    if let sequence = PictureSequence(path) {
      for entry in sequence.entries {
        Array("\(entry.number):".utf8).withUnsafeBytes { hash.update($0) }
        guard try hash.update(file: entry.path, proceed: proceed) else { return nil }
      }
      return hash.finish()
    }
    return try hash.update(file: path, proceed: proceed) ? hash.finish() : nil
  }

  /// Takes a file's content in pieces; false where `proceed` says no.
  private func update(file path: String, proceed: () -> Bool) throws -> Bool {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw ContentHash.unreadable(path) }
    defer { close(descriptor) }
    posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL)
    let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 64)
    defer { piece.deallocate() }
    while proceed() {
      let count = read(descriptor, piece.baseAddress, piece.count)
      if count == 0 { return true }
      if count < 0 {
        if errno == EINTR { continue }
        throw ContentHash.unreadable(path)
      }
      update(UnsafeRawBufferPointer(rebasing: piece[..<count]))
    }
    return false
  }

  private static func unreadable(_ path: String) -> Failure {
    let code = errno
    return Failure("cannot read it: \(String(cString: strerror(code)))", place: path, mayPass: code == EIO)
  }
}

import Foundation
import Frames

/// Keeps a second run off an output folder: a lock that the kernel drops with the process, so it is never stale.
final class OutputLock {
  private let descriptor: Int32

  /// Throws exit code 75 where another run holds it, 2 where the folder cannot be written.
  init(_ root: OutputRoot) throws {
    do { try FileSystem.makeFolders(root.ledger) } catch let error as SystemError { throw Self.unwritable(root, error) }
    guard access(root.path, W_OK) == 0, access(root.ledger, W_OK) == 0 else {
      throw Self.unwritable(root, SystemError("write to", root.path))
    }
    descriptor = open(root.lock, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw Self.unwritable(root, SystemError("write to", root.path)) }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      let code = errno
      close(descriptor)
      if code == EWOULDBLOCK {
        throw Failure(
          "another run is working on this output", place: root.path, advice: "try again when it has ended",
          exitCode: .tryAgain, mayPass: true)
      }
      throw SystemError("lock", root.lock, code: code).failure(.usage)
    }
  }

  deinit {
    // Explicitly: a child that was forked a moment ago may still share the descriptor.
    flock(descriptor, LOCK_UN)
    close(descriptor)
  }

  private static func unwritable(_ root: OutputRoot, _ error: SystemError) -> Failure {
    if [ENOSPC, EDQUOT].contains(error.code) { return error.failure() }
    return Failure(
      "cannot write to the output \(root.path): \(error.reason)", advice: "choose another by -o DIR", exitCode: .usage)
  }
}

import Foundation
import Frames

/// A failed system call: what was tried, on what, and why it did not go.
struct SystemError: Error, CustomStringConvertible {
  let action: String
  let path: String
  let code: Int32

  init(_ action: String, _ path: String, code: Int32 = errno) {
    (self.action, self.path, self.code) = (action, path, code)
  }

  var reason: String { String(cString: strerror(code)) }
  var description: String { "cannot \(action) \(path): \(reason)" }

  /// As the user is told. Full disks and exhausted memory may pass; so may input/output errors.
  func failure(_ exitCode: ExitCode = .someFailed) -> Failure {
    switch code {
    case ENOSPC, EDQUOT:
      Failure(
        description, advice: "make room and run the same line again", exitCode: .exhausted, mayPass: true)
    case ENOMEM: Failure(description, exitCode: .exhausted, mayPass: true)
    case EIO, EAGAIN, EINTR, ESTALE, ETIMEDOUT: Failure(description, exitCode: exitCode, mayPass: true)
    default: Failure(description, exitCode: exitCode)
    }
  }
}

extension Failure {
  /// Any error as a failure.
  init(anyError error: any Error, place: String = "") {
    switch error {
    case let failure as Failure: self = failure
    case let error as SystemError: self = error.failure()
    default: self.init(Failure.reason(error))
    }
    if self.place.isEmpty { self.place = place }
  }
}

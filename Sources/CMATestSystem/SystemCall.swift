// SPDX-License-Identifier: GPL-2.0-or-later

internal import Glibc

/// The system calls that this package makes, by their names in section 2 of the manual.
public enum SystemCall: String, Sendable {
  case open, openat, close, read, write, poll, fsync, fstat, fchmod, fcntl, flock, mkdir, unlinkat,
    renameat
  case opendir
  case pipe, waitpid, kill
  case spawn = "posix_spawn"
  case ioctl, madvise, mincore, mmap, pread, pwrite, vmsplice
  case fork, ftruncate, statvfs
  case thread = "pthread_create"
}

/// A system call that failed: which, on what, and why.
public struct SystemFailure: Error, Equatable, Sendable {
  public var call: SystemCall
  public var path: String
  /// A value of errno(3).
  public var code: CInt

  public init(_ call: SystemCall, _ path: String, _ code: CInt) {
    self.call = call
    self.path = path
    self.code = code
  }

  /// The reason in words, as strerror(3) has it.
  public var reason: String { String(cString: strerror(code)) }

  public static let noSuchFile = ENOENT
  public static let noSpace = ENOSPC
  public static let invalid = EINVAL
  public static let notPermitted = EPERM
  public static let accessDenied = EACCES
  public static let protocolNotSupported = EPROTONOSUPPORT
  public static let tooLarge = EFBIG
}

/// Returns the result of a system call or throws its error, and retries on EINTR. Every system call
/// of this package goes through this function.
///
/// - Parameters:
///   - call: which one, for the error.
///   - path: what it is made on, for the error.
///   - body: makes the call; returns a negative value when it failed, with errno set.
/// - Returns: what `body` returned, never negative.
/// - Throws: the call, the path and errno.
@discardableResult
package func valueOrErrno<Value: SignedInteger>(
  _ call: SystemCall, _ path: String, _ body: () -> Value
) throws(SystemFailure) -> Value {
  #if DEBUG
    if let code = SystemCallFault.code(for: call) { throw SystemFailure(call, path, code) }
  #endif
  while true {
    let value = body()
    if value >= 0 { return value }
    guard errno == EINTR else { throw SystemFailure(call, path, errno) }
  }
}

#if DEBUG
  /// Makes one system call fail with a given errno in a test, so that full disks and refused writes
  /// are tested as they come: from the call. Not in a release build.
  public enum SystemCallFault {
    @TaskLocal private static var current: (call: SystemCall, code: CInt)?

    public static func during<Result>(
      _ call: SystemCall, code: CInt, _ body: () throws -> Result
    ) rethrows -> Result {
      try $current.withValue((call, code), operation: body)
    }

    static func code(for call: SystemCall) -> CInt? {
      current?.call == call ? current?.code : nil
    }
  }
#endif

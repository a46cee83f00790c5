// SPDX-License-Identifier: GPL-2.0-or-later

internal import Glibc

/// A lock that one process has at a time. The kernel knows the owner, and drops the lock whenever
/// the owner ends, so no lock is ever stale.
///
/// It is a record lock of fcntl(2), which belongs to the process: nothing else here may open the file.
public final class ProcessLock {
  /// The result of an attempt.
  public enum Attempt {
    case taken(ProcessLock)
    /// Nil for a process that this one cannot see, as one in another container.
    case held(by: CInt?)
  }

  private let descriptor: Descriptor

  private init(_ descriptor: consuming Descriptor) {
    self.descriptor = descriptor
  }

  /// Takes the lock unless another process has it.
  ///
  /// - Parameter path: a file in a folder that only root can write to; it is made where it is not there.
  /// - Returns: the lock, or who has it.
  /// - Throws: the call that failed.
  public static func take(_ path: String) throws(SystemFailure) -> Attempt {
    let raw = try valueOrErrno(.open, path) {
      open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    }
    let file = Descriptor(owning: raw, path: path)
    while true {
      var wanted = flock()
      wanted.l_type = Int16(F_WRLCK)
      wanted.l_whence = Int16(SEEK_SET)
      do throws(SystemFailure) {
        try valueOrErrno(.fcntl, path) { fcntl(raw, F_SETLK, &wanted) }
        return .taken(ProcessLock(file))
      } catch {
        guard error.code == EAGAIN || error.code == EACCES else { throw error }
      }
      try valueOrErrno(.fcntl, path) { fcntl(raw, F_GETLK, &wanted) }
      // It may have gone between the two calls.
      if wanted.l_type != Int16(F_UNLCK) { return .held(by: wanted.l_pid > 0 ? wanted.l_pid : nil) }
    }
  }
}

// SPDX-License-Identifier: GPL-2.0-or-later

internal import Glibc

/// Reads a whole file that a user names: a regular one, or a pipe, as the shell's `<(…)` makes it.
///
/// A pipe that nobody writes into is empty, not a wait without end.
///
/// - Parameters:
///   - path: the file.
///   - limit: more bytes than this are an error (EFBIG), for a regular file before any is read.
/// - Returns: all its bytes.
/// - Throws: the call that failed; EISDIR for a folder, and EINVAL for a device or a socket.
public func namedContents(of path: String, limit: Int) throws(SystemFailure) -> [UInt8] {
  let raw = try valueOrErrno(.open, path) {
    open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
  }
  let file = Descriptor(owning: raw, path: path)
  var status = stat()
  try valueOrErrno(.fstat, path) { fstat(raw, &status) }
  switch status.st_mode & S_IFMT {
  case S_IFREG:
    guard status.st_size <= limit else { throw SystemFailure(.read, path, EFBIG) }
  case S_IFIFO: try valueOrErrno(.fcntl, path) { fcntl(raw, F_SETFL, 0) }
  case S_IFDIR: throw SystemFailure(.read, path, EISDIR)
  default: throw SystemFailure(.read, path, EINVAL)
  }
  return try file.contents(limit: limit, expecting: Int(status.st_size))
}

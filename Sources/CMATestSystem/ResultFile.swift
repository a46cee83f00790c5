// SPDX-License-Identifier: GPL-2.0-or-later

internal import Glibc

/// A file that a user names for a result: always whole where it is a regular file or none yet; what is
/// none, as a pipe or a device, is written to as it is, and never replaced.
public struct ResultFile: Sendable {
  /// The name as the user gave it.
  public let name: String
  private let path: String
  /// Whether the file can be replaced as often as there is news.
  public let isReplaced: Bool

  /// - Parameter name: relative to the working directory, or absolute.
  /// - Throws: where the working directory is gone, or the name is that of a directory.
  public init(_ name: String) throws(SystemFailure) {
    self.name = name
    // What a link leads to is replaced, not the link.
    if let resolved = realpath(name, nil) {
      defer { free(resolved) }
      path = String(cString: resolved)
    } else if name.hasPrefix("/") {
      path = name
    } else {
      guard let folder = getcwd(nil, 0) else { throw SystemFailure(.open, ".", errno) }
      defer { free(folder) }
      path = String(cString: folder) + "/" + name
    }
    var status = stat()
    let isThere = stat(name, &status) == 0
    // Now, not when all work is done.
    if isThere, status.st_mode & S_IFMT == S_IFDIR { throw SystemFailure(.open, name, EISDIR) }
    isReplaced = !isThere || status.st_mode & S_IFMT == S_IFREG
  }

  /// Writes the file anew.
  ///
  /// - Parameter text: all of it.
  /// - Throws: the first call that failed; a regular file is then as it was.
  public func write(_ text: String) throws(SystemFailure) {
    if isReplaced { return try AtomicFile(path).replace(with: Array(text.utf8), mode: 0o644) }
    // A pipe without a reader is an error, not a wait that no signal ends.
    let raw = try valueOrErrno(.open, name) {
      open(name, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
    }
    try valueOrErrno(.fcntl, name) { fcntl(raw, F_SETFL, 0) }
    let before = signal(SIGPIPE, SIG_IGN)
    defer { signal(SIGPIPE, before) }
    try Descriptor(owning: raw, path: name).write(Array(text.utf8))
  }
}

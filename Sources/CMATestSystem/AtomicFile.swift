// SPDX-License-Identifier: GPL-2.0-or-later

public import Glibc

/// A file that is always whole: written beside its place, synced, then renamed over it.
///
/// Its folder is locked meanwhile, so that two writers, say the unit at boot and a user's command,
/// do not share the temporary file.
public struct AtomicFile: Sendable {
  public let path: String
  private let folder: String
  private let name: String

  /// - Parameter path: absolute; a missing folder of the file is made (0755), but no folder above
  ///   it.
  public init(_ path: String) {
    self.path = path
    let slash = path.lastIndex(of: "/") ?? path.startIndex
    folder = String(path[..<slash])
    name = String(path[slash...].dropFirst())
  }

  /// The name of the temporary file: modprobe reads only names that end in `.conf`, and so not
  /// this.
  private var temporaryName: String { ".\(name).new" }

  /// Replaces the file.
  ///
  /// - Parameters:
  ///   - bytes: its whole new contents.
  ///   - mode: of the new file, whatever the umask.
  /// - Throws: the first call that failed; the file is then as it was.
  public func replace(with bytes: [UInt8], mode: mode_t) throws(SystemFailure) {
    // What mostly is no failure is none here: to make an error costs a boot more than the call.
    try valueOrErrno(.mkdir, self.folder) {
      let result = mkdir(self.folder, 0o755)
      return result < 0 && errno == EEXIST ? 0 : result
    }
    let folder = try Descriptor(reading: self.folder)
    try folder.lock()
    // What an earlier run left when it was killed.
    try Self.unlink(temporaryName, in: folder)
    do throws(SystemFailure) {
      try write(bytes, mode, in: folder)
      try valueOrErrno(.renameat, path) {
        renameat(folder.raw, temporaryName, folder.raw, name)
      }
    } catch {
      // The first error is the one to tell; the next run removes what stays.
      try? Self.unlink(temporaryName, in: folder)
      throw error
    }
    try folder.sync()
  }

  private func write(
    _ bytes: [UInt8], _ mode: mode_t, in folder: borrowing Descriptor
  ) throws(SystemFailure) {
    let path = "\(self.folder)/\(temporaryName)"
    let raw = try valueOrErrno(.openat, path) {
      openat(folder.raw, temporaryName, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode)
    }
    let file = Descriptor(owning: raw, path: path)
    try valueOrErrno(.fchmod, path) { fchmod(raw, mode) }
    try file.write(bytes)
    try file.sync()
  }

  /// Removes the file and the temporary file of a killed writer, if they exist.
  public func remove() throws(SystemFailure) {
    do throws(SystemFailure) {
      let folder = try Descriptor(reading: self.folder)
      try folder.lock()
      try Self.unlink(temporaryName, in: folder)
      try Self.unlink(name, in: folder)
    } catch  where error.call == .open && error.code == ENOENT {}
  }

  private static func unlink(
    _ name: String, in folder: borrowing Descriptor
  ) throws(SystemFailure) {
    let raw = folder.raw
    try valueOrErrno(.unlinkat, "\(folder.path)/\(name)") {
      let result = unlinkat(raw, name, 0)
      return result < 0 && errno == ENOENT ? 0 : result
    }
  }
}

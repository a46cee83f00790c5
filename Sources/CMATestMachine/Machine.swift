// SPDX-License-Identifier: GPL-2.0-or-later

public import CMATestSystem
internal import Glibc

/// The machine as its /proc, /run, /etc and /boot show it, below a root folder.
public struct Machine: Sendable {
  /// Empty for the running machine; a folder for a copied tree.
  public let root: String

  /// - Parameter root: `/`, or the folder of a copied tree.
  public init(root: String = "/") {
    var root = root
    while root.hasSuffix("/") { root.removeLast() }
    self.root = root
  }

  /// Whether this is the running machine rather than a copied tree.
  public var isRunning: Bool { root.isEmpty }

  /// - Parameter path: absolute, as the machine itself would say it.
  /// - Returns: where it is for this process.
  public func path(_ path: String) -> String { root + path }

  /// Returns the release of the running kernel, from proc_sys_kernel(5).
  public func kernelRelease() throws(SystemFailure) -> String {
    try line("/proc/sys/kernel/osrelease")
  }

  /// Returns the random UUID of this boot, from random(4).
  public func bootID() throws(SystemFailure) -> String {
    try line("/proc/sys/kernel/random/boot_id")
  }

  /// Returns kernel.kptr_restrict: 0, 1 or 2.
  public func pointerRestriction() throws(SystemFailure) -> Int? {
    Int(try line("/proc/sys/kernel/kptr_restrict"))
  }

  /// Returns a file's first line, without its newline.
  public func line(_ file: String) throws(SystemFailure) -> String {
    let bytes = try contents(of: path(file))
    return String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
  }

  /// Returns the text of a file that may be compressed by gzip, as /proc/config.gz.
  public func unpackedContents(of file: String) throws(SystemFailure) -> [UInt8] {
    let path = path(file)
    let bytes = try contents(of: path)
    guard bytes.starts(with: [0x1F, 0x8B]) else { return bytes }
    // gzip is essential on Debian; a library for this one rare case would cost every start.
    let (text, exitCode) = try output(of: "/usr/bin/gzip", ["-dc", path])
    guard exitCode == 0 else { throw SystemFailure(.read, path, EILSEQ) }
    return text
  }

  /// Returns whether a file or folder exists, as far as this process may see.
  public func exists(_ file: String) -> Bool { access(path(file), F_OK) == 0 }

  /// Returns whether a regular file exists: no folder, device or the like.
  public func isFile(_ file: String) -> Bool {
    var status = stat()
    return stat(path(file), &status) == 0 && status.st_mode & S_IFMT == S_IFREG
  }

  /// Returns what a file is, where a program may read it without end; nil for all others.
  ///
  /// - Parameter file: a link counts as what it leads to.
  /// - Returns: words; nil for /dev/null too, which is empty, and for a socket, which nobody can open.
  package func endlessKind(of file: String) -> String? {
    var status = stat()
    guard stat(path(file), &status) == 0 else { return nil }
    switch status.st_mode & S_IFMT {
    case S_IFIFO: return "a named pipe"
    // Major 1, minor 3.
    case S_IFCHR where status.st_rdev != 0x103: return "a device"
    case S_IFBLK: return "a device"
    default: return nil
    }
  }

  /// Returns the path at which root's shell would find a program.
  ///
  /// - Parameter name: as `update-grub`.
  /// - Returns: its path as the machine itself would say it; nil where there is none.
  public func program(_ name: String) -> String? {
    ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"]
      .map { "\($0)/\(name)" }.first { access(path($0), X_OK) == 0 }
  }

  /// Returns the releases of the kernels that can be booted: those with modules and an image.
  public func installedKernels() throws(SystemFailure) -> [String] {
    try names(in: "/lib/modules").filter {
      exists("/boot/vmlinuz-\($0)") || exists("/lib/modules/\($0)/vmlinuz")
    }
  }

  /// Returns the names in a folder, sorted by their bytes; none where there is no such folder.
  public func names(in folder: String) throws(SystemFailure) -> [String] {
    let path = path(folder)
    guard let stream = opendir(path) else {
      if errno == ENOENT { return [] }
      throw SystemFailure(.opendir, path, errno)
    }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }
}

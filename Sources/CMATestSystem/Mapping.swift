// SPDX-License-Identifier: GPL-2.0-or-later

internal import Glibc

/// Memory of this process, unmapped when its owner is destroyed. A page is allocated only when the
/// process touches it.
public struct Mapping: ~Copyable, @unchecked Sendable {
  // Raw memory knows no owner; who writes where is for those to settle that share it.
  public let base: UnsafeMutableRawPointer
  public let byteCount: Int

  public var bytes: UnsafeMutableRawBufferPointer {
    UnsafeMutableRawBufferPointer(start: base, count: byteCount)
  }

  /// Maps anonymous memory in single pages: a huge page would be allocated, pinned or moved as a
  /// whole.
  ///
  /// - Parameter byteCount: a multiple of the page size.
  /// - Throws: where the kernel has no room for the memory.
  public init(anonymous byteCount: Int) throws(SystemFailure) {
    base = try Self.map(
      byteCount, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, "anonymous memory")
    self.byteCount = byteCount
    madvise(base, byteCount, MADV_NOHUGEPAGE)
  }

  /// Maps the page cache of a file.
  ///
  /// - Parameters:
  ///   - file: open for reading and writing; it need not stay open.
  ///   - byteCount: no more than the file has.
  /// - Throws: where it cannot be mapped.
  public init(of file: borrowing Descriptor, byteCount: Int) throws(SystemFailure) {
    base = try Self.map(byteCount, MAP_SHARED, file.raw, file.path)
    self.byteCount = byteCount
  }

  /// Leaves the mapping out of processes that are forked.
  ///
  /// - Throws: the call that failed.
  package func keepFromChildren() throws(SystemFailure) {
    try valueOrErrno(.madvise, "a mapping") { madvise(base, byteCount, MADV_DONTFORK) }
  }

  /// Makes the first pages present. A page that cannot be read is an error, not a signal.
  ///
  /// - Parameter byteCount: a multiple of the page size, more than 0.
  /// - Throws: where one of the pages cannot be made present.
  public func populate(_ byteCount: Int) throws(SystemFailure) {
    try valueOrErrno(.madvise, "a mapping") { madvise(base, byteCount, MADV_POPULATE_READ) }
  }

  deinit { munmap(base, byteCount) }

  private static func map(
    _ byteCount: Int, _ flags: CInt, _ file: CInt, _ path: String
  ) throws(SystemFailure) -> UnsafeMutableRawPointer {
    let address = try valueOrErrno(.mmap, path) {
      Int(bitPattern: mmap(nil, byteCount, PROT_READ | PROT_WRITE, flags, file, 0))
    }
    guard let base = UnsafeMutableRawPointer(bitPattern: address) else {
      throw SystemFailure(.mmap, path, ENOMEM)
    }
    return base
  }
}

extension Descriptor {
  /// Makes a file without a name, which is gone when its owner is destroyed.
  ///
  /// - Parameters:
  ///   - folder: the folder of the file system that gives the memory.
  ///   - byteCount: the bytes that will be written; the file itself is empty.
  /// - Returns: the file, open for reading and writing.
  /// - Throws: the call that failed; EFBIG where this process may not write so large a file.
  public static func unnamedFile(
    in folder: String, byteCount: Int
  ) throws(SystemFailure) -> Descriptor {
    // Beyond this limit the kernel sends a signal that ends the program.
    var limit = rlimit()
    guard
      getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) < 0
        || byteCount <= limit.rlim_cur
    else { throw SystemFailure(.pwrite, folder, EFBIG) }
    var template = Array("\(folder)/cma-test.XXXXXX".utf8CString)
    let raw = try valueOrErrno(.open, folder) { mkstemp(&template) }
    let file = Descriptor(owning: raw, path: folder)
    unlink(template)
    try valueOrErrno(.fcntl, folder) { fcntl(raw, F_SETFD, FD_CLOEXEC) }
    return file
  }

  /// Writes bytes to the file, however many calls that takes.
  ///
  /// - Parameters:
  ///   - bytes: the bytes.
  ///   - offset: their place in the file.
  /// - Throws: the call that failed.
  public borrowing func write(
    _ bytes: UnsafeRawBufferPointer, at offset: Int
  ) throws(SystemFailure) {
    var done = 0
    while done < bytes.count {
      let start = done
      done += try valueOrErrno(.pwrite, path) {
        pwrite(
          raw, bytes.baseAddress.map { $0 + start }, bytes.count - start, off_t(offset + start))
      }
    }
  }
}

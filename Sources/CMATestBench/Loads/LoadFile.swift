// SPDX-License-Identifier: GPL-2.0-or-later

internal import CLinux
internal import CMATestCore
internal import CMATestSystem
internal import Glibc

/// A file of a load, which has no name and is gone with this process.
final class LoadFile {
  private let file: Descriptor
  private let folder: String

  /// - Parameter folder: its folder.
  /// - Throws: where no file can be made there.
  init(in folder: String) throws(LoadObstacle) {
    let raw = try mapError({ LoadObstacle.file(folder: folder, $0) }) {
      () throws(SystemFailure) in
      try valueOrErrno(.open, folder) { cma_test_unnamed_file(folder) }
    }
    self.folder = folder
    file = Descriptor(owning: raw, path: folder)
  }

  /// Makes the file larger, by a hole.
  func extend(to byteCount: Int) throws(LoadObstacle) {
    let raw = file.raw
    try call(.ftruncate) { ftruncate(raw, off_t(byteCount)) }
  }

  func read(into bytes: UnsafeMutableRawBufferPointer, at offset: Int) throws(LoadObstacle) -> Int {
    let raw = file.raw
    return try call(.pread) { pread(raw, bytes.baseAddress, bytes.count, off_t(offset)) }
  }

  func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(LoadObstacle) {
    do throws(SystemFailure) { try file.write(bytes, at: offset) } catch {
      throw .file(folder: folder, error)
    }
  }

  /// Waits until all that was written is on the disk.
  func sync() throws(LoadObstacle) {
    let raw = file.raw
    try call(.fsync) { fsync(raw) }
  }

  /// Begins to write a part to the disk.
  func startWriteback(_ offset: Int, _ byteCount: Int) {
    cma_test_start_writeback(file.raw, off_t(offset), off_t(byteCount))
  }

  /// Drops the clean pages of a part from the page cache.
  func forget(_ offset: Int, _ byteCount: Int) {
    posix_fadvise(file.raw, off_t(offset), off_t(byteCount), POSIX_FADV_DONTNEED)
  }

  /// Counts the pages of a part that are in memory.
  func pagesInMemory(_ byteCount: Int, pageSize: Int) throws(LoadObstacle) -> Int {
    guard byteCount > 0 else { return 0 }
    do throws(SystemFailure) {
      let mapping = try Mapping(of: file, byteCount: byteCount)
      let window = 16384
      var states = [UInt8](repeating: 0, count: window)
      var count = 0
      var page = 0
      while page * pageSize < byteCount {
        let pages = min(window, (byteCount - page * pageSize + pageSize - 1) / pageSize)
        let start = mapping.base + page * pageSize
        try valueOrErrno(.mincore, folder) { mincore(start, pages * pageSize, &states) }
        count += states[..<pages].reduce(0) { $0 + Int($1 & 1) }
        page += pages
      }
      return count
    } catch {
      throw .file(folder: folder, error)
    }
  }

  @discardableResult
  private func call<Value: SignedInteger>(
    _ call: SystemCall, _ body: () -> Value
  ) throws(LoadObstacle) -> Value {
    do throws(SystemFailure) { return try valueOrErrno(call, folder, body) } catch {
      throw .file(folder: folder, error)
    }
  }
}

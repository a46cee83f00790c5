// SPDX-License-Identifier: GPL-2.0-or-later

package import CMATestSystem
internal import Glibc

/// Finds where pages of this process are, in /proc/self/pagemap. (`Documentation/admin-guide/mm/pagemap.rst`)
package struct PageFrames: ~Copyable {
  private let pagemap: Descriptor
  private let pageSize: Int

  package init(pageSize: Int) throws(SystemFailure) {
    pagemap = try Descriptor(reading: "/proc/self/pagemap")
    self.pageSize = pageSize
  }

  /// Finds the page frame numbers of some pages.
  ///
  /// - Parameter bytes: whole pages.
  /// - Returns: the number for each page; nil where the page is not in memory, or where this process may
  ///   not see the number.
  /// - Throws: the call that failed.
  package func frames(of bytes: UnsafeMutableRawBufferPointer) throws(SystemFailure) -> [UInt64?] {
    let first = Int(bitPattern: bytes.baseAddress) / pageSize
    let count = bytes.count / pageSize
    var entries = [UInt64](repeating: 0, count: count)
    var done = 0
    while done < count {
      let raw = pagemap.raw
      let start = done
      let read = try valueOrErrno(.pread, pagemap.path) {
        entries.withUnsafeMutableBytes {
          pread(
            raw, $0.baseAddress.map { $0 + start * 8 }, (count - start) * 8,
            off_t(first + start) * 8)
        }
      }
      guard read >= 8 else { throw SystemFailure(.pread, pagemap.path, EIO) }
      done += read / 8
    }
    return entries.map { entry in
      let isPresent = entry >> 63 == 1
      let frame = entry & (1 << 55 - 1)
      return isPresent && frame != 0 ? frame : nil
    }
  }
}

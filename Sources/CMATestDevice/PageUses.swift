// SPDX-License-Identifier: GPL-2.0-or-later

package import CMATestMachine
package import CMATestSystem
internal import Glibc

/// Tells the use of each page of an area, as far as /proc/kpageflags does. Allocates nothing.
/// (`Documentation/admin-guide/mm/pagemap.rst`)
package enum PageUses {
  private static let path = "/proc/kpageflags"

  /// The flags (KPF_*) of which a page that is free, or of a kind that the kernel can move, has one.
  /// Pages that `cma_alloc` gave have none of these: their owners use them as they like.
  private static let mayMakeWay: UInt64 = [
    5,  // LRU
    10,  // BUDDY
    11,  // MMAP
    12,  // ANON
    13,  // SWAPCACHE
    14,  // SWAPBACKED
    22,  // THP
  ].reduce(0) { $0 | 1 << $1 }

  /// Finds the pages that are neither free nor of a kind that can be moved.
  ///
  /// - Parameters:
  ///   - machine: the running machine, or a copied tree.
  ///   - frames: page frame numbers of an area.
  /// - Returns: nil where the kernel has no such file.
  /// - Throws: the call that failed.
  static func fixed(
    on machine: Machine, _ frames: Range<UInt64>
  ) throws(SystemFailure) -> FrameRanges? {
    try pages(on: machine, frames) { $0 & mayMakeWay == 0 }
  }

  /// Finds the pages that are not free; parameters and errors are those of `fixed`.
  static func occupied(
    on machine: Machine, _ frames: Range<UInt64>
  ) throws(SystemFailure) -> FrameRanges? {
    try pages(on: machine, frames) { $0 & 1 << 10 == 0 }
  }

  /// A kind of pages in use that the kernel can move.
  package enum Kind: Sendable {
    case movable
    /// Memory of processes.
    case anonymous
    /// Page cache of files on disks.
    case pageCache

    /// - Parameter flags: KPF_* of a page.
    /// - Returns: whether it is of this kind.
    fileprivate func has(_ flags: UInt64) -> Bool {
      func flag(_ bit: UInt64) -> Bool { flags >> bit & 1 == 1 }
      guard flags & mayMakeWay != 0, !flag(10) else { return false }
      return switch self {
      case .movable: true
      case .anonymous: flag(12)
      // Shared memory, which is backed by swap, is no file's.
      case .pageCache: !flag(12) && !flag(14)
      }
    }
  }

  /// Counts the pages of a kind.
  ///
  /// - Parameters:
  ///   - kind: the kind.
  ///   - machine: the running machine, or a copied tree.
  ///   - frames: page frame numbers of an area.
  /// - Returns: nil where the kernel has no such file.
  /// - Throws: the call that failed.
  package static func count(
    _ kind: Kind, on machine: Machine, _ frames: Range<UInt64>
  ) throws(SystemFailure) -> UInt64? {
    try pages(on: machine, frames, where: kind.has)?.count
  }

  private static func pages(
    on machine: Machine, _ frames: Range<UInt64>, where isMeant: (UInt64) -> Bool
  ) throws(SystemFailure) -> FrameRanges? {
    guard machine.exists(path) else { return nil }
    let file = try Descriptor(reading: machine.path(path))
    var found = FrameRanges()
    var entries = [UInt64](repeating: 0, count: 8192)
    var next = frames.lowerBound
    while next < frames.upperBound {
      let wanted = Int(clamping: min(UInt64(entries.count), frames.upperBound - next))
      let (raw, start) = (file.raw, next)
      guard let offset = off_t(exactly: start * 8) else {
        throw SystemFailure(.pread, file.path, EOVERFLOW)
      }
      let count = try valueOrErrno(.pread, file.path) {
        entries.withUnsafeMutableBytes { pread(raw, $0.baseAddress, wanted * 8, offset) }
      }
      guard count >= 8 else { throw SystemFailure(.pread, file.path, EIO) }
      for index in 0..<count / 8 where isMeant(entries[index]) {
        found.append(start + UInt64(index)..<start + UInt64(index) + 1)
      }
      next += UInt64(count / 8)
    }
    return found
  }
}

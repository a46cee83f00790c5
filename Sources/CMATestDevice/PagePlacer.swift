// SPDX-License-Identifier: GPL-2.0-or-later

public import CMATestSystem

/// A device that can release a block into pages of this process (`struct cmatest_place`). The block is
/// gone after each request, whatever becomes of its pages.
public protocol PagePlacer: DeviceFile {
  /// Places pages in memory that is private, anonymous and not there yet.
  ///
  /// - Parameters:
  ///   - handle: the block.
  ///   - memory: the first page.
  /// - Returns: the number of pages of the block that the memory has now.
  /// - Throws: `EOPNOTSUPP` where the area or the kernel cannot do that.
  func place(_ handle: UInt32, in memory: UnsafeMutableRawPointer) throws(DeviceFailure) -> Int

  /// Places pages in the page cache of a file; zeros are written into them.
  ///
  /// - Parameters:
  ///   - handle: the block.
  ///   - disk: the file, open for writing.
  ///   - offset: bytes, a multiple of the page size.
  /// - Returns: the number of pages that were written.
  /// - Throws: `EOPNOTSUPP` where the area cannot do that, and the errors of write(2).
  func place(
    _ handle: UInt32, in disk: borrowing Descriptor, at offset: Int
  ) throws(DeviceFailure) -> Int
}

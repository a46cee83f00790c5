// SPDX-License-Identifier: GPL-2.0-or-later

public import CMATestSystem

/// The running kernel as the suite sees it: the device, the counters, this process's own pages, and
/// other processes. The second half of the boundary that a test can replace.
public protocol Kernel: Sendable {
  /// The open device.
  var file: any DeviceFile { get }
  /// `uname -r`.
  var release: String { get }
  /// Processors that this process may run on.
  var processors: Int { get }

  /// What the kernel counts, with what each processor had counted for itself taken in.
  ///
  /// - Parameter area: its name; nil leaves out what is counted for each area.
  /// - Returns: them, as they are now.
  /// - Throws: where they cannot be read.
  func counters(of area: String?) throws(SystemFailure) -> Counters

  /// What the allocator shows of an area.
  ///
  /// - Parameter area: its name.
  /// - Returns: nil where the kernel shows nothing.
  /// - Throws: where it cannot be read.
  func bitmap(of area: String) throws(SystemFailure) -> AreaBitmap?

  /// The pages of an area that are neither free nor of the kind that the kernel can move: those that
  /// somebody has allocated from it, and a few that are on their way elsewhere. Allocates nothing.
  ///
  /// - Parameter frames: the area.
  /// - Returns: nil where the kernel does not tell.
  /// - Throws: where it cannot be read.
  func fixedPages(in frames: Range<UInt64>) throws(SystemFailure) -> FrameRanges?

  /// The pages of a range that are not free. After a request for the whole range was refused, these
  /// are what the kernel could not move, and what has come there since.
  ///
  /// - Parameter frames: of an area.
  /// - Returns: nil where the kernel does not tell.
  /// - Throws: where it cannot be read.
  func occupiedPages(in frames: Range<UInt64>) throws(SystemFailure) -> FrameRanges?

  /// Fills pages of this process and sees to it that some of them lie in the area.
  ///
  /// - Parameters:
  ///   - kind: what pages.
  ///   - frames: the area.
  ///   - wanted: how many are to lie there; no more than that are filled.
  ///   - seed: of what is written into them.
  ///   - isEnding: asked between two steps; true ends it with what there is.
  /// - Returns: those that came to lie there; there may be none.
  /// - Throws: where there is no memory for them.
  func placePages(
    _ kind: UserPageKind, in frames: Range<UInt64>, wanted: Int, seed: UInt64,
    isEnding: () -> Bool
  ) throws(SystemFailure) -> any UserPages

  /// Starts another process that allocates through an open file of its own, forever.
  ///
  /// - Parameters:
  ///   - request: of each block.
  ///   - blocks: how many it keeps, before it goes on to allocate and release more.
  /// - Returns: it, once it keeps them.
  /// - Throws: where it cannot be started, or cannot have them.
  func startOwner(_ request: BlockRequest, blocks: Int) throws(SystemFailure) -> any OtherOwner

  /// Waits.
  func pause(nanoseconds: UInt64)

  /// Nanoseconds since some time in the past.
  var now: UInt64 { get }
}

/// Pages that the kernel may move.
public enum UserPageKind: String, Sendable {
  case anonymous
  case pageCache
}

/// Pages of this process, each filled with a pattern of its own.
public protocol UserPages: AnyObject {
  /// Where each of them is: its page frame number, nil for one that is not in memory.
  func frames() throws(SystemFailure) -> [UInt64?]
  /// Compares every byte.
  ///
  /// - Returns: the first page that is not as it was written; nil where all are.
  func firstWrongPage() -> Int?
  /// Pins one for a while: the kernel cannot move it before `unpin`.
  func pin(_ page: Int) throws(SystemFailure)
  /// - Returns: whether what was pinned was read back as it was written.
  func unpin() throws(SystemFailure) -> Bool
}

/// Another process that owns blocks.
public protocol OtherOwner: AnyObject {
  /// Ends it with SIGKILL, and waits until it is gone.
  func kill() throws(SystemFailure)
}

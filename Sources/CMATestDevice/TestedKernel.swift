// SPDX-License-Identifier: GPL-2.0-or-later

public import CMATestSystem

/// The kernel under test, with the open device: the boundary that a test replaces as a whole.
///
/// Code that needs a part of it takes that part alone.
public protocol TestedKernel: MemoryObserving, HolderNaming, PagePlacing, OwnerStarting,
  MonotonicClock
{
  /// The open device.
  var file: any DeviceFile { get }
  /// The same device, which looks at the pages of others.
  var insight: any AreaInsight { get }
  /// The name of the kernel's release, as `uname -r` prints it.
  var release: String { get }
  /// The number of processors that this process may run on.
  var processors: Int { get }
}

/// Tells what the kernel counts, and shows, of the memory of its areas.
public protocol MemoryObserving: Sendable {
  /// Reads the counters of the kernel, the private counts of each processor included.
  ///
  /// - Parameter area: the name of the area; nil leaves out what is counted for each area.
  /// - Returns: the counters, as they are now.
  /// - Throws: the call that failed, where they cannot be read.
  func counters(of area: String?) throws(SystemFailure) -> Counters

  /// Looks whether the machine has memory enough for a block, and for everybody else besides.
  ///
  /// - Parameter bytes: of the block.
  /// - Returns: nil where there is, or where nothing tells.
  func shortage(taking bytes: UInt64) -> MemoryShortage?

  /// Reads the allocator's own bitmap of an area.
  ///
  /// - Parameter area: the name of the area.
  /// - Returns: nil where the kernel shows no bitmap.
  /// - Throws: the call that failed, where the bitmap cannot be read.
  func bitmap(of area: String) throws(SystemFailure) -> AreaBitmap?

  /// Finds the pages that are neither free nor of a kind that the kernel can move: those that somebody
  /// has allocated from the area, and a few that are on their way elsewhere. Allocates nothing.
  ///
  /// - Parameter frames: the page frame numbers of the area.
  /// - Returns: nil where the kernel does not show the kinds of pages.
  /// - Throws: the call that failed, where the kinds cannot be read.
  func fixedPages(in frames: Range<UInt64>) throws(SystemFailure) -> FrameRanges?

  /// Finds the pages of a range that are not free. After a request for the whole range was refused,
  /// these are the pages that the kernel could not move, and those that came there since.
  ///
  /// - Parameter frames: page frame numbers of an area.
  /// - Returns: nil where the kernel does not show the kinds of pages.
  /// - Throws: the call that failed, where the kinds cannot be read.
  func occupiedPages(in frames: Range<UInt64>) throws(SystemFailure) -> FrameRanges?
}

/// Names who is in the way.
public protocol HolderNaming: Sendable {
  /// Names who has a page now, as `pinned anonymous memory of 812 (python3)`.
  ///
  /// - Parameters:
  ///   - frame: the page frame number.
  ///   - place: the area.
  /// - Returns: nil where nothing tells.
  func holder(of frame: UInt64, in place: AreaPlace) -> String?

  /// Makes a request that was refused once more, and says what is in the way; a block that is had is released.
  ///
  /// - Parameters:
  ///   - request: the request.
  ///   - place: the area.
  /// - Returns: the cause and who is in the way, in one line; nil where the request succeeds now, or nothing
  ///   tells.
  func obstacle(to request: BlockRequest, in place: AreaPlace) -> String?
}

/// Where an area is, and how large.
public struct AreaPlace: Equatable, Sendable {
  public var index: UInt32
  /// The name for reports.
  public var title: String
  /// The page frame numbers; nil where they are not known.
  public var frames: Range<UInt64>?
  /// The number of pages; nil where nothing tells.
  public var pages: UInt64?
  /// Bytes of a page.
  public var pageSize: UInt64

  public init(
    index: UInt32, title: String, frames: Range<UInt64>?, pages: UInt64?, pageSize: UInt64
  ) {
    self.index = index
    self.title = title
    self.frames = frames
    self.pages = pages
    self.pageSize = pageSize
  }
}

/// Places pages of this process in an area.
public protocol PagePlacing: Sendable {
  /// Places pages and fills them.
  ///
  /// - Parameters:
  ///   - kind: the kind of the pages.
  ///   - area: the index of the area.
  ///   - frames: its page frame numbers.
  ///   - wanted: the most pages.
  ///   - seed: the seed of the patterns that are written into the pages.
  ///   - isEnding: asked between two steps; true ends the placement with the pages placed so far.
  /// - Returns: the pages that lie in the area; there may be none.
  /// - Throws: the reason why there cannot be any, or the request that failed.
  func placePages(
    _ kind: UserPageKind, in area: UInt32, _ frames: Range<UInt64>, wanted: Int, seed: UInt64,
    isEnding: () -> Bool
  ) throws(PlacementFailure) -> any UserPages
}

/// Starts other processes that own blocks.
public protocol OwnerStarting: Sendable {
  /// Starts a process that allocates through an open file of its own, until it is killed.
  ///
  /// - Parameters:
  ///   - request: the request for each block.
  ///   - blocks: the number of blocks that the process keeps, before it goes on to allocate and
  ///     release more.
  /// - Returns: the process, once it has these blocks.
  /// - Throws: the call that failed, where the process cannot be started or cannot have the blocks.
  func startOwner(_ request: BlockRequest, blocks: Int) throws(SystemFailure) -> any BlockOwner
}

/// Tells the time, and lets it pass.
public protocol MonotonicClock: Sendable {
  /// Nanoseconds since some time in the past.
  var now: UInt64 { get }

  /// Waits.
  func pause(nanoseconds: UInt64)
}

/// A kind of pages that the kernel may move.
public enum UserPageKind: String, Sendable {
  case anonymous
  case pageCache
}

/// Pages of this process, each filled with a pattern of its own.
public protocol UserPages: AnyObject {
  /// Finds where the pages are.
  ///
  /// - Returns: the page frame number of each; nil for a page that is not in memory.
  /// - Throws: the call that failed.
  func frames() throws(SystemFailure) -> [UInt64?]
  /// Compares every byte with the patterns.
  ///
  /// - Returns: the number of the first page that is not as it was written; nil where all are.
  func firstWrongPage() -> Int?
  /// Pins a page: the kernel cannot move the page before `unpin`.
  func pin(_ page: Int) throws(SystemFailure)
  /// Lets the kernel move the pinned page again.
  ///
  /// - Returns: whether the page was read back as it was written.
  /// - Throws: the call that failed.
  func unpin() throws(SystemFailure) -> Bool
}

/// Another process that owns blocks.
public protocol BlockOwner: AnyObject {
  /// Ends the process with SIGKILL, and waits for its end.
  func kill() throws(SystemFailure)
}

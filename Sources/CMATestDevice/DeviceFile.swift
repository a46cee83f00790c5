// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore

/// An open /dev/cmatest, which owns the blocks that are allocated through it: one method for each request
/// of `src-kmod/uapi/cmatest.h`. Several threads may use the file at once.
///
/// A test puts an allocator with faults in its place.
public protocol DeviceFile: AnyObject, Sendable {
  /// Describes the module and the kernel.
  func information() throws(DeviceFailure) -> DeviceInformation
  /// Describes an area; `index` is 0 to `DeviceInformation.areas` - 1.
  func area(_ index: UInt32) throws(DeviceFailure) -> AreaInformation
  /// Allocates a block.
  func allocate(_ request: BlockRequest) throws(DeviceFailure) -> Block
  /// Releases a block.
  func release(_ handle: UInt32) throws(DeviceFailure) -> Release
  /// Looks at each page of a block.
  func inspect(_ handle: UInt32) throws(DeviceFailure) -> BlockInspection
  /// Writes the pattern of a seed into a range of bytes, whose bounds are multiples of 8.
  func fill(_ handle: UInt32, seed: UInt64, _ range: Range<UInt64>) throws(DeviceFailure)
  /// Compares a range of bytes with the pattern; wrong data is a result, not an error.
  func check(
    _ handle: UInt32, seed: UInt64, _ range: Range<UInt64>
  ) throws(DeviceFailure) -> PatternCheck
  /// Allocates and releases `pairs` times; fewer where a signal came.
  func batch(_ request: BlockRequest, pairs: Int) throws(DeviceFailure) -> Batch
  /// Counts the times of many allocations, until the end or until this thread is interrupted.
  func measure(_ request: MeasureRequest) throws(DeviceFailure) -> Measurement
  /// Asks for something that must be refused.
  func probe(_ kind: Probe, area: UInt32) throws(DeviceFailure) -> ProbeResult
}

/// Describes the module and the kernel (`struct cmatest_info`). Pages have `pageSize` bytes.
public struct DeviceInformation: Equatable, Sendable {
  public var pageSize: UInt64 = 4096
  public var areas: UInt32 = 0
  /// Whether these are all; else the module has only the default one, since it was not given
  /// `cma_for_each_area`, which no kernel exports.
  public var hasAllAreas = true
  /// The largest order and count that are passed on to the allocator.
  public var maxOrder: UInt32 = 0
  public var maxCount: UInt64 = 0
  /// Pages of a page block, by which areas are rounded; nil where that is not known.
  public var blockPages: UInt64?
  /// Blocks that one open file can have, and pages that all can have together.
  public var maxHandles: UInt64 = 0
  public var maxPages: UInt64 = 0
  /// Blocks of this open file.
  public var fileHandles: UInt64 = 0
  /// Pages that all open files have now.
  public var heldPages: UInt64 = 0
  /// Of all areas: CmaTotal and CmaFree of /proc/meminfo, in pages.
  public var totalPages: UInt64 = 0
  public var freePages: UInt64 = 0

  public init() {}
}

/// Describes an area as the kernel knows it (`struct cmatest_area`).
public struct AreaInformation: Equatable, Sendable {
  public var index: UInt32
  /// As below /sys/kernel/mm/cma; nil where it is not known.
  public var name: String?
  public var isDefault = false
  /// Physical address of its first byte; nil where it is not known, or the area is several ranges.
  public var base: UInt64?
  /// Whether the area may be several ranges, so that the module does not ask where it begins.
  public var mayHaveRanges = false
  /// Bytes; nil where it is not known. 0 is an area that the kernel reserved, but could not activate.
  public var size: UInt64?
  /// Pages of the area that the module has: those of all open files, and those held since it was
  /// loaded.
  public var heldPages: UInt64 = 0

  public init(index: UInt32) {
    self.index = index
  }
}

/// Says which block to allocate.
public struct BlockRequest: Equatable, Sendable {
  public var area: UInt32
  /// Pages.
  public var count: UInt64
  /// Alignment, 2^order pages.
  public var order: UInt32

  public init(area: UInt32, count: UInt64, order: UInt32 = 0) {
    self.area = area
    self.count = count
    self.order = order
  }
}

/// Pages that were allocated (`struct cmatest_alloc`).
public struct Block: Equatable, Sendable {
  public var handle: UInt32
  /// Page frame number of the first page.
  public var frame: UInt64
  /// Pages.
  public var count: UInt64
  /// The time that `cma_alloc` alone took.
  public var nanoseconds: UInt64

  public init(handle: UInt32, frame: UInt64, count: UInt64, nanoseconds: UInt64) {
    self.handle = handle
    self.frame = frame
    self.count = count
    self.nanoseconds = nanoseconds
  }

  /// The page frame numbers of its pages.
  public var frames: Range<UInt64> { frame..<frame.clampedSum(count) }
}

/// The answer of `cma_release` (`struct cmatest_release`).
public struct Release: Equatable, Sendable {
  public var isAccepted: Bool
  public var nanoseconds: UInt64

  public init(isAccepted: Bool, nanoseconds: UInt64) {
    self.isAccepted = isAccepted
    self.nanoseconds = nanoseconds
  }
}

/// Describes the pages of a block, one by one (`struct cmatest_block`).
public struct BlockInspection: Equatable, Sendable {
  /// Pages.
  public var count: UInt64 = 0
  public var frame: UInt64 = 0
  /// Pages in the zone and on the node of the first.
  public var inZone: UInt64 = 0
  /// Pages whose reference count is 1.
  public var unshared: UInt64 = 0
  /// Pages within the area's base and size; nil where these are not known.
  public var inside: UInt64?
  public var node: UInt32 = 0
  /// As in /proc/zoneinfo.
  public var zone = ""

  public init() {}
}

/// The outcome of comparing a block with its pattern (`struct cmatest_check`).
public struct PatternCheck: Equatable, Sendable {
  /// The first word that differs.
  public struct Mismatch: Equatable, Sendable {
    /// Bytes from the beginning of the block.
    public var offset: UInt64
    public var wrote: UInt64
    public var read: UInt64

    public init(offset: UInt64, wrote: UInt64, read: UInt64) {
      self.offset = offset
      self.wrote = wrote
      self.read = read
    }
  }

  /// The number of words of 8 bytes that differ.
  public var badWords: UInt64
  public var first: Mismatch?

  public init(badWords: UInt64 = 0, first: Mismatch? = nil) {
    self.badWords = badWords
    self.first = first
  }
}

/// Many pairs of an allocation and a release (`struct cmatest_batch`).
public struct Batch: Equatable, Sendable {
  /// Pairs that were made; those of them whose allocation failed; those whose release was refused.
  public var done: Int
  public var failed: Int
  public var refused: Int
  /// Nanoseconds of each allocation, and of each release that there was.
  public var allocations: [UInt32]
  public var releases: [UInt32]

  public init(
    done: Int, failed: Int, refused: Int, allocations: [UInt32] = [], releases: [UInt32] = []
  ) {
    self.done = done
    self.failed = failed
    self.refused = refused
    self.allocations = allocations
    self.releases = releases
  }
}

/// A request that must be refused (`CMATEST_PROBE_*`).
public enum Probe: Sendable {
  /// The release of a page that is not CMA's.
  case foreignPage
  /// The allocation of no page at all.
  case noPages
}

/// The outcome of a request that must be refused (`struct cmatest_probe`).
public struct ProbeResult: Equatable, Sendable {
  public var isRefused: Bool
  /// The page frame number of the page that was offered, or that was given for nothing.
  public var frame: UInt64

  public init(isRefused: Bool, frame: UInt64) {
    self.isRefused = isRefused
    self.frame = frame
  }
}

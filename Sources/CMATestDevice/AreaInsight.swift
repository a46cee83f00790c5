// SPDX-License-Identifier: GPL-2.0-or-later

/// Tells what is in an area, who took the blocks of it, and what was in the way of a request: the requests
/// of `src-kmod/uapi/cmatest.h` that look at pages of others.
///
/// A test puts an area of its own in its place.
public protocol AreaInsight: AnyObject, Sendable {
  /// Looks at page frames.
  ///
  /// - Parameters:
  ///   - frames: page frame numbers, all within the area.
  ///   - area: the index of the area.
  ///   - body: takes each run of frames that are alike, in ascending order.
  /// - Throws: the request that failed; ENOTTY for a module that does not know the request.
  func look(
    at frames: Range<UInt64>, in area: UInt32, _ body: (FrameRun) -> Void
  ) throws(DeviceFailure)

  /// Names the file that a page belongs to.
  ///
  /// - Parameters:
  ///   - frame: the page frame number.
  ///   - area: the index of the area.
  /// - Returns: nil for a page of no file, and for one whose page is locked for too long.
  /// - Throws: the request that failed.
  func file(of frame: UInt64, in area: UInt32) throws(DeviceFailure) -> PageFile?

  /// Finds the first block at or after a frame in the ledger, which has the blocks of all areas that were
  /// allocated since the module was loaded.
  ///
  /// - Parameter frame: the page frame number.
  /// - Returns: the state of the ledger, with the block if there is one.
  /// - Throws: the request that failed.
  func ledger(from frame: UInt64) throws(DeviceFailure) -> Ledger

  /// Allocates a block, and tells what was in the way.
  ///
  /// - Parameter request: the block.
  /// - Returns: the block, or the cause of its absence.
  /// - Throws: the request that failed for another reason than the area's state.
  func witness(_ request: BlockRequest) throws(DeviceFailure) -> Witness
}

/// Page frames that follow each other and are alike (`struct cmatest_frame_run`).
public struct FrameRun: Equatable, Sendable {
  /// The use of a page.
  public enum Kind: UInt32, Sendable {
    /// There is no memory, or it is offline.
    case absent = 0
    case free
    /// Nothing refers to the page: free in a list of a processor, or on its way there.
    case loose
    case anonymous
    /// Page cache, of a file or of a block device.
    case file
    /// Swap cache of shared memory.
    case swap
    /// Was page cache once; only references keep it.
    case orphan
    case hugePages
    case slab
    case pageTable
    /// Logically offline, as in a balloon.
    case offline
    /// In another use by the kernel or a driver. Blocks of the area are among these.
    case other
    /// Changed each time that the module looked.
    case changing
  }

  /// What else is known of a page (`CMATEST_FRAME_*`).
  public struct Flags: OptionSet, Hashable, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public static let reclaimable = Flags(rawValue: 0x1)
    public static let unevictable = Flags(rawValue: 0x2)
    public static let locked = Flags(rawValue: 0x4)
    public static let dirty = Flags(rawValue: 0x8)
    public static let writeback = Flags(rawValue: 0x10)
    public static let underInput = Flags(rawValue: 0x20)
    public static let swapCache = Flags(rawValue: 0x40)
    public static let swapBacked = Flags(rawValue: 0x80)
    public static let merged = Flags(rawValue: 0x100)
    /// The file system keeps data of its own for the page, as the buffers of its metadata.
    public static let privateData = Flags(rawValue: 0x200)
    public static let mayBePinned = Flags(rawValue: 0x400)
    /// `maps` and `extra` are known.
    public static let counted = Flags(rawValue: 0x800)
    /// In a range that an allocation is emptying at that moment.
    public static let isolated = Flags(rawValue: 0x2000)
    /// Of a block device itself.
    public static let blockDevice = Flags(rawValue: 0x4000)
    /// Of the kernel, and it can be moved.
    public static let movable = Flags(rawValue: 0x8000)
  }

  public var frames: Range<UInt64>
  public var kind: Kind
  public var flags: Flags = []
  /// The number of the file's inode, and the device of its file system as stat(2) has it; 0 for a page of
  /// no file.
  public var inode: UInt64 = 0
  public var device: UInt32 = 0
  /// Of the free block, or of the larger page that the frame is part of.
  public var order: UInt32 = 0
  /// Page tables that map it, and references that neither these nor caches explain.
  public var maps: UInt32 = 0
  public var extra: UInt32 = 0

  public init(_ frames: Range<UInt64>, _ kind: Kind, _ flags: Flags = []) {
    self.frames = frames
    self.kind = kind
    self.flags = flags
  }

  /// Whether somebody holds a reference that keeps the page in its place.
  ///
  /// The kernel itself holds one for a moment for a page that is on its way to its lists; such a page is in
  /// none of these yet.
  public var isPinned: Bool {
    if flags.contains(.mayBePinned) { return true }
    return flags.contains(.counted) && extra > 0
      && !flags.isDisjoint(with: [.reclaimable, .unevictable])
  }
}

/// A file that a page belongs to (`struct cmatest_path`).
public struct PageFile: Hashable, Sendable {
  public var inode: UInt64
  /// As stat(2) has it.
  public var device: UInt32
  /// From the root of its file system; nil for a file without a name.
  public var path: String?
  /// The kind of file system, as in /proc/filesystems.
  public var fileSystem: String

  public init(inode: UInt64, device: UInt32, path: String?, fileSystem: String) {
    self.inode = inode
    self.device = device
    self.path = path
    self.fileSystem = fileSystem
  }
}

/// The record that the module keeps of blocks (`struct cmatest_entry`).
public struct Ledger: Equatable, Sendable {
  /// A block, or what is left of it.
  public struct Block: Equatable, Sendable {
    public var frames: Range<UInt64>
    /// When it was allocated, in ns since 1970.
    public var time: UInt64
    /// The process that allocated it, and the name that its thread had.
    public var process: Int32
    public var command: String
    /// The functions that called the allocator, the last called first, as `vb2_dc_alloc
    /// [videobuf2_dma_contig]`.
    public var stack: [String]
    /// Whether it was allocated through /dev/cmatest, or by the module when it was loaded.
    public var isOfModule: Bool

    public init(
      _ frames: Range<UInt64>, time: UInt64, process: Int32, command: String, stack: [String],
      isOfModule: Bool
    ) {
      self.frames = frames
      self.time = time
      self.process = process
      self.command = command
      self.stack = stack
      self.isOfModule = isOfModule
    }
  }

  /// Whether the module keeps a ledger: the kernel tells, and `ledger=` is not 0.
  public var isKept: Bool
  /// Blocks that there is room for (`ledger=`); 0 where it is off.
  public var most: UInt32
  /// Blocks in it, and those that it had no room for.
  public var live: UInt32
  public var missed: UInt64
  /// When it began, in ns since 1970.
  public var began: UInt64
  public var block: Block?

  public init(
    isKept: Bool, most: UInt32 = 4096, live: UInt32, missed: UInt64, began: UInt64,
    block: Block? = nil
  ) {
    self.isKept = isKept
    self.most = most
    self.live = live
    self.missed = missed
    self.began = began
    self.block = block
  }
}

/// The outcome of an allocation with what the kernel told of it (`struct cmatest_witness`).
public struct Witness: Equatable, Sendable {
  /// Why there was no block.
  public enum Cause: String, Sendable {
    /// The area has fewer pages.
    case larger = "larger-than-area"
    /// No range of so many pages is without a block.
    case noHole = "no-hole"
    /// Pages in each range that was tried could not be moved.
    case inUse = "in-use"
    /// No range could be isolated: another allocation, or memory of the kernel, was in the way.
    case refused
    /// There was no memory elsewhere to move pages to.
    case noMemory = "no-memory"
    /// The caller is being killed.
    case killed
    /// This kernel does not tell enough.
    case notKnown = "not-known"
  }

  /// A range of pages that the kernel tried in vain (`struct cmatest_attempt`).
  public struct Attempt: Equatable, Sendable {
    public var frame: UInt64
    /// The first frame that was in use at the end; nil where it did not come so far.
    public var inTheWay: UInt64?
    public var nanoseconds: UInt64

    public init(frame: UInt64, inTheWay: UInt64?, nanoseconds: UInt64) {
      self.frame = frame
      self.inTheWay = inTheWay
      self.nanoseconds = nanoseconds
    }
  }

  /// The block; nil where `cause` says why there is none.
  public var block: CMATestDevice.Block?
  public var cause: Cause?
  public var nanoseconds: UInt64 = 0
  /// The errno that the kernel itself had, where it tells.
  public var errno: UInt32?
  /// The first attempts that failed.
  public var attempts: [Attempt] = []
  /// All attempts that failed, and those of them whose range could not be isolated; nil where this kernel
  /// does not tell.
  public var failed: UInt64?
  public var refused: UInt64?
  /// Pages that were moved away, and pages that could not be moved; nil where this kernel does not tell.
  public var migrated: UInt64?
  public var unmigrated: UInt64?

  public init() {}

  /// The frames that were in the way, each once, in the order in which the kernel met them.
  public var inTheWay: [UInt64] {
    var seen: Set<UInt64> = []
    return attempts.compactMap(\.inTheWay).filter { seen.insert($0).inserted }
  }
}

// SPDX-License-Identifier: GPL-2.0-or-later

import CMATestDevice
import CMATestSystem
import Foundation
import Glibc

/// What a simulated allocator does wrong. The first six are those of the module's debug build.
enum Fault: String, CaseIterable, Sendable {
  case leak, misalign, overlap, wrongRelease, corrupt, staleAccounting
  case givesZeroPages, givesTooMuch, releasesTwice, keepsBlocksOfTheDead, leavesTheArea
  case mixesZones, movesPinnedPages, neverForgetsAPin, harmsWhatItMoves, neverMoves
  case neverJoinsHoles, refusesOddCounts, refusesLargeOrders, miscountsReleases
  case showsOtherBits, showsAnotherHole
}

/// A kernel with one CMA area in the place of the real one: a bitmap, and contents by page. Time
/// passes by operations, and a pause takes none.
final class SimulatedKernel: Kernel, DeviceFile, @unchecked Sendable {
  static let pageCount = 2048
  static let base: UInt64 = 0x4_0000
  static let handleLimit = 1024

  let processors = 2
  let release = "7.3.4-simulated"
  var file: any DeviceFile { self }

  /// What is in a page: which word of which pattern is its first.
  private struct Content: Equatable {
    var seed: UInt64
    var page: UInt64
    var isCorrupt = false
  }

  private struct Owned {
    var block: Block
    /// What is to be freed, which is more where a fault wants it.
    var freed: Range<Int>
    var owner: Int
  }

  private let lock = NSRecursiveLock()
  private let fault: Fault?
  private let knowsPlaces: Bool
  private let knowsAvailable: Bool
  private var used = [Bool](repeating: false, count: pageCount)
  private var usedCount = 0
  private var owned: [UInt32: Owned] = [:]
  private var contents: [UInt64: Content] = [:]
  /// Released pages that wait in a processor's list: free, but not counted so.
  private var waiting = 0
  private var counts = (allocated: UInt64(0), failed: UInt64(0), released: UInt64(0))
  private var nextHandle: UInt32 = 1
  private var nextOwner = 1
  private var clock: UInt64 = 0
  private var first: DeviceInformation?
  private var hasReleasedSmall = false
  fileprivate var places: [SimulatedPages] = []

  /// - Parameters:
  ///   - fault: what it does wrong; nil for nothing.
  ///   - knowsPlaces: false for a kernel that does not tell an area's base and size.
  ///   - knowsAvailable: false for a kernel without CONFIG_CMA_SYSFS.
  ///   - others: pages that somebody has allocated since boot.
  init(
    _ fault: Fault? = nil, knowsPlaces: Bool = true, knowsAvailable: Bool = true,
    others: Range<Int> = 0..<0
  ) {
    self.fault = fault
    self.knowsPlaces = knowsPlaces
    self.knowsAvailable = knowsAvailable
    mark(others, true)
  }

  /// Pages that are allocated now, by anybody.
  var usedPages: Int { locked { usedCount } }

  private func mark(_ range: Range<Int>, _ isUsed: Bool) {
    for page in range { used[page] = isUsed }
    usedCount += isUsed ? range.count : -range.count
  }

  private func locked<Result, E: Error>(_ body: () throws(E) -> Result) throws(E) -> Result {
    lock.lock()
    defer { lock.unlock() }
    clock += 1000
    return try body()
  }

  private var information_: DeviceInformation {
    var information = DeviceInformation()
    information.pageblockOrder = 9
    information.areas = 1
    information.maxOrder = 20
    information.maxCount = 1 << 30
    information.maxHandles = UInt64(Self.handleLimit)
    information.maxPages = 1 << 40
    information.maxPairs = 1 << 20
    information.totalPages = UInt64(Self.pageCount)
    information.fileHandles = UInt64(owned.values.count { $0.owner == 0 })
    information.heldPages = owned.values.reduce(0) { $0 + $1.block.count }
    information.freePages = free
    return information
  }

  private var free: UInt64 { UInt64(Self.pageCount - usedCount - waiting) }

  func information() throws(DeviceFailure) -> DeviceInformation {
    locked {
      let now = information_
      guard fault == .staleAccounting else { return now }
      if first == nil { first = now }
      var stale = now
      stale.fileHandles = first?.fileHandles ?? 0
      stale.heldPages = first?.heldPages ?? 0
      stale.freePages = first?.freePages ?? 0
      return stale
    }
  }

  func area(_ index: UInt32) throws(DeviceFailure) -> AreaInformation {
    guard index == 0 else { throw DeviceFailure("get area \(index)", ENOENT) }
    var area = AreaInformation(index: 0)
    area.name = "simulated"
    area.isDefault = true
    if knowsPlaces {
      area.base = Self.base << 12
      area.size = UInt64(Self.pageCount) << 12
    }
    return area
  }

  func allocate(_ request: BlockRequest) throws(DeviceFailure) -> Block {
    try allocate(request, owner: 0)
  }

  fileprivate func allocate(_ request: BlockRequest, owner: Int) throws(DeviceFailure) -> Block {
    try locked { () throws(DeviceFailure) in
      guard request.count > 0 else { throw DeviceFailure(request.words, EINVAL) }
      guard owned.count < Self.handleLimit else { throw DeviceFailure(request.words, EMFILE) }
      waiting = 0
      guard let range = find(request) else {
        counts.failed += request.count
        throw DeviceFailure(request.words, ENOMEM, nanoseconds: 1000)
      }
      mark(range, true)
      move(range)
      counts.allocated += UInt64(range.count)
      let lead = fault == .misalign ? 1 : 0
      let outside = fault == .leavesTheArea && range.upperBound == Self.pageCount ? 1 : 0
      let block = Block(
        handle: nextHandle, frame: Self.base + UInt64(range.lowerBound + lead + outside),
        count: fault == .givesTooMuch ? min(request.count, UInt64(Self.pageCount)) : request.count,
        nanoseconds: 1000)
      owned[nextHandle] = Owned(block: block, freed: range, owner: owner)
      nextHandle += 1
      return block
    }
  }

  /// The lowest place that will do.
  private func find(_ request: BlockRequest) -> Range<Int>? {
    if fault == .refusesOddCounts, request.count > 8, request.count.nonzeroBitCount > 2,
      request.count < Self.pageCount
    {
      return nil
    }
    if fault == .refusesLargeOrders, request.order > 9 { return nil }
    if fault == .neverJoinsHoles, hasReleasedSmall, request.count > Self.pageCount / 2 {
      return nil
    }
    var count = Int(request.count) + (fault == .misalign ? 1 : 0)
    if fault == .givesTooMuch { count = min(count, Self.pageCount) }
    let step = UInt64(1) << UInt64(request.order)
    let blocked = blockedPages
    var start = 0
    while start + count <= Self.pageCount {
      let frame = Self.base + UInt64(start)
      guard frame.isMultiple(of: step) else {
        start = Int((frame / step + 1) * step - Self.base)
        continue
      }
      var page = start + count
      while page > start, !blocked[page - 1] { page -= 1 }
      if page == start { return start..<start + count }
      start = page
    }
    return nil
  }

  /// Those that are allocated, and those of a process that cannot be moved.
  private var blockedPages: [Bool] {
    var blocked = used
    for frame in places.flatMap({ $0.stuckFrames(fault) }) where frame >= Self.base {
      let page = Int(frame - Self.base)
      if page < Self.pageCount { blocked[page] = true }
    }
    return blocked
  }

  private func move(_ range: Range<Int>) {
    let frames = Self.base + UInt64(range.lowerBound)..<Self.base + UInt64(range.upperBound)
    for pages in places { pages.move(from: frames, harming: fault == .harmsWhatItMoves) }
  }

  func release(_ handle: UInt32) throws(DeviceFailure) -> Release {
    try locked { () throws(DeviceFailure) in
      if fault == .releasesTwice, handle < nextHandle, owned[handle] == nil {
        return Release(isAccepted: true, nanoseconds: 1)
      }
      guard let gone = owned.removeValue(forKey: handle) else {
        throw DeviceFailure("release block \(handle)", ENOENT)
      }
      free(gone.freed, keepsLast: fault == .leak)
      return Release(isAccepted: true, nanoseconds: 500)
    }
  }

  private func free(_ range: Range<Int>, keepsLast: Bool) {
    let range = keepsLast ? range.dropLast() : range
    mark(range, false)
    waiting = min(waiting + range.count, 8)
    counts.released += UInt64(range.count) + (fault == .miscountsReleases ? 1 : 0)
    if range.count == 32 { hasReleasedSmall = true }
  }

  fileprivate func releaseAll(of owner: Int) {
    locked {
      guard fault != .keepsBlocksOfTheDead else { return }
      for (handle, gone) in owned where gone.owner == owner {
        owned[handle] = nil
        free(gone.freed, keepsLast: false)
      }
    }
  }

  func inspect(_ handle: UInt32) throws(DeviceFailure) -> BlockInspection {
    let block = try block(handle)
    var inspection = BlockInspection()
    inspection.count = block.count
    inspection.frame = block.frame
    inspection.inZone = fault == .mixesZones && block.count > 2 ? block.count - 1 : block.count
    inspection.unshared = block.count
    inspection.zone = "DMA32"
    let area = Self.base..<Self.base + UInt64(Self.pageCount)
    if knowsPlaces { inspection.inside = UInt64(area.clamped(to: block.frames).count) }
    return inspection
  }

  private func block(_ handle: UInt32) throws(DeviceFailure) -> Block {
    try locked { () throws(DeviceFailure) in
      guard let block = owned[handle]?.block else {
        throw DeviceFailure("look at block \(handle)", ENOENT)
      }
      return block
    }
  }

  /// Where a page of a block really is.
  private func frame(_ block: Block, _ page: UInt64) -> UInt64 {
    fault == .overlap && page == 0 ? 0 : block.frame + page
  }

  func fill(_ handle: UInt32, seed: UInt64, _ range: Range<UInt64>) throws(DeviceFailure) {
    let block = try block(handle)
    locked {
      for page in 0..<block.count {
        contents[frame(block, page)] = Content(
          seed: seed, page: page, isCorrupt: fault == .corrupt && page == block.count / 2)
      }
    }
  }

  func check(
    _ handle: UInt32, seed: UInt64, _ range: Range<UInt64>
  ) throws(DeviceFailure) -> PatternCheck {
    let block = try block(handle)
    return locked {
      let wrong = (0..<block.count).filter {
        contents[frame(block, $0)] != Content(seed: seed, page: $0)
      }
      guard let first = wrong.first else { return PatternCheck() }
      return PatternCheck(
        badWords: UInt64(wrong.count), first: .init(offset: first << 12, wrote: 1, read: 2))
    }
  }

  func batch(_ request: BlockRequest, pairs: Int) throws(DeviceFailure) -> Batch {
    var batch = Batch(done: pairs, failed: 0, refused: 0)
    for _ in 0..<pairs {
      guard let block = try? allocate(request) else {
        batch.failed += 1
        continue
      }
      _ = try release(block.handle)
    }
    return batch
  }

  func probe(_ kind: Probe, area: UInt32) throws(DeviceFailure) -> ProbeResult {
    switch kind {
    case .foreignPage: ProbeResult(isRefused: fault != .wrongRelease, frame: 7)
    case .noPages: ProbeResult(isRefused: fault != .givesZeroPages, frame: 0)
    }
  }

  func bitmap(of area: String) throws(SystemFailure) -> AreaBitmap? {
    locked {
      guard knowsPlaces, knowsAvailable else { return nil }
      var bitmap = AreaBitmap(
        used: UInt64(usedCount), largestFree: 0,
        frames: Self.base..<Self.base + UInt64(Self.pageCount), allocated: [])
      var length: UInt64 = fault == .showsAnotherHole ? 1 : 0
      for page in used.indices {
        if used[page] { bitmap.allocated.insert(Self.base + UInt64(page)) }
        length = used[page] ? 0 : length + 1
        bitmap.largestFree = max(bitmap.largestFree, length)
      }
      if fault == .showsOtherBits, usedCount > 0 { bitmap.allocated.remove(Self.base) }
      return bitmap
    }
  }

  func counters(of area: String?) throws(SystemFailure) -> Counters {
    locked {
      var counters = Counters(free: free)
      counters.statisticsFree = free
      guard knowsAvailable else { return counters }
      counters.allocated = counts.allocated
      counters.failed = counts.failed
      counters.released = counts.released
      counters.available = UInt64(Self.pageCount - usedCount)
      counters.total = UInt64(Self.pageCount)
      return counters
    }
  }

  func placePages(
    _ kind: UserPageKind, in area: UInt32, _ frames: Range<UInt64>, wanted: Int, seed: UInt64,
    isEnding: () -> Bool
  ) throws(PlacementFailure) -> any UserPages {
    locked {
      let free = used.indices.filter { !used[$0] }.suffix(min(wanted, 100))
      let pages = SimulatedPages(free.map { Self.base + UInt64($0) })
      places = [pages]
      return pages
    }
  }

  func startOwner(
    _ request: BlockRequest, blocks: Int
  ) throws(SystemFailure) -> any OtherOwner {
    let owner = locked {
      nextOwner += 1
      return nextOwner
    }
    for _ in 0..<blocks {
      do throws(DeviceFailure) {
        _ = try allocate(request, owner: owner)
      } catch {
        throw SystemFailure(.spawn, "owner", ECHILD)
      }
    }
    return SimulatedOwner(kernel: self, owner: owner)
  }

  func pause(nanoseconds: UInt64) { locked { clock += nanoseconds } }

  var now: UInt64 { locked { clock } }
}

/// Pages of a process in a simulated area.
final class SimulatedPages: UserPages {
  private var places: [UInt64]
  private var pinned: Int?
  private var wasPinned: Int?
  private var harmed: Int?

  fileprivate init(_ places: [UInt64]) { self.places = places }

  func frames() throws(SystemFailure) -> [UInt64?] { places }
  func firstWrongPage() -> Int? { harmed }
  func pin(_ page: Int) throws(SystemFailure) { (pinned, wasPinned) = (page, page) }

  func unpin() throws(SystemFailure) -> Bool {
    pinned = nil
    return true
  }

  /// Where those are that the kernel cannot move.
  fileprivate func stuckFrames(_ fault: Fault?) -> [UInt64] {
    switch fault {
    case .movesPinnedPages: []
    case .neverForgetsAPin: wasPinned.map { [places[$0]] } ?? []
    case .neverMoves: places
    default: pinned.map { [places[$0]] } ?? []
    }
  }

  fileprivate func move(from frames: Range<UInt64>, harming: Bool) {
    for page in places.indices where frames.contains(places[page]) {
      if page != pinned { places[page] += 1 << 30 }
      if harming { harmed = page }
    }
  }
}

private final class SimulatedOwner: OtherOwner {
  private let kernel: SimulatedKernel
  private let owner: Int

  init(kernel: SimulatedKernel, owner: Int) {
    self.kernel = kernel
    self.owner = owner
  }

  func kill() throws(SystemFailure) { kernel.releaseAll(of: owner) }
}

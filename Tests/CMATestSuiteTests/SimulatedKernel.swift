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

/// One CMA area of a simulated kernel: a bitmap, and what the kernel counts of it.
struct SimulatedArea {
  var name: String?
  /// Page frame number of its first page.
  var base: UInt64
  fileprivate(set) var used: [Bool]
  fileprivate(set) var usedCount = 0
  /// Released pages that wait in a processor's list: free, but not counted so.
  fileprivate var waiting = 0
  fileprivate var counts = (allocated: UInt64(0), failed: UInt64(0), released: UInt64(0))
  /// Pages that the module has held since it was loaded.
  var loadedPages: UInt64 = 0

  /// - Parameters:
  ///   - name: as the kernel tells it; nil where it does not.
  ///   - base: a page frame number.
  ///   - pages: how many it has; none for an area that could not be activated.
  ///   - others: pages that somebody has allocated since boot.
  init(_ name: String?, base: UInt64, pages: Int, others: [Range<Int>] = []) {
    self.name = name
    self.base = base
    used = [Bool](repeating: false, count: pages)
    for range in others { mark(range, true) }
  }

  var frames: Range<UInt64> { base..<base + UInt64(used.count) }

  fileprivate mutating func mark(_ range: Range<Int>, _ isUsed: Bool) {
    for page in range where used[page] != isUsed {
      used[page] = isUsed
      usedCount += isUsed ? 1 : -1
    }
  }
}

/// A kernel with CMA areas in the place of the real one, mostly with one. Time passes by operations,
/// and a pause takes none.
final class SimulatedKernel: TestedKernel, DeviceFile, @unchecked Sendable {
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
    var area: Int
  }

  private let lock = NSRecursiveLock()
  private let fault: Fault?
  private let knowsPlaces: Bool
  private let knowsAvailable: Bool
  private(set) var areas: [SimulatedArea]
  private var owned: [UInt32: Owned] = [:]
  private var contents: [UInt64: Content] = [:]
  private var nextHandle: UInt32 = 1
  private var nextOwner = 1
  private var clock: UInt64 = 0
  private var first: DeviceInformation?
  private var hasReleasedSmall = false
  fileprivate var places: [SimulatedPages] = []
  /// Changes what the module says of itself, or of an area, or what the kernel counts.
  var distorts: (inout DeviceInformation) -> Void = { _ in }
  var distortsArea: (inout AreaInformation) -> Void = { _ in }
  var distortsCounters: (inout Counters) -> Void = { _ in }
  /// Whether the kernel shows what each page is used for.
  var knowsUses = true
  /// Page frames that look movable, and are not.
  var pinnedFrames: Set<UInt64> = []
  var maxPages: UInt64 = 1 << 40
  /// Pages of all blocks that were ever given.
  private(set) var givenPages = 0

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
    areas = [SimulatedArea("simulated", base: Self.base, pages: Self.pageCount, others: [others])]
  }

  /// - Parameters:
  ///   - areas: of which the first is the default one.
  ///   - knowsAvailable: false for a kernel without CONFIG_CMA_SYSFS.
  init(areas: [SimulatedArea], knowsAvailable: Bool = true) {
    fault = nil
    knowsPlaces = true
    self.knowsAvailable = knowsAvailable
    self.areas = areas
  }

  /// Pages that are allocated now, by anybody.
  var usedPages: Int { locked { areas.reduce(0) { $0 + $1.usedCount } } }

  /// What `alloc_pages_success` of an area is.
  func allocatedPages(_ area: Int) -> UInt64 { locked { areas[area].counts.allocated } }

  private func locked<Result, E: Error>(_ body: () throws(E) -> Result) throws(E) -> Result {
    lock.lock()
    defer { lock.unlock() }
    clock += 1000
    return try body()
  }

  private var information_: DeviceInformation {
    var information = DeviceInformation()
    information.areas = UInt32(areas.count)
    information.maxOrder = 20
    information.maxCount = 1 << 30
    information.maxHandles = UInt64(Self.handleLimit)
    information.maxPages = maxPages
    information.totalPages = areas.reduce(0) { $0 + UInt64($1.used.count) }
    information.fileHandles = UInt64(owned.values.count { $0.owner == 0 })
    information.heldPages = owned.values.reduce(0) { $0 + $1.block.count }
    information.freePages = free
    distorts(&information)
    return information
  }

  private var free: UInt64 {
    areas.reduce(0) { $0 + UInt64(max(0, $1.used.count - $1.usedCount - $1.waiting)) }
  }

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
    try locked { () throws(DeviceFailure) in
      guard Int(index) < areas.count else { throw DeviceFailure("get area \(index)", ENOENT) }
      let simulated = areas[Int(index)]
      var area = AreaInformation(index: index)
      area.name = simulated.name
      area.isDefault = index == 0
      if knowsPlaces {
        area.base = simulated.base << 12
        area.size = UInt64(simulated.used.count) << 12
      }
      if fault == .staleAccounting {
        area.heldPages = 0
      } else {
        area.heldPages = owned.values.filter { $0.area == Int(index) }
          .reduce(simulated.loadedPages) { $0 + $1.block.count }
      }
      distortsArea(&area)
      return area
    }
  }

  func allocate(_ request: BlockRequest) throws(DeviceFailure) -> Block {
    try allocate(request, owner: 0)
  }

  fileprivate func allocate(_ request: BlockRequest, owner: Int) throws(DeviceFailure) -> Block {
    try locked { () throws(DeviceFailure) in
      let index = Int(request.area)
      guard index < areas.count else { throw DeviceFailure(request.words, ENOENT) }
      guard request.count > 0 else { throw DeviceFailure(request.words, EINVAL) }
      guard owned.count < Self.handleLimit else { throw DeviceFailure(request.words, EMFILE) }
      let held = owned.values.reduce(0) { $0 + $1.block.count }
      guard request.count <= maxPages, held <= maxPages - request.count else {
        throw DeviceFailure(request.words, ENOSPC)
      }
      areas[index].waiting = 0
      guard let range = find(request, areas[index]) else {
        areas[index].counts.failed &+= request.count
        throw DeviceFailure(request.words, ENOMEM)
      }
      let area = areas[index]
      areas[index].mark(range, true)
      move(range, area)
      areas[index].counts.allocated += UInt64(range.count)
      givenPages += range.count
      let lead = fault == .misalign ? 1 : 0
      let outside = fault == .leavesTheArea && range.upperBound == area.used.count ? 1 : 0
      let block = Block(
        handle: nextHandle, frame: area.base + UInt64(range.lowerBound + lead + outside),
        count: fault == .givesTooMuch
          ? min(request.count, UInt64(area.used.count)) : request.count,
        nanoseconds: 1000)
      owned[nextHandle] = Owned(block: block, freed: range, owner: owner, area: index)
      nextHandle += 1
      return block
    }
  }

  /// The lowest place that will do.
  private func find(_ request: BlockRequest, _ area: SimulatedArea) -> Range<Int>? {
    let pageCount = area.used.count
    guard fault == .givesTooMuch || request.count <= pageCount else { return nil }
    if fault == .refusesOddCounts, request.count > 8, request.count.nonzeroBitCount > 2,
      request.count < pageCount
    {
      return nil
    }
    if fault == .refusesLargeOrders, request.order > 9 { return nil }
    if fault == .neverJoinsHoles, hasReleasedSmall, request.count > pageCount / 2 {
      return nil
    }
    var count = Int(clamping: min(request.count, 1 << 40)) + (fault == .misalign ? 1 : 0)
    if fault == .givesTooMuch { count = min(count, pageCount) }
    let step = UInt64(1) << UInt64(min(request.order, 50))
    let blocked = blockedPages(of: area)
    var start = 0
    while start + count <= pageCount {
      let frame = area.base + UInt64(start)
      guard frame.isMultiple(of: step) else {
        start = Int((frame / step + 1) * step - area.base)
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
  private func blockedPages(of area: SimulatedArea) -> [Bool] {
    var blocked = area.used
    for frame in places.flatMap({ $0.stuckFrames(fault) }) + pinnedFrames
    where area.frames.contains(frame) {
      blocked[Int(frame - area.base)] = true
    }
    return blocked
  }

  private func move(_ range: Range<Int>, _ area: SimulatedArea) {
    let frames = area.base + UInt64(range.lowerBound)..<area.base + UInt64(range.upperBound)
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
      free(gone.freed, of: gone.area, keepsLast: fault == .leak)
      return Release(isAccepted: true, nanoseconds: 500)
    }
  }

  private func free(_ range: Range<Int>, of area: Int, keepsLast: Bool) {
    let range = keepsLast ? range.dropLast() : range
    areas[area].mark(range, false)
    areas[area].waiting = min(areas[area].waiting + range.count, 8)
    areas[area].counts.released += UInt64(range.count) + (fault == .miscountsReleases ? 1 : 0)
    if range.count == 32 { hasReleasedSmall = true }
  }

  fileprivate func releaseAll(of owner: Int) {
    locked {
      guard fault != .keepsBlocksOfTheDead else { return }
      for (handle, gone) in owned where gone.owner == owner {
        owned[handle] = nil
        free(gone.freed, of: gone.area, keepsLast: false)
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
    let index = locked { owned[handle]?.area ?? 0 }
    if knowsPlaces {
      inspection.inside = UInt64(areas[index].frames.clamped(to: block.frames).count)
    }
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
      guard knowsPlaces, knowsAvailable, let area = areas.first(where: { $0.name == area }) else {
        return nil
      }
      let frames = area.used.indices.filter { area.used[$0] }.map { area.base + UInt64($0) }
      var allocated = FrameRanges(frames.lazy.map { $0..<$0 + 1 })
      let longest = allocated.gaps(in: area.frames).longest
      if fault == .showsOtherBits, let first = frames.first {
        allocated = FrameRanges(frames.filter { $0 != first }.map { $0..<$0 + 1 })
      }
      return AreaBitmap(
        used: UInt64(frames.count), largestFree: longest + (fault == .showsAnotherHole ? 1 : 0),
        frames: area.frames, allocated: allocated)
    }
  }

  func fixedPages(in frames: Range<UInt64>) throws(SystemFailure) -> FrameRanges? {
    locked {
      guard knowsUses else { return nil }
      return FrameRanges(
        areas.flatMap { area in
          area.used.indices.filter { area.used[$0] }.map { area.base + UInt64($0) }
        }.filter(frames.contains).map { $0..<$0 + 1 })
    }
  }

  func occupiedPages(in frames: Range<UInt64>) throws(SystemFailure) -> FrameRanges? {
    guard let fixed = try fixedPages(in: frames) else { return nil }
    return locked { fixed.union(pinnedFrames.filter(frames.contains).map { $0..<$0 + 1 }) }
  }

  func counters(of name: String?) throws(SystemFailure) -> Counters {
    locked {
      var counters = Counters(free: free)
      counters.statisticsFree = free
      if knowsAvailable, let name, let area = areas.first(where: { $0.name == name }) {
        counters.allocated = area.counts.allocated
        counters.failed = area.counts.failed
        counters.released = area.counts.released
        counters.available = UInt64(area.used.count - area.usedCount)
        counters.total = UInt64(area.used.count)
      }
      distortsCounters(&counters)
      return counters
    }
  }

  func placePages(
    _ kind: UserPageKind, in area: UInt32, _ frames: Range<UInt64>, wanted: Int, seed: UInt64,
    isEnding: () -> Bool
  ) throws(PlacementFailure) -> any UserPages {
    locked {
      let area = areas.first { $0.frames == frames }
      let free = area?.used.indices.filter { area?.used[$0] == false }.suffix(min(wanted, 100))
      let pages = SimulatedPages((free ?? []).map { frames.lowerBound + UInt64($0) })
      places = [pages]
      return pages
    }
  }

  func startOwner(
    _ request: BlockRequest, blocks: Int
  ) throws(SystemFailure) -> any BlockOwner {
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

private final class SimulatedOwner: BlockOwner {
  private let kernel: SimulatedKernel
  private let owner: Int

  init(kernel: SimulatedKernel, owner: Int) {
    self.kernel = kernel
    self.owner = owner
  }

  func kill() throws(SystemFailure) { kernel.releaseAll(of: owner) }
}

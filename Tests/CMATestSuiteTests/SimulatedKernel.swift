// SPDX-License-Identifier: GPL-2.0-or-later

import CMATestDevice
import CMATestSystem
import Foundation
import Glibc

/// A kernel with CMA areas in the place of the real one, mostly with one. Time passes by operations,
/// and a pause takes none.
final class SimulatedKernel: TestedKernel, @unchecked Sendable {
  static let pageCount = 2048
  static let base: UInt64 = 0x4_0000

  let processors = 2
  let release = "7.3.4-simulated"
  var file: any DeviceFile { self }

  /// What is in a page: which word of which pattern is its first.
  struct Content: Equatable {
    var seed: UInt64
    var page: UInt64
    var isCorrupt = false
  }

  struct Owned {
    var block: Block
    /// What is to be freed, which is more where a fault wants it.
    var freed: Range<Int>
    var owner: Int
    var area: Int
  }

  /// What the module gives at most.
  struct Limits {
    /// Pages of all open files together.
    var pages: UInt64 = 1 << 40
    /// Blocks of one open file.
    var handles = 1024
  }

  private let lock = NSRecursiveLock()
  let fault: Fault?
  let knowsPlaces: Bool
  let knowsAvailable: Bool
  var areas: [SimulatedArea]
  var owned: [UInt32: Owned] = [:]
  var contents: [UInt64: Content] = [:]
  var nextHandle: UInt32 = 1
  var nextOwner = 1
  var clock: UInt64 = 0
  var first: DeviceInformation?
  var hasReleasedSmall = false
  var places: [SimulatedPages] = []
  /// Changes what the module says of itself, or of an area, or what the kernel counts.
  var distorts: (inout DeviceInformation) -> Void = { _ in }
  var distortsArea: (inout AreaInformation) -> Void = { _ in }
  var distortsCounters: (inout Counters) -> Void = { _ in }
  /// Whether the kernel shows what each page is used for.
  var knowsUses = true
  /// Page frames that look movable, and are not.
  var pinnedFrames = FrameRanges()
  /// What is in pages that no block has.
  var runs: [FrameRun] = []
  /// The files of some pages.
  var files: [UInt64: PageFile] = [:]
  var ledgerBlocks: [Ledger.Block] = []
  var keepsLedger = true
  /// What is in the way of a refused request.
  var obstacle: String?
  var limits = Limits()
  /// Bytes of memory that are left while no block is taken; nil where nothing tells.
  var memoryLeft: UInt64?
  /// The least that was ever left.
  var leastMemoryLeft: UInt64 = .max
  /// The time in ns by which a measured allocation takes longer, by its number since the start.
  var measuredDelays: (Int) -> UInt64 = { _ in 0 }
  /// Whether a measured allocation fails, by its number.
  var failsMeasured: (Int) -> Bool = { _ in false }
  var measuredAllocations = 0
  /// What the module answers to a measurement in place of measuring.
  var refusedMeasurement: DeviceFailure?
  /// Pages of all blocks that were ever given.
  var givenPages = 0

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

  func locked<Result, E: Error>(_ body: () throws(E) -> Result) throws(E) -> Result {
    lock.lock()
    defer { lock.unlock() }
    clock += 1000
    return try body()
  }
}

// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
internal import CMATestDevice
internal import CMATestReport
internal import CMATestSystem

extension CaseRun {
  /// How many pages the area has.
  ///
  /// - Throws: `skipped` where nothing tells.
  func pageCount() throws(CaseEnd) -> UInt64 {
    guard let pages = area.pages else {
      throw .skipped(
        "the size of \(area.title) is not known: the module was not given cma_get_size")
    }
    return pages
  }

  /// The area's page frame numbers.
  ///
  /// - Throws: `skipped` where nothing tells.
  func frames() throws(CaseEnd) -> Range<UInt64> {
    guard let frames = area.frames else {
      let reason =
        area.mayHaveRanges
        ? "as an area for huge pages, it may be several ranges"
        : "the module was not given cma_get_base"
      throw .skipped("the place of \(area.title) is not known: \(reason)")
    }
    return frames
  }

  /// Whether nobody else has a part of the area, whose place is known: then a case can tell which
  /// blocks there must be. An area whose place is not known may be several ranges.
  func ownsTheArea() throws(CaseEnd) -> Bool {
    let occupancy = try occupancy()
    return area.frames != nil && occupancy.isExact && occupancy.others == 0
  }

  /// Pages of the area that are nobody's, or can be made so, in one piece or not; at most so many.
  func freePages() throws(CaseEnd) -> UInt64 {
    let pages = try pageCount()
    return try occupancy().free ?? pages
  }

  /// Why a case cannot show anything here: others have too much, or the area is tiny. Else what it
  /// found is a fault.
  func tooFull(_ what: String) throws(CaseEnd) -> CaseEnd {
    let occupancy = try occupancy()
    let message = "\(what): \(occupancy.words)"
    let isRoomy = occupancy.isExact && occupancy.others == 0 && occupancy.pages ?? 0 >= 64
    return isRoomy ? .failed(message) : .skipped(message)
  }

  /// What a case may insist on: so many pages can be had in one piece.
  ///
  /// - Throws: `skipped` where not even one can be had.
  func obtainablePages() throws(CaseEnd) -> UInt64 {
    if try ownsTheArea() { return try pageCount() }
    let largest = try largestBlock()
    guard largest.pages > 0 else { throw try nothingToHave() }
    return largest.pages
  }

  /// As many pages in one piece as are wanted, or as many as can be had.
  ///
  /// - Throws: `skipped` where not even one can be had.
  func obtainable(_ wanted: UInt64) throws(CaseEnd) -> UInt64 {
    var count = max(1, wanted)
    if try ownsTheArea() { return min(count, max(1, try pageCount())) }
    while try !canAllocate(count) {
      guard count > 1 else { throw try nothingToHave() }
      count /= 2
    }
    return count
  }

  /// That not one page can be had: where others have nearly all, no fault.
  private func nothingToHave() throws(CaseEnd) -> CaseEnd {
    let message = "not one page of \(area.title) can be had"
    if let occupancy = try occupancy(explainingRefusalOf: 1) {
      return .skipped("\(message): \(occupancy.words)")
    }
    let occupancy = try occupancy()
    return .failed("\(message), and \(occupancy.words)")
  }

  /// What others have, where that is enough to explain the refusal of a block of so many pages; nil
  /// where the refusal is a fault.
  ///
  /// Where no counter tells what others have, the module knows only of what it holds itself. Then the
  /// kind of each page tells of drivers and of the kernel's own pools.
  func occupancy(explainingRefusalOf count: UInt64) throws(CaseEnd) -> Occupancy? {
    var occupancy = try occupancy()
    if occupancy.explainsRefusal(of: count) || occupancy.pages == 0 { return occupancy }
    guard !occupancy.isExact, let frames = area.frames, let fixed = try fixedPages(in: frames)
    else { return nil }
    let held = try asking(file.area(area.index).heldPages)
    // What the suite has at this moment is not others'.
    let own = held.clampedDifference(occupancy.others)
    occupancy.others = max(occupancy.others, fixed.count.clampedDifference(own))
    return occupancy.explainsRefusal(of: count) ? occupancy : nil
  }

  /// The order of blocks by which what is free is taken in no more than that many. At least one such
  /// block can be had.
  ///
  /// - Throws: `skipped` where not even one page can be had.
  func blockOrder(atMost blocks: UInt64) throws(CaseEnd) -> UInt32 {
    let free = try freePages()
    let limit = max(2, min(blocks, try information().maxHandles / 2))
    var order: UInt32 = 0
    while free >> UInt64(order) > limit { order += 1 }
    if try ownsTheArea() { return order }
    // What others have left may have no place for so large a block.
    while try !canAllocate(1 << UInt64(order), order: order) {
      guard order > 0 else { throw try nothingToHave() }
      order -= 1
    }
    return order
  }

  /// Takes blocks of one size until there is no other.
  ///
  /// - Parameter order: of their size and of their alignment.
  /// - Returns: them, as they came.
  /// - Throws: where the device fails otherwise than for want of memory.
  func takeAll(order: UInt32) throws(CaseEnd) -> Allocations {
    let most = Int(clamping: (try pageCount() >> UInt64(order)).clampedSum(1))
    var blocks = Allocations(from: file)
    repeat {
      try step(blocks.blocks.count, of: most)
    } while try take(1 << UInt64(order), order: order, into: &blocks)
    return blocks
  }

  /// - Returns: whether there was such a block; it is then the last of `blocks`.
  func take(
    _ count: UInt64, order: UInt32 = 0, into blocks: inout Allocations
  ) throws(CaseEnd) -> Bool {
    do throws(DeviceFailure) {
      try blocks.allocate(request(count, order: order))
      tally.add(count)
      return true
    } catch {
      guard error.isOutOfMemory else { throw CaseEnd(error) }
      return false
    }
  }
}

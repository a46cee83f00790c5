// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
internal import CMATestDevice
internal import CMATestReport
internal import CMATestSystem

extension CaseRun {
  /// Counts the pages of the area.
  ///
  /// - Throws: `skipped` where nothing tells.
  func pageCount() throws(CaseEnd) -> UInt64 {
    guard let pages = area.pages else {
      throw .skipped(
        "the size of \(area.title) is not known: the module was not given cma_get_size")
    }
    return pages
  }

  /// Returns the page frame numbers of the area.
  ///
  /// - Throws: `skipped` where nothing tells.
  func frames() throws(CaseEnd) -> Range<UInt64> {
    guard let frames = area.frames else {
      let reason =
        area.mayHaveRanges
        ? "an area for huge pages may be several ranges"
        : "the module was not given cma_get_base"
      throw .skipped("the place of \(area.title) is not known: \(reason)")
    }
    return frames
  }

  /// Returns whether the place of the area is known and nobody else has a part of the area, so that a case
  /// can tell which blocks must fit. An area whose place is not known may be several ranges.
  func ownsTheArea() throws(CaseEnd) -> Bool {
    let occupancy = try occupancy()
    return area.frames != nil && occupancy.isExact && occupancy.others == 0
  }

  /// Counts the pages of the area that are free or can be made free, in one piece or not: the most that
  /// there can be.
  func freePages() throws(CaseEnd) -> UInt64 {
    let pages = try pageCount()
    return try occupancy().free ?? pages
  }

  /// Makes the end of a case that was given nothing: skipped where others have too much or the area is
  /// tiny, else failed.
  func tooFull(_ what: String) throws(CaseEnd) -> CaseEnd {
    let occupancy = try occupancy()
    let message = "\(what): \(occupancy.words)"
    let isRoomy = occupancy.isExact && occupancy.others == 0 && occupancy.pages ?? 0 >= 64
    return isRoomy ? .failed(message) : .skipped(message)
  }

  /// Finds how many pages in one piece a case may insist on.
  ///
  /// - Throws: `skipped` where not even one can be had.
  func obtainablePages() throws(CaseEnd) -> UInt64 {
    try leaveMemory(taking: 1)
    if try ownsTheArea() {
      let pages = try pageCount()
      let most = affordable(pages)
      // What others take meanwhile is left to them.
      return most == pages ? pages : max(1, most / 8 * 7)
    }
    let largest = try largestBlock()
    guard largest.pages > 0 else { throw try nothingToHave() }
    return largest.pages
  }

  /// Finds how many pages in one piece can be had, at most the number wanted.
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

  /// Makes the end of a case that cannot have a single page: skipped where others have nearly all.
  private func nothingToHave() throws(CaseEnd) -> CaseEnd {
    let message = "not one page of \(area.title) can be had"
    if let occupancy = try occupancy(explainingRefusalOf: 1) {
      return .skipped("\(message): \(occupancy.words)")
    }
    let occupancy = try occupancy()
    return .failed("\(message), and \(occupancy.words)")
  }

  /// Returns the pages of others, where these explain the refusal of a block of so many pages; nil where
  /// the refusal is a fault.
  ///
  /// Where no counter tells of others, the module knows only the pages that it holds itself. Then the kind
  /// of each page tells of drivers and of the kernel's own pools.
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

  /// Finds the order of blocks of which no more than so many take all free pages. At least one such block
  /// can be had.
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

  /// Takes blocks of one size until no other can be had.
  ///
  /// - Parameter order: the order of the size and of the alignment.
  /// - Returns: the blocks, as they came.
  /// - Throws: `failed` where the device fails otherwise than for want of memory; `skipped` where all of them
  ///   would leave too little memory.
  func takeAll(order: UInt32) throws(CaseEnd) -> Allocations {
    try leaveMemory(taking: try freePages())
    let most = Int(clamping: (try pageCount() >> UInt64(order)).clampedSum(1))
    var blocks = Allocations(from: file)
    repeat {
      try step(blocks.blocks.count, of: most)
    } while try take(1 << UInt64(order), order: order, into: &blocks)
    return blocks
  }

  /// Takes a block.
  ///
  /// - Returns: whether the block could be had; it is then the last of `blocks`.
  /// - Throws: `failed` where the device fails otherwise than for want of memory; `skipped` where the block
  ///   would leave too little memory.
  func take(
    _ count: UInt64, order: UInt32 = 0, into blocks: inout Allocations
  ) throws(CaseEnd) -> Bool {
    // Once the blocks have all that is free, one more is refused, and takes nothing.
    if try blocks.pageCount.clampedSum(count) <= freePages() { try leaveMemory(taking: count) }
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

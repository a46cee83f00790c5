// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestDevice

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
      throw .skipped(
        "the place of \(area.title) is not known: the module was not given cma_get_base")
    }
    return frames
  }

  /// Pages of the area that others have allocated: a driver, the kernel itself (its pools for
  /// `GFP_ATOMIC` DMA, `kernel/dma/pool.c`), or the module since it was loaded. To be asked while
  /// the case has no block of its own.
  ///
  /// - Returns: how many at least, and whether there are no more: only a kernel with CONFIG_CMA_SYSFS
  ///   tells.
  /// - Throws: where the counters cannot be read.
  private func others() throws(CaseEnd) -> (pages: UInt64, isAll: Bool) {
    let information = try information()
    let held = information.heldPages + information.loadedPages
    let counters = try counters()
    guard let total = counters.total, let available = counters.available else {
      return (held, false)
    }
    return (max(total - min(total, available), held), true)
  }

  /// Whether nobody else has a part of the area, whose place is known: then a case can tell which
  /// blocks there must be. An area whose place is not known may be several ranges.
  func ownsTheArea() throws(CaseEnd) -> Bool {
    let others = try others()
    return area.frames != nil && others.isAll && others.pages == 0
  }

  /// Pages of the area that are nobody's, or can be made so, in one piece or not; at most so many.
  func freePages() throws(CaseEnd) -> UInt64 {
    let pages = try pageCount()
    return pages - min(pages, try others().pages)
  }

  /// The largest block that can be had now, by search.
  ///
  /// - Returns: pages; 0 where not even one can be had.
  func largestBlock() throws(CaseEnd) -> UInt64 {
    var good: UInt64 = 0
    var bad = try freePages() + 1
    // All that others have left first: on a quiet machine that is the answer, for what the kernel
    // takes at boot lies at the beginning.
    var attempt = bad - 1
    while bad - good > 1 {
      if try canAllocate(attempt) { good = attempt } else { bad = attempt }
      attempt = good + (bad - good) / 2
    }
    return good
  }

  /// What a case may insist on: so many pages can be had in one piece.
  func obtainablePages() throws(CaseEnd) -> UInt64 {
    try ownsTheArea() ? try pageCount() : try largestBlock()
  }

  /// The order of blocks by which the area is taken in no more than that many.
  func blockOrder(atMost blocks: UInt64) throws(CaseEnd) -> UInt32 {
    let pages = try pageCount()
    let limit = max(2, min(blocks, try information().maxHandles / 2))
    var order: UInt32 = 0
    while pages >> UInt64(order) > limit { order += 1 }
    return order
  }

  /// Takes blocks of one size until there is no other.
  ///
  /// - Parameter order: of their size and of their alignment.
  /// - Returns: them, as they came.
  /// - Throws: where the device fails otherwise than for want of memory.
  func takeAll(order: UInt32) throws(CaseEnd) -> Allocations {
    let most = Int(try pageCount() >> UInt64(order)) + 1
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
      return true
    } catch {
      guard error.isOutOfMemory else { throw CaseEnd(error) }
      return false
    }
  }
}

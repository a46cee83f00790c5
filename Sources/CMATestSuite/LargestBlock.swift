// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
internal import CMATestDevice
internal import CMATestReport
internal import CMATestSystem

/// The number of refused requests that are searched for the page in the way, before the search goes by
/// halves.
private let guesses = 12

extension CaseRun {
  /// Searches the largest block: a block of that size was had, and one page more was refused or cannot be.
  ///
  /// Each request that succeeds moves the memory of others, and the kernel clears the pages that it gives.
  /// So the search starts from what is known of the area, goes downwards, and learns from each refusal:
  /// mostly one block is taken, the largest.
  ///
  /// - Returns: the block.
  /// - Throws: `skipped` where the size of the area is not known; the end of the search.
  func largestBlock() throws(CaseEnd) -> LargestBlock {
    let occupancy = try Occupancy.read(of: area, on: kernel)
    let pages = try pageCount()
    let free = occupancy.free ?? pages
    let information = try information()
    let limit = min(
      information.maxPages.clampedDifference(information.heldPages), information.maxCount)
    var search = Search(most: min(free, limit))
    try learn(&search, occupancy)
    while search.bad - search.good > 1 {
      let count = search.next
      if let shortage = shortage(taking: count) {
        search.isShort(shortage, pageSize: area.pageSize)
      } else if try canAllocate(count) {
        search.succeeded(count)
      } else {
        try refused(count, &search)
      }
    }
    return LargestBlock(
      pages: search.good, isLimited: search.good == limit && limit < free && limit > 0,
      shortage: search.shortage)
  }

  /// Estimates the largest block by the kinds of pages that the kernel shows. Allocates nothing.
  ///
  /// - Returns: nil where the kernel does not show the kinds, or the place of the area is not known.
  /// - Throws: `failed` where the kinds cannot be read.
  func estimatedLargestBlock() throws(CaseEnd) -> UInt64? {
    guard let frames = area.frames else { return nil }
    let fixed = try fixedPages(in: frames)
    return fixed?.gaps(in: frames).longest
  }

  /// Learns what can be known before the first request.
  private func learn(_ search: inout Search, _ occupancy: Occupancy) throws(CaseEnd) {
    guard let frames = area.frames, search.most > 0 else { return }
    // A request that succeeds empties the processors' lists of free pages, which look as if they were
    // somebody's; so the pages are looked at while one is held.
    let page: Allocation
    do throws(CaseEnd) {
      page = try allocate(1)
    } catch {
      // Not one to be had is an answer, and other ends are ends.
      switch error {
      case .failed, .skipped: return
      case .interrupted, .timeUp: throw error
      }
    }
    let own = page.block.frames
    let fixed = try fixedPages(in: frames)
    try release(page)
    guard let fixed else { return }
    let pieces = fixed.gaps(in: frames).union([own])
    // Where just as many pages are fixed as the allocator has given away, these are those.
    let isExact =
      occupancy.isExact
      && frames.count - Int(clamping: pieces.count)
        == Int(clamping: occupancy.others)
    search.pieces = pieces
    if isExact { search.bad = min(search.bad, pieces.longest.clampedSum(1)) }
  }

  /// Learns where the page in the way of a refused request is: the kernel moves the pages of a range
  /// upwards until one cannot be moved, so the lowest page that is still there is in the way.
  private func refused(_ count: UInt64, _ search: inout Search) throws(CaseEnd) {
    search.bad = count
    // Without the limit of memory there would not be more.
    search.shortage = nil
    guard let pieces = search.pieces, search.guesses < guesses else {
      search.pieces = nil
      return
    }
    search.guesses += 1
    var rest = FrameRanges()
    for piece in pieces.ranges {
      guard piece.upperBound - piece.lowerBound >= count,
        let occupied = try occupiedPages(in: piece), let first = occupied.ranges.first
      else {
        rest = rest.union([piece])
        continue
      }
      rest = rest.union([
        piece.lowerBound..<first.lowerBound, first.lowerBound + 1..<piece.upperBound,
      ])
    }
    // Nothing was learned where no page is in the way any more: others had it for a moment.
    search.pieces = rest == pieces ? nil : rest
  }

}

/// The state of a search: `good` pages were had, and `bad` pages were refused or cannot be had.
private struct Search {
  let most: UInt64
  var good: UInt64 = 0
  var bad: UInt64
  /// The frames where a block may be; nil where they are not known any more.
  var pieces: FrameRanges?
  var guesses = 0
  /// Why no more than `bad` was asked for; nil where that was refused, or cannot be.
  var shortage: MemoryShortage?

  init(most: UInt64) {
    self.most = most
    bad = most.clampedSum(1)
  }

  /// The number of pages to ask for next: more than `good`, and less than `bad`.
  var next: UInt64 {
    let half = good + (bad - good) / 2
    if good == 0 {
      // All that others have left, first: on a quiet machine that is the answer.
      guard let pieces else { return bad == most.clampedSum(1) ? most : half }
      let longest = min(pieces.longest, bad - 1)
      return longest > 0 ? longest : half
    }
    // One more shows that the answer is the answer.
    return pieces == nil ? half : good + 1
  }

  /// Leaves out what would take too much memory from others, and what they may take meanwhile.
  mutating func isShort(_ shortage: MemoryShortage, pageSize: UInt64) {
    self.shortage = shortage
    bad = max(good, min(next - 1, shortage.spare / pageSize / 8 * 7)) + 1
  }

  mutating func succeeded(_ count: UInt64) {
    // One more than was thought possible could be had: what was thought is wrong.
    if good > 0 { pieces = nil }
    good = count
  }
}

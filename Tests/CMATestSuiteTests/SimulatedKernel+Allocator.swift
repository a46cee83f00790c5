// SPDX-License-Identifier: GPL-2.0-or-later

import CMATestDevice

extension SimulatedKernel {
  /// The lowest place that will do.
  func find(_ request: BlockRequest, _ area: SimulatedArea) -> Range<Int>? {
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
    for frame in places.flatMap({ $0.stuckFrames(fault) }) where area.frames.contains(frame) {
      blocked[Int(frame - area.base)] = true
    }
    for range in pinnedFrames.ranges {
      for frame in range.clamped(to: area.frames) { blocked[Int(frame - area.base)] = true }
    }
    return blocked
  }

  func move(_ range: Range<Int>, _ area: SimulatedArea) {
    let frames = area.base + UInt64(range.lowerBound)..<area.base + UInt64(range.upperBound)
    for pages in places { pages.move(from: frames, harming: fault == .harmsWhatItMoves) }
  }

  func free(_ range: Range<Int>, of area: Int, keepsLast: Bool) {
    let range = keepsLast ? range.dropLast() : range
    areas[area].mark(range, false)
    areas[area].waiting = min(areas[area].waiting + range.count, 8)
    areas[area].counts.released += UInt64(range.count) + (fault == .miscountsReleases ? 1 : 0)
    if range.count == 32 { hasReleasedSmall = true }
  }
}

// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestDevice

extension TestCase {
  static let everyOrder = TestCase(
    "every-order", "a block of each power of two, up to the whole area", takeEveryOrder)
}

@Sendable private func takeEveryOrder(_ run: CaseRun) throws(CaseEnd) {
  let most = try run.obtainablePages()
  let isWhole = try run.ownsTheArea()
  let maxOrder = try run.information().maxOrder
  var largest: UInt64 = 0
  var slowest: UInt64 = 0
  for order: UInt32 in 0...min(maxOrder, 62) {
    let count: UInt64 = 1 << UInt64(order)
    guard count <= most else { break }
    try run.step(Int(order), of: most.bitWidth - most.leadingZeroBitCount)
    // Where others have a part, or nothing tells, it need not fit aligned.
    let fits = isWhole && run.area.starts(of: count, order: order) != nil
    let block = try run.allocate(count, order: fits ? order : 0, wasThere: true)
    largest = count
    slowest = max(slowest, block.block.nanoseconds)
    try run.release(block)
  }
  run.measure("largest_pages", largest)
  run.measure("slowest_alloc_ns", slowest)
}

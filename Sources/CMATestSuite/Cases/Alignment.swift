// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
internal import CMATestDevice

extension TestCase {
  static let alignment = TestCase(
    "alignment", "a block begins where its alignment says", compareAlignments)
}

@Sendable private func compareAlignments(_ run: CaseRun) throws(CaseEnd) {
  let isWhole = try run.ownsTheArea()
  // One page that is taken moves the first free one to an odd place, where alignment costs.
  let first = try run.allocate(1)
  let maxOrder = try run.information().maxOrder
  var blocks = 0
  var highest: UInt32 = 0
  orders: for order: UInt32 in 0...min(maxOrder, 62) {
    for count: UInt64 in [1, 3] {
      let starts = run.area.starts(of: count, order: order)
      // Where others have a part, or nothing tells, it need not be there.
      let fits = isWhole && starts.map { $0.upperBound > first.block.frame } == true
      if !fits, try !run.canAllocate(count, order: order) { break orders }
      let block = try run.allocate(count, order: order, wasThere: true)
      try run.expect(
        block.block.frame.isMultiple(of: 1 << UInt64(order)),
        "a block of \(count) pages and order \(order) begins at frame "
          + "\(block.block.frame.hexadecimal), which is no multiple of \(1 << UInt64(order))")
      try run.release(block)
      blocks += 1
      highest = order
    }
  }
  guard blocks > 0 else { throw try run.tooFull("only one page could be had") }
  run.measure("blocks", blocks)
  run.measure("highest_order", Int(highest))
  try run.release(first)
}

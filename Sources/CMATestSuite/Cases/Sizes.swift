// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
internal import CMATestDevice

@Sendable func singlePage(_ run: CaseRun) throws(CaseEnd) {
  let page = try run.allocate(1)
  run.measure("alloc_ns", page.block.nanoseconds)
  try run.expect(page.block.handle != 0, "the block has no handle")
  let found = try run.inspect(page.block)
  try run.expect(found.count == 1, "one page was asked for, and \(found.count) were given")
  run.measure("release_ns", try run.release(page))
}

@Sendable func everyOrder(_ run: CaseRun) throws(CaseEnd) {
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

@Sendable func oddCounts(_ run: CaseRun) throws(CaseEnd) {
  let most = try run.obtainablePages()
  var counts: [UInt64] = []
  var power: UInt64 = 4
  while power <= most {
    counts += [power - 1, power + 1, power / 4 * 3]
    power *= 2
  }
  // Of each magnitude alike: large ones take long, since the kernel clears them.
  let magnitudes = UInt64(max(1, most.bitWidth - most.leadingZeroBitCount))
  for _ in 0..<16 {
    let largest: UInt64 = 1 << run.numbers.number(from: 0, to: magnitudes - 1)
    counts.append(run.numbers.number(from: 1, to: largest))
  }
  counts.append(most)
  counts.removeAll { $0 > most }
  for (index, count) in counts.enumerated() {
    try run.step(index, of: counts.count)
    let block = try run.allocate(count, wasThere: true)
    let found = try run.inspect(block.block)
    try run.expect(
      found.count == count, "\(count) pages were asked for, and \(found.count) were given")
    try run.release(block)
  }
  run.measure("blocks", counts.count)
}

@Sendable func alignment(_ run: CaseRun) throws(CaseEnd) {
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

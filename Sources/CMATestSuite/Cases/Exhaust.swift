// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestDevice

extension TestCase {
  static let exhaust = TestCase(
    "exhaust", "the whole area can be had, and once more after it was given back", takeTheWholeArea)
}

/// How often the case tries: a page that others had for a moment is free the next time, and a lost page
/// stays lost.
private let attempts = 3

@Sendable private func takeTheWholeArea(_ run: CaseRun) throws(CaseEnd) {
  let pages = try run.pageCount()
  let order = try run.blockOrder(atMost: 256)
  // Where others have a part, or nothing tells, as much as there was at first.
  var wanted: UInt64 = 0
  let size: UInt64 = 1 << UInt64(order)
  if try run.ownsTheArea(), let starts = run.area.starts(of: size, order: order) {
    wanted = starts.upperBound - starts.lowerBound + size
  }
  var had: [UInt64] = []
  var witness = try BitmapWitness(run)
  for _ in 0..<attempts {
    for _ in 0..<2 {
      var blocks = try run.takeAll(order: order)
      had.append(blocks.pageCount)
      try witness.agrees(with: blocks.blocks, "when all that can be had is taken")
      try run.releaseAll(&blocks)
      try witness.agrees(with: blocks.blocks, "when all of it is released")
    }
    wanted = max(wanted, had.max() ?? 0)
    if had.suffix(2).allSatisfy({ $0 == wanted }) {
      run.measure("pages", wanted)
      run.measure("block_pages", size)
      run.measure("area_pages", pages)
      witness.measure()
      return
    }
  }
  let amounts = had.map { "\($0)" }.joined(separator: ", ")
  throw .failed("\(wanted) pages could be had once, and must be had each time: \(amounts)")
}

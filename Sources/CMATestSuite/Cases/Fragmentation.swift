// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestDevice

extension TestCase {
  static let fragmentation = TestCase(
    "fragmentation", "holes are of no use together, until they are joined", makeAndJoinHoles)
}

/// How often the case tries: a page that others had for a moment is free the next time, and a lost page
/// stays lost.
private let attempts = 3

@Sendable private func makeAndJoinHoles(_ run: CaseRun) throws(CaseEnd) {
  let order = try run.blockOrder(atMost: 64)
  let size: UInt64 = 1 << UInt64(order)
  var witness = try BitmapWitness(run)
  var blocks = try run.takeAll(order: order)
  try witness.agrees(with: blocks.blocks, "when all that can be had is taken")
  let all = FrameRanges(blocks.blocks.lazy.map(\.frames))
  let stretch = all.longest / size
  guard blocks.blocks.count >= 4, stretch >= 3 else {
    throw .skipped("only \(blocks.blocks.count) blocks of \(size) pages can be had")
  }
  // Every second one goes, by its place.
  for index in blocks.blocks.indices.reversed()
  where (blocks.blocks[index].frame / size).isMultiple(of: 2) {
    try run.release(index, of: &blocks)
  }
  try witness.agrees(with: blocks.blocks, "when every second block is released")
  // Where the area is not known, only what lies between blocks counts.
  let known = (all.ranges.first?.lowerBound ?? 0)..<(all.ranges.last?.upperBound ?? 0)
  let held = FrameRanges(blocks.blocks.lazy.map(\.frames))
  let hole = held.gaps(in: run.area.frames ?? known).longest
  try run.step(1, of: 4)
  try run.expect(
    !(try run.canAllocate(hole + 1)),
    "\(hole + 1) pages were given where no hole between blocks has more than \(hole)")
  try run.step(2, of: 4)
  try run.expect(
    try run.obtains(size), "a hole of \(size) pages is there, but cannot be had")
  try run.step(3, of: 4)
  try run.releaseAll(&blocks)
  try witness.agrees(with: blocks.blocks, "when all of them are released")
  try run.expect(
    try run.obtains(stretch * size),
    "\(stretch * size) pages are free in one piece again, but cannot be had")
  run.measure("hole_pages", hole)
  run.measure("joined_pages", stretch * size)
  witness.measure()
}

extension CaseRun {
  /// Returns whether a block can be had, at the latest after some attempts.
  fileprivate func obtains(_ count: UInt64) throws(CaseEnd) -> Bool {
    for _ in 0..<attempts {
      if try canAllocate(count) { return true }
      kernel.pause(nanoseconds: 100_000_000)
    }
    return false
  }
}

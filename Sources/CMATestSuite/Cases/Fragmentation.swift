// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestDevice

extension TestCase {
  static let fragmentation = TestCase(
    "fragmentation", "a block must fit into one hole, until holes are joined", makeAndJoinHoles)
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
  // Where the place of the area is not known, the outermost blocks stay: pages beyond them may be free by
  // now, and would join the hole that such a block leaves.
  let known = (all.ranges.first?.lowerBound ?? 0)..<(all.ranges.last?.upperBound ?? 0)
  let edges = run.area.frames == nil ? [known.lowerBound, known.upperBound - size] : []
  // Every second one goes, by its place.
  for index in blocks.blocks.indices.reversed() {
    let frame = blocks.blocks[index].frame
    guard (frame / size).isMultiple(of: 2), !edges.contains(frame) else { continue }
    try run.release(index, of: &blocks)
  }
  try witness.agrees(with: blocks.blocks, "when every second block is released")
  let held = FrameRanges(blocks.blocks.lazy.map(\.frames))
  // All pages of the area beyond the blocks may be one hole, where the place of the area is not known.
  let beyond = run.area.frames == nil ? (run.area.pages ?? 0) : 0
  let hole = max(
    held.gaps(in: run.area.frames ?? known).longest,
    beyond - min(beyond, UInt64(known.count)))
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

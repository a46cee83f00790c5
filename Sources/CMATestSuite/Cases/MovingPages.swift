// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
internal import CMATestDevice

/// The most bytes to place: each page is moved in the same way, and may have to be written to a disk.
private let mostBytes = 16 << 20

/// Places pages of this process in the area, takes their places, and looks at every byte.
func moveAway(_ run: CaseRun, _ kind: UserPageKind) throws(CaseEnd) {
  let pages = try run.placePages(kind, wanted: try mostPages(run))
  let before = try run.framesInArea(of: pages)
  let order = try run.blockOrder(atMost: 64)
  var blocks = Allocations(from: run.file)
  var taken = FrameRanges()
  // All of the area where others, or what is left of an aligned block, keep some of the places.
  while !before.allSatisfy(taken.contains),
    try run.take(1 << UInt64(order), order: order, into: &blocks), let block = blocks.blocks.last
  {
    try run.step(blocks.blocks.count, of: 64)
    taken = taken.union([block.frames])
  }
  let moved = before.count { taken.contains($0) }
  try run.expect(
    moved > 0,
    "none of the \(blocks.blocks.count) blocks that could be had lies where one of the "
      + "\(before.count) pages was")

  for (index, block) in blocks.blocks.enumerated() {
    try run.step()
    try run.fill(block, seed: UInt64(index))
  }
  let still = try run.framesInArea(of: pages).filter { taken.contains($0) }
  if let frame = still.first {
    throw .failed(
      "\(still.count) pages are of a block and of this process: one is \(frame.hexadecimal)")
  }
  try run.expectUnharmed(pages)
  for (index, block) in blocks.blocks.enumerated() {
    try run.step()
    try run.check(block, seed: UInt64(index))
  }
  run.measure("placed_pages", before.count)
  run.measure("moved_pages", moved)
  run.measure("blocks", blocks.blocks.count)
  run.measure("slowest_alloc_ns", blocks.blocks.map(\.nanoseconds).max() ?? 0)
  try run.releaseAll(&blocks)
  try run.expectUnharmed(pages)
}

private func mostPages(_ run: CaseRun) throws(CaseEnd) -> Int {
  min(try run.frames().count / 4, mostBytes / Int(run.area.pageSize))
}

// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
internal import CMATestDevice

/// As many as these are enough: each is moved in the same way, and may have to be written to a disk.
private let mostBytes = 16 << 20

@Sendable func movableAnonymous(_ run: CaseRun) throws(CaseEnd) {
  try movable(run, .anonymous)
}

@Sendable func movablePageCache(_ run: CaseRun) throws(CaseEnd) {
  try movable(run, .pageCache)
}

private func mostPages(_ run: CaseRun) throws(CaseEnd) -> Int {
  min(try run.frames().count / 4, mostBytes / Int(run.area.pageSize))
}

/// Puts pages of this process into the area, takes their places, and looks at every byte.
private func movable(_ run: CaseRun, _ kind: UserPageKind) throws(CaseEnd) {
  let pages = try run.placePages(kind, wanted: try mostPages(run))
  let before = try run.framesInArea(of: pages)
  let order = try run.blockOrder(atMost: 64)
  var blocks = Allocations(from: run.file)
  var taken: Set<UInt64> = []
  // All of the area where others, or what is left of an aligned block, keep some of the places.
  while !taken.isSuperset(of: before), try run.take(1 << UInt64(order), order: order, into: &blocks)
  {
    try run.step(blocks.blocks.count, of: 64)
    taken.formUnion(blocks.blocks.last?.frames ?? 0..<0)
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

@Sendable func pinnedPage(_ run: CaseRun) throws(CaseEnd) {
  let order = try run.blockOrder(atMost: 64)
  let size: UInt64 = 1 << UInt64(order)
  // All but one block, in which the pages must then come to lie.
  var blocks = try run.takeAll(order: order)
  guard
    let last = blocks.blocks.indices.max(by: { blocks.blocks[$0].frame < blocks.blocks[$1].frame })
  else { throw .skipped("no block of \(size) pages can be had") }
  let room = blocks.blocks[last].frames
  try run.release(last, of: &blocks)
  let pages = try run.placePages(.anonymous, wanted: Int(size))
  guard let page = try run.frames(of: pages).firstIndex(where: { $0.map(room.contains) == true })
  else { throw .skipped("no page of this process lies where a block of \(size) pages can be had") }
  try run.pin(page, of: pages)
  guard let frame = try run.frames(of: pages)[page], room.contains(frame) else {
    throw .skipped("the page moved before it was pinned")
  }

  // No other block is left: what is refused is the one that has the page.
  while try run.take(size, order: order, into: &blocks) { try run.step() }
  if let block = blocks.blocks.first(where: { $0.frames.contains(frame) }) {
    throw .failed(
      "the block at frame \(block.frame.hexadecimal) has the pinned page \(frame.hexadecimal)")
  }
  let without = blocks.blocks.count
  try run.expect(
    try run.unpin(pages), "what was pinned was not what this process had written")
  for _ in 0..<5 where !blocks.blocks.contains(where: { $0.frames.contains(frame) }) {
    try run.step()
    while try run.take(size, order: order, into: &blocks) {}
    if !blocks.blocks.contains(where: { $0.frames.contains(frame) }) {
      run.kernel.pause(nanoseconds: 100_000_000)
    }
  }
  try run.expect(
    blocks.blocks.contains { $0.frames.contains(frame) },
    "the page \(frame.hexadecimal) is pinned no longer, but its block still cannot be had")
  try run.expectUnharmed(pages)
  run.measure("blocks_while_pinned", without)
  run.measure("blocks_after", blocks.blocks.count)
  try run.releaseAll(&blocks)
  try run.expectUnharmed(pages)
}

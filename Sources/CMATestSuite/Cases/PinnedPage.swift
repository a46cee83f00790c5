// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
internal import CMATestDevice

extension TestCase {
  static let pinnedPage = TestCase(
    "pinned-page", "a pinned page stops the block that needs it", stopAtAPinnedPage)
}

@Sendable private func stopAtAPinnedPage(_ run: CaseRun) throws(CaseEnd) {
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
    try run.unpin(pages), "the pinned page does not have what this process wrote")
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

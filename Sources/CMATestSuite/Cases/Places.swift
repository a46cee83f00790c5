// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
internal import CMATestDevice

@Sendable func contiguity(_ run: CaseRun) throws(CaseEnd) {
  let most = try run.obtainablePages()
  var counts: [UInt64] = [1, 2, 3]
  var power: UInt64 = 16
  while power < most {
    counts += [power, power + run.numbers.number(from: 1, to: power - 1)]
    power *= 4
  }
  counts.append(most)
  counts.removeAll { $0 > most }
  var pages: UInt64 = 0
  for (index, count) in counts.enumerated() {
    try run.step(index, of: counts.count)
    let block = try run.allocate(count, wasThere: true)
    let found = try run.inspect(block.block)
    let place = "the block of \(count) pages at frame \(block.block.frame.hexadecimal)"
    try run.expect(
      found.frame == block.block.frame && found.count == count,
      "\(place) is \(found.count) pages at \(found.frame.hexadecimal) when it is looked at")
    try run.expect(
      found.inZone == count,
      "only \(found.inZone) pages of \(place) are in zone \(found.zone) of node \(found.node), "
        + "as the first is")
    try unshared(run, block.block, place)
    try run.release(block)
    pages += count
  }
  run.measure("blocks", counts.count)
  run.measure("pages", pages)
}

/// Whatever walks through physical memory may hold a page for a moment: not for three of them.
private func unshared(_ run: CaseRun, _ block: Block, _ place: String) throws(CaseEnd) {
  var alone: UInt64 = 0
  for _ in 0..<3 {
    alone = try run.inspect(block).unshared
    if alone == block.count { return }
    run.kernel.pause(nanoseconds: 50_000_000)
  }
  throw .failed("\(block.count.clampedDifference(alone)) pages of \(place) are somebody else's too")
}

@Sendable func insideArea(_ run: CaseRun) throws(CaseEnd) {
  let frames = try run.frames()
  var blocks = try run.takeAll(order: try run.blockOrder(atMost: 64))
  guard !blocks.blocks.isEmpty else { throw try run.tooFull("no block could be had") }
  for block in blocks.blocks {
    let found = try run.inspect(block)
    let inside = frames.clamped(to: block.frames).count
    try run.expect(
      inside == Int(block.count) && (found.inside ?? block.count) == block.count,
      "\(block.count - min(UInt64(inside), found.inside ?? block.count)) pages of the block "
        + "at frame \(block.frame.hexadecimal) lie outside of the area, which is "
        + "\(frames.lowerBound.hexadecimal) to \(frames.upperBound.hexadecimal)")
  }
  run.measure("blocks", blocks.blocks.count)
  run.measure("pages", blocks.pageCount)
  try run.releaseAll(&blocks)
}

@Sendable func patterns(_ run: CaseRun) throws(CaseEnd) {
  let most = try run.obtainable(try run.freePages() / 32)
  var blocks = Allocations(from: run.file)
  var seeds: [UInt64] = []
  while blocks.blocks.count < 64 {
    try run.step(blocks.blocks.count, of: 128)
    guard try run.take(run.numbers.number(from: 1, to: most), into: &blocks) else { break }
    seeds.append(run.numbers.next())
  }
  guard blocks.blocks.count > 1 else {
    throw try run.tooFull("no two blocks of up to \(most) pages could be had at once")
  }
  try disjoint(blocks.blocks)
  for (block, seed) in zip(blocks.blocks, seeds) {
    try run.step()
    try run.fill(block, seed: seed)
  }
  // Only now, when each has had the chance to write into another.
  for (index, (block, seed)) in zip(blocks.blocks, seeds).enumerated() {
    try run.step(64 + index, of: 128)
    try run.check(block, seed: seed)
  }
  run.measure("blocks", blocks.blocks.count)
  run.measure("bytes", blocks.pageCount * run.area.pageSize)
  try run.releaseAll(&blocks)
}

/// Fails where two blocks have a page in common.
private func disjoint(_ blocks: [Block]) throws(CaseEnd) {
  let sorted = blocks.sorted { $0.frame < $1.frame }
  for (one, next) in zip(sorted, sorted.dropFirst()) where next.frame < one.frames.upperBound {
    throw .failed(
      "the blocks of \(one.count) pages at frame \(one.frame.hexadecimal) and of \(next.count) "
        + "pages at \(next.frame.hexadecimal) overlap")
  }
}

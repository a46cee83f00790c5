// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
internal import CMATestDevice

extension TestCase {
  static let patterns = TestCase(
    "patterns", "many blocks at once keep what each was filled with", fillManyBlocks)
}

@Sendable private func fillManyBlocks(_ run: CaseRun) throws(CaseEnd) {
  let most = try run.obtainable(try run.freePages() / 32)
  var blocks = Allocations(from: run.file)
  var seeds: [UInt64] = []
  while blocks.blocks.count < 64 {
    try run.step(blocks.blocks.count, of: 128)
    let count = run.numbers.number(from: 1, to: most)
    // Two are enough where more would leave too little memory.
    if blocks.blocks.count > 1, run.shortage(taking: count) != nil { break }
    guard try run.take(count, into: &blocks) else { break }
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

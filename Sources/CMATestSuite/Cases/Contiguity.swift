// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
internal import CMATestDevice

extension TestCase {
  static let contiguity = TestCase(
    "contiguity", "all pages of a block are in one zone, and nobody else's", lookAtEachPage)
}

@Sendable private func lookAtEachPage(_ run: CaseRun) throws(CaseEnd) {
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

/// Fails where a page has another user. Code that walks through physical memory may hold a page for a
/// moment, but not at three moments.
private func unshared(_ run: CaseRun, _ block: Block, _ place: String) throws(CaseEnd) {
  var alone: UInt64 = 0
  for _ in 0..<3 {
    alone = try run.inspect(block).unshared
    if alone == block.count { return }
    run.kernel.pause(nanoseconds: 50_000_000)
  }
  throw .failed("\(block.count.clampedDifference(alone)) pages of \(place) are somebody else's too")
}

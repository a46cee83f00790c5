// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
internal import CMATestDevice

extension TestCase {
  static let oddCounts = TestCase(
    "odd-counts", "blocks whose size is no power of two", takeOddCounts)
}

@Sendable private func takeOddCounts(_ run: CaseRun) throws(CaseEnd) {
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

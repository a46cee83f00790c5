// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
internal import CMATestDevice
internal import CMATestSystem

extension TestCase {
  static let ownerKilled = TestCase(
    "owner-killed", "what a killed process had comes back", killOwners)
}

private let rounds = 5
/// How often the counters are read. The own memory of a killed process may have been in the area, too,
/// and comes back a little later.
private let readings = 10

@Sendable private func killOwners(_ run: CaseRun) throws(CaseEnd) {
  // It keeps some blocks, and needs the place for one more.
  let most = min(4, max(1, try run.information().maxHandles.clampedDifference(1)))
  let wanted = min(64, max(1, try run.freePages() / 32))
  let obtainable = try run.obtainable(wanted.clampedProduct(most))
  let count = min(wanted, obtainable)
  let blocks = Int(clamping: min(most, max(1, obtainable / count)))
  let before = try Holdings(run)
  for round in 0..<rounds {
    try run.step(round, of: rounds)
    let owner = try run.startOwner(run.request(count), blocks: blocks)
    run.tally.add(count)
    let held = try run.heldPages()
    try run.expect(
      held >= before.held.clampedSum(count * UInt64(blocks)),
      "another process has \(count * UInt64(blocks)) pages, and all together have \(held)")
    // Somewhere between two system calls, or in the middle of one.
    run.kernel.pause(nanoseconds: run.numbers.number(from: 0, to: 20_000_000))
    try run.kill(owner)
    let after = try run.heldPages()
    try run.expect(
      after == before.held,
      "the killed process still has pages: \(before.held) were held before, and \(after) are now")
  }
  var after = try Holdings(run)
  for _ in 0..<readings where !after.isAsGood(as: before) {
    run.kernel.pause(nanoseconds: 200_000_000)
    try run.step()
    after = try Holdings(run)
  }
  try run.expect(
    after.isAsGood(as: before),
    "\(before.words) before, and \(after.words) after the process was killed")
  run.measure("kills", rounds)
  run.measure("pages", count * UInt64(blocks))
}

/// Held and free pages at one moment, read while one more page is held: see `Accounting`.
private struct Holdings {
  let held: UInt64
  let free: UInt64
  let available: UInt64?

  init(_ run: CaseRun) throws(CaseEnd) {
    let page = try run.allocate(1)
    let counters = try run.counters()
    held = try run.heldPages().clampedDifference(1)
    free = counters.free
    available = counters.available
    try run.release(page)
  }

  /// Returns whether nothing is missing. More is free where others have left the area meanwhile; the
  /// number of allocated pages is exact.
  func isAsGood(as before: Self) -> Bool {
    held == before.held && available == before.available && free >= before.free
  }

  var words: String { "\(free) pages were free, \(available.map(String.init) ?? "?") available" }
}

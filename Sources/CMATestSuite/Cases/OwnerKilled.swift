// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
internal import CMATestDevice
internal import CMATestSystem

extension TestCase {
  static let ownerKilled = TestCase(
    "owner-killed", "what a killed process had comes back", killOwners)
}

private let rounds = 5
/// How often the case tries: others may take pages of the area meanwhile, and keep them; what a killed process
/// had is lost each time.
private let attempts = 3
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
  var before = try Holdings(run)
  for attempt in 1...attempts {
    try kill(rounds, run, run.request(count), blocks, held: before.held)
    var after = try Holdings(run)
    for _ in 0..<readings where !after.isAsGood(as: before) {
      run.kernel.pause(nanoseconds: 200_000_000)
      try run.step()
      after = try Holdings(run)
    }
    var isAllBack = after.isAsGood(as: before)
    if !isAllBack { isAllBack = try after.isExplained(before, run) }
    if isAllBack {
      run.measure("kills", attempt * rounds)
      run.measure("pages", count * UInt64(blocks))
      return
    }
    guard attempt == attempts else {
      before = after
      continue
    }
    throw .failed("\(before.words) before, and \(after.words) after the process was killed")
  }
}

private func kill(
  _ rounds: Int, _ run: CaseRun, _ request: BlockRequest, _ blocks: Int, held before: UInt64
) throws(CaseEnd) {
  let pages = request.count * UInt64(blocks)
  for round in 0..<rounds {
    try run.step(round, of: rounds)
    let owner = try run.startOwner(request, blocks: blocks)
    run.tally.add(request.count)
    let held = try run.heldPages()
    try run.expect(
      held >= before.clampedSum(pages),
      "another process has \(pages) pages, and all together have \(held)")
    // Somewhere between two system calls, or in the middle of one.
    run.kernel.pause(nanoseconds: run.numbers.number(from: 0, to: 20_000_000))
    try run.kill(owner)
    let after = try run.heldPages()
    try run.expect(
      after == before,
      "the killed process still has pages: \(before) were held before, and \(after) are now")
  }
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

  /// Returns whether nothing is missing but free pages, which others take and give back all the time.
  ///
  /// - Throws: `skipped` where nothing else tells that all came back.
  func isExplained(_ before: Self, _ run: CaseRun) throws(CaseEnd) -> Bool {
    guard held == before.held, available == before.available,
      try run.pagesMovedByOthers() >= before.free.clampedDifference(free)
    else { return false }
    if available != nil { return true }
    throw .skipped("others take pages of CMA, and give them back, all the time")
  }

  var words: String { "\(free) pages were free, \(available.map(String.init) ?? "?") available" }
}

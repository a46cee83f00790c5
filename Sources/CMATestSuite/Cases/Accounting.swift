// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestDevice

extension TestCase {
  static let accounting = TestCase(
    "accounting", "every counter of the kernel moves by just what was taken", compareCounters)
}

/// How often the counters are tried. Other programs may take a page from the area, or give one back,
/// between two readings; a kernel that miscounts does so each time.
private let attempts = 5

@Sendable private func compareCounters(_ run: CaseRun) throws(CaseEnd) {
  let pages = try run.obtainable(min(512, try run.freePages() / 8))
  var tries: [[WrongCounter]] = []
  for attempt in 1...attempts {
    try run.step(attempt - 1, of: attempts)
    let wrong = try wrongCounters(run, pages: pages)
    if wrong.isEmpty {
      run.measure("pages", pages)
      run.measure("attempts", attempt)
      return
    }
    tries.append(wrong)
    run.kernel.pause(nanoseconds: 200_000_000)
  }
  // A kernel that miscounts does so each time alike.
  if tries.contains(where: { $0 != tries[0] }), tries.joined().allSatisfy(\.isOfFreePages) {
    let least = tries.map { $0.map(\.error).max() ?? 0 }.min() ?? 0
    let others = try run.pagesMovedByOthers()
    if others >= least {
      throw .skipped(
        "others take pages of CMA, and give them back, all the time: the number of those that are free "
          + "changed by up to \(others) while the suite had none")
    }
  }
  let why = tries[tries.count - 1].map(\.words)
  throw .failed(why.joined(separator: "; "))
}

/// A counter that moved by another amount than was taken.
private struct WrongCounter: Equatable {
  var words: String
  /// Whether it counts pages that are free, which others may take without the allocator.
  var isOfFreePages: Bool
  /// The pages by which it is wrong at most.
  var error: UInt64
}

/// The counters at one moment.
///
/// Pages that are released wait in a list of the processor for the next allocation there, and do not
/// count as free meanwhile. An allocation that succeeds empties these lists. So a page is taken just
/// before, and the counters are read while the page is held, which is missing in each reading alike.
private struct Reading {
  let counters: Counters
  let information: DeviceInformation
  /// The pages of the area that the module has.
  let held: UInt64

  init(_ run: CaseRun) throws(CaseEnd) {
    let page = try run.allocate(1)
    counters = try run.counters()
    information = try run.information()
    held = try run.heldPages()
    try run.release(page)
  }
}

private func wrongCounters(_ run: CaseRun, pages: UInt64) throws(CaseEnd) -> [WrongCounter] {
  let before = try Reading(run)
  let block = try run.allocate(pages)
  let during = try Reading(run)
  try run.release(block)
  let after = try Reading(run)

  var wrong: [WrongCounter] = []
  func expect(
    _ name: String, _ readings: [UInt64?], _ changes: [Int64], ofFreePages: Bool = false
  ) {
    let values = readings.compactMap { $0 }
    // A counter that this kernel does not have.
    guard values.count == readings.count, let first = values.first else { return }
    let found = values.dropFirst().map { Int64(bitPattern: $0 &- first) }
    guard found != changes else { return }
    let words =
      "\(name) changed by \(found), not by \(changes), when \(pages) pages were "
      + "allocated, and then released"
    let errors = zip(found, changes).map { ($0 &- $1).magnitude }
    wrong.append(
      WrongCounter(words: words, isOfFreePages: ofFreePages, error: errors.max() ?? 0))
  }
  func counter(
    _ name: String, _ value: (Counters) -> UInt64?, _ changes: [Int64], ofFreePages: Bool = false
  ) {
    expect(
      name, [value(before.counters), value(during.counters), value(after.counters)], changes,
      ofFreePages: ofFreePages)
  }
  func information(
    _ name: String, _ value: (DeviceInformation) -> UInt64, _ changes: [Int64],
    ofFreePages: Bool = false
  ) {
    expect(
      name, [value(before.information), value(during.information), value(after.information)],
      changes, ofFreePages: ofFreePages)
  }
  let count = Int64(pages)
  counter("CmaFree", { $0.free }, [-count, 0], ofFreePages: true)
  counter("nr_free_cma", { $0.statisticsFree }, [-count, 0], ofFreePages: true)
  counter("available_pages", { $0.available }, [-count, 0])
  counter("total_pages", { $0.total }, [0, 0])
  // Each reading takes a page of its own and gives it back: the first before it is counted here.
  counter("alloc_pages_success", { $0.allocated }, [count + 1, count + 2])
  counter("release_pages_success", { $0.released }, [1, count + 2])
  counter("alloc_pages_fail", { $0.failed }, [0, 0])
  expect(
    "held_pages of the module's area", [before.held, during.held, after.held], [count, 0])
  information("free_pages of the module", \.freePages, [-count, 0], ofFreePages: true)
  information("held_pages of the module", \.heldPages, [count, 0])
  information("file_handles of the module", \.fileHandles, [1, 0])
  return wrong
}

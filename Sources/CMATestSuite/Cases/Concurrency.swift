// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
internal import CMATestDevice
internal import CMATestReport
internal import CMATestSystem

extension TestCase {
  static let concurrency = TestCase(
    "concurrency", "all processors allocate at once", allocateOnAllProcessors)
}

@Sendable private func allocateOnAllProcessors(_ run: CaseRun) throws(CaseEnd) {
  let threads = max(1, run.kernel.processors)
  // In all a quarter of the area, so that there is room wherever the blocks of others lie.
  let share = try run.freePages() / (4 * UInt64(threads))
  guard share > 0 else {
    throw .skipped(
      "there are not four pages for each of \(threads) processors: \(try run.occupancy().words)")
  }
  try run.leaveMemory(taking: share.clampedProduct(UInt64(threads)))
  let (kernel, area, ending) = (run.kernel, run.area, run.ending)
  let (occupancy, tally) = (try run.occupancy(), run.tally)
  let seed = run.numbers.next()
  let body: @Sendable (Int) -> Result<WorkerCount, CaseEnd> = { thread in
    let numbers = SeededNumbers(seed: seed &+ UInt64(thread))
    let run = CaseRun(
      kernel: kernel, area: area, numbers: numbers, ending: ending, occupancy: occupancy,
      tally: tally)
    return Result { () throws(CaseEnd) in try work(run, share: share) }
  }
  let results = try observing(inThreads(threads, body))
  var sum = WorkerCount()
  for result in results {
    let count = try result.get()
    sum.blocks += count.blocks
    sum.pairs += count.pairs
    sum.refusals += count.refusals
  }
  run.measure("threads", threads)
  run.measure("blocks", sum.blocks)
  run.measure("pairs", sum.pairs)
  run.measure("refusals", sum.refusals)
}

private struct WorkerCount: Sendable {
  var blocks = 0
  var pairs = 0
  /// Refused requests, which are no fault: two processors can be in each other's way in one pageblock.
  var refusals = 0
}

private let rounds = 200

private let pairsAtOnce = 100

/// Does the work of one processor: replaces blocks with patterns of its own, looks whether anybody else has
/// written into them, and then allocates and releases as fast as possible.
///
/// - Parameters:
///   - run: the run of this thread.
///   - share: the most pages that the thread may have at a time.
/// - Returns: the counts of this thread.
/// - Throws: the fault that was found, or the end of the run.
private func work(_ run: CaseRun, share: UInt64) throws(CaseEnd) -> WorkerCount {
  var count = WorkerCount()
  var blocks = Allocations(from: run.file)
  var seeds: [UInt32: UInt64] = [:]
  for _ in 0..<rounds {
    try run.step()
    let room = share.clampedDifference(blocks.pageCount)
    if blocks.blocks.isEmpty || (room > 0 && blocks.blocks.count < 8) {
      let order = UInt32(run.numbers.number(from: 0, to: 3))
      let wanted = run.numbers.number(from: 1, to: min(room, max(1, share / 4)))
      guard try run.take(wanted, order: order, into: &blocks), let block = blocks.blocks.last else {
        count.refusals += 1
        continue
      }
      count.blocks += 1
      let seed = run.numbers.next()
      seeds[block.handle] = seed
      try run.fill(block, seed: seed)
    } else {
      let index = Int(run.numbers.number(from: 0, to: UInt64(blocks.blocks.count - 1)))
      let block = blocks.blocks[index]
      try run.check(block, seed: seeds[block.handle] ?? 0)
      try run.release(index, of: &blocks)
    }
  }
  for block in blocks.blocks { try run.check(block, seed: seeds[block.handle] ?? 0) }
  try run.releaseAll(&blocks)
  guard count.blocks > 0 else {
    throw try run.tooFull("one processor was refused \(count.refusals) times of \(rounds)")
  }

  for _ in 0..<4 {
    try run.step()
    let batch = try run.batch(run.request(min(share, 8)), pairs: pairsAtOnce)
    try run.expect(
      batch.refused == 0, "cma_release refused \(batch.refused) blocks that cma_alloc had given")
    count.pairs += batch.done
    count.refusals += batch.failed
  }
  return count
}

// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
internal import CMATestDevice

extension TestCase {
  static let releaseOrder = TestCase(
    "release-order", "blocks can be given back in any order", releaseInAnyOrder)
}

/// How often the case tries: a page that others had for a moment is free the next time, and a lost page
/// stays lost.
private let attempts = 3

@Sendable private func releaseInAnyOrder(_ run: CaseRun) throws(CaseEnd) {
  let order = try run.blockOrder(atMost: 64)
  var blocks = try run.takeAll(order: order)
  let before = blocks.pageCount
  var seeds: [UInt32: UInt64] = [:]
  for block in blocks.blocks {
    try run.step()
    let seed = run.numbers.next()
    seeds[block.handle] = seed
    try run.fill(block, seed: seed)
  }
  var handles = blocks.blocks.map(\.handle)
  run.numbers.shuffle(&handles)
  for (index, handle) in handles.enumerated() {
    try run.step(index, of: handles.count)
    guard let place = blocks.blocks.firstIndex(where: { $0.handle == handle }) else { continue }
    // Nothing that was released before has done it any harm.
    try run.check(blocks.blocks[place], seed: seeds[handle] ?? 0)
    try run.release(place, of: &blocks)
  }
  var after: UInt64 = 0
  for _ in 0..<attempts where after < before {
    var again = try run.takeAll(order: order)
    after = again.pageCount
    try run.releaseAll(&again)
  }
  try run.expect(
    after >= before,
    "\(before) pages were released, not in the order of their allocation, and \(after) can be had")
  run.measure("blocks", handles.count)
  run.measure("pages", before)
}

// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestDevice

/// How often a case is tried anew: what others had for a moment is free the next time, but a page
/// that is lost stays lost.
private let attempts = 3

@Sendable func exhaust(_ run: CaseRun) throws(CaseEnd) {
  let pages = try run.pageCount()
  let order = try run.blockOrder(atMost: 256)
  // Where others have a part, or nothing tells, as much as there was at first.
  var wanted: UInt64 = 0
  let size: UInt64 = 1 << UInt64(order)
  if try run.ownsTheArea(), let starts = run.area.starts(of: size, order: order) {
    wanted = starts.upperBound - starts.lowerBound + size
  }
  var had: [UInt64] = []
  var witness = try BitmapWitness(run)
  for _ in 0..<attempts {
    for _ in 0..<2 {
      var blocks = try run.takeAll(order: order)
      had.append(blocks.pageCount)
      try witness.agrees(with: blocks.blocks, "when all that can be had is taken")
      try run.releaseAll(&blocks)
      try witness.agrees(with: blocks.blocks, "when all of it is released")
    }
    wanted = max(wanted, had.max() ?? 0)
    if had.suffix(2).allSatisfy({ $0 == wanted }) {
      run.measure("pages", wanted)
      run.measure("block_pages", size)
      run.measure("area_pages", pages)
      witness.measure()
      return
    }
  }
  let amounts = had.map { "\($0)" }.joined(separator: ", ")
  throw .failed("\(wanted) pages must be had again and again, and these were: \(amounts)")
}

@Sendable func releaseOrder(_ run: CaseRun) throws(CaseEnd) {
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

@Sendable func fragmentation(_ run: CaseRun) throws(CaseEnd) {
  let order = try run.blockOrder(atMost: 64)
  let size: UInt64 = 1 << UInt64(order)
  var witness = try BitmapWitness(run)
  var blocks = try run.takeAll(order: order)
  try witness.agrees(with: blocks.blocks, "when all that can be had is taken")
  let places = Set(blocks.blocks.map { $0.frame / size })
  let stretch = longestRun(places)
  guard blocks.blocks.count >= 4, stretch >= 3 else {
    throw .skipped("only \(blocks.blocks.count) blocks of \(size) pages can be had")
  }
  // Where the area is not known, the outermost stay: what lies beyond them may be free by now, and
  // would join the hole that such a block leaves.
  let outermost = run.area.frames == nil ? [places.min(), places.max()] : []
  // Every second one goes, by its place.
  for index in blocks.blocks.indices.reversed() {
    let place = blocks.blocks[index].frame / size
    guard place.isMultiple(of: 2), !outermost.contains(place) else { continue }
    try run.release(index, of: &blocks)
  }
  try witness.agrees(with: blocks.blocks, "when every second block is released")
  let held = Set(blocks.blocks.map { $0.frame / size })
  // Where the area is not known, only what lies between blocks counts.
  let all = FrameRanges(places.map { $0 * size..<($0 + 1) * size }).ranges
  let whole = run.area.frames ?? (all.first?.lowerBound ?? 0)..<(all.last?.upperBound ?? 0)
  let beyond = run.area.frames == nil ? (run.area.pages ?? 0) : 0
  let hole = max(
    FrameRanges(held.map { $0 * size..<($0 + 1) * size }).gaps(in: whole).longest,
    beyond - min(beyond, UInt64(whole.count)))
  try run.step(1, of: 4)
  try run.expect(
    !(try run.canAllocate(hole + 1)),
    "\(hole + 1) pages were given where no hole between blocks has more than \(hole)")
  try run.step(2, of: 4)
  try run.expect(
    try run.obtains(size), "a hole of \(size) pages is there, but cannot be had")
  try run.step(3, of: 4)
  try run.releaseAll(&blocks)
  try witness.agrees(with: blocks.blocks, "when all of them are released")
  try run.expect(
    try run.obtains(stretch * size),
    "\(stretch * size) pages are free in one piece again, but cannot be had")
  run.measure("hole_pages", hole)
  run.measure("joined_pages", stretch * size)
  witness.measure()
}

extension CaseRun {
  /// Whether a block can be had, at the latest after some attempts.
  fileprivate func obtains(_ count: UInt64) throws(CaseEnd) -> Bool {
    for _ in 0..<attempts {
      if try canAllocate(count) { return true }
      kernel.pause(nanoseconds: 100_000_000)
    }
    return false
  }
}

/// The length of the longest sequence of neighbours.
private func longestRun(_ places: Set<UInt64>) -> UInt64 {
  var longest: UInt64 = 0
  for place in places where place == 0 || !places.contains(place - 1) {
    var length: UInt64 = 0
    while places.contains(place + length) { length += 1 }
    longest = max(longest, length)
  }
  return longest
}

// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
internal import CMATestDevice

extension TestCase {
  static let insideArea = TestCase(
    "inside-area", "no block reaches beyond its area", compareWithTheArea)
}

@Sendable private func compareWithTheArea(_ run: CaseRun) throws(CaseEnd) {
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

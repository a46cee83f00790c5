// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestDevice

extension TestCase {
  static let singlePage = TestCase(
    "single-page", "one page can be had and given back", takeOnePage)
}

@Sendable private func takeOnePage(_ run: CaseRun) throws(CaseEnd) {
  let page = try run.allocate(1)
  run.measure("alloc_ns", page.block.nanoseconds)
  try run.expect(page.block.handle != 0, "the block has no handle")
  let found = try run.inspect(page.block)
  try run.expect(found.count == 1, "one page was asked for, and \(found.count) were given")
  run.measure("release_ns", try run.release(page))
}

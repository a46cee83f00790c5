// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
internal import CMATestDevice

extension TestCase {
  static let tooLarge = TestCase(
    "too-large", "more than the area has is refused, and does no harm", askForTooMuch)
}

@Sendable private func askForTooMuch(_ run: CaseRun) throws(CaseEnd) {
  let information = try run.information()
  var counts = [information.maxCount]
  if let pages = run.area.pages { counts.insert(pages.clampedSum(1), at: 0) }
  for count in counts {
    try run.expect(
      !(try run.canAllocate(count)),
      "\(count) pages were given, more than the \(run.area.pages ?? 0) that the area has")
  }
  // It is as good as before.
  try run.release(try run.allocate(1))
}

// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestDevice

extension TestCase {
  static let movablePageCache = TestCase(
    "movable-page-cache", "a file's memory makes way, unharmed", movePageCache)
}

@Sendable private func movePageCache(_ run: CaseRun) throws(CaseEnd) {
  try moveAway(run, .pageCache)
}

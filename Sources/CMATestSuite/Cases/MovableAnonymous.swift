// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestDevice

extension TestCase {
  static let movableAnonymous = TestCase(
    "movable-anonymous", "a program's memory makes way, unharmed", moveAnonymousPages)
}

@Sendable private func moveAnonymousPages(_ run: CaseRun) throws(CaseEnd) {
  try moveAway(run, .anonymous)
}

// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
internal import CMATestDevice

extension TestCase {
  static let foreignPage = TestCase(
    "foreign-page", "a page that is not CMA's is not taken back", needsPages: false,
    offerAForeignPage)
}

@Sendable private func offerAForeignPage(_ run: CaseRun) throws(CaseEnd) {
  let result = try run.probe(.foreignPage)
  try run.expect(
    result.isRefused,
    "cma_release took frame \(result.frame.hexadecimal), which is not of the area")
}

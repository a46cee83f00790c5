// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
internal import CMATestDevice

extension TestCase {
  static let zero = TestCase(
    "zero", "a block of no pages is refused", needsPages: false, askForNoPages)
}

@Sendable private func askForNoPages(_ run: CaseRun) throws(CaseEnd) {
  let result = try run.probe(.noPages)
  try run.expect(
    result.isRefused, "a block of no pages was given, at frame \(result.frame.hexadecimal)")
  do throws(DeviceFailure) {
    _ = try Allocation(run.request(0), from: run.file)
  } catch {
    try run.expect(error.isInvalid, "the module passed on a request for no pages: \(error.message)")
    return
  }
  throw .failed("the module gave a block of no pages")
}

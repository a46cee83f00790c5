// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
internal import CMATestDevice

@Sendable func tooLarge(_ run: CaseRun) throws(CaseEnd) {
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

@Sendable func zeroPages(_ run: CaseRun) throws(CaseEnd) {
  let result = try run.probe(.noPages)
  try run.expect(
    result.isRefused, "a block of no pages was given, at frame \(result.frame.hexadecimal)")
  do throws(DeviceFailure) {
    _ = try Allocation(run.request(0), from: run.file)
  } catch {
    try run.expect(error.isInvalid, "the module passed a request for no pages on: \(error.message)")
    return
  }
  throw .failed("the module gave a block of no pages")
}

@Sendable func foreignPage(_ run: CaseRun) throws(CaseEnd) {
  let result = try run.probe(.foreignPage)
  try run.expect(
    result.isRefused,
    "cma_release took frame \(result.frame.hexadecimal), which is not of the area")
}

@Sendable func releaseTwice(_ run: CaseRun) throws(CaseEnd) {
  let count = try run.obtainable(2)
  let block = try run.allocate(count)
  let handle = block.block.handle
  try run.release(block)
  do throws(DeviceFailure) {
    _ = try run.file.release(handle)
  } catch {
    try run.expect(
      error.isUnknown, "the second release of a block failed otherwise: \(error.message)")
    // What comes next must not be taken for what is gone.
    let next = try run.allocate(count)
    try run.expect(next.block.handle != handle, "a new block has the handle of one that is gone")
    try run.release(next)
    return
  }
  throw .failed("a block was released twice")
}

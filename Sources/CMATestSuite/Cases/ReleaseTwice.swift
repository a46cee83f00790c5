// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestDevice

extension TestCase {
  static let releaseTwice = TestCase(
    "release-twice", "a block can be given back once only", releaseOneBlockTwice)
}

@Sendable private func releaseOneBlockTwice(_ run: CaseRun) throws(CaseEnd) {
  let count = try run.obtainable(2)
  let block = try run.allocate(count)
  let handle = block.block.handle
  try run.release(block)
  do throws(DeviceFailure) {
    _ = try run.file.release(handle)
  } catch {
    try run.expect(
      error.isUnknown, "the second release of a block failed for another reason: \(error.message)")
    // What comes next must not be taken for what is gone.
    let next = try run.allocate(count)
    try run.expect(next.block.handle != handle, "a new block has the handle of one that is gone")
    try run.release(next)
    return
  }
  throw .failed("a block was released twice")
}

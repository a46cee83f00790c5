// SPDX-License-Identifier: GPL-2.0-or-later

import CMATestDevice
import Glibc

/// An area of 100 pages from frame 1000 on, in which a test puts what it likes.
final class FakeInsight: AreaInsight, @unchecked Sendable {
  static let frames: Range<UInt64> = 1000..<1100

  var runs: [FrameRun] = [FrameRun(frames, .free)]
  var files: [UInt64: PageFile] = [:]
  var blocks: [Ledger.Block] = []
  var isKept = true
  var most: UInt32 = 4096
  var missed: UInt64 = 0
  /// What the area has from the second look on.
  var later: [FrameRun]?

  func look(
    at frames: Range<UInt64>, in area: UInt32, _ body: (FrameRun) -> Void
  ) throws(DeviceFailure) {
    for var run in runs where run.frames.overlaps(frames) {
      run.frames = run.frames.clamped(to: frames)
      body(run)
    }
    if let later { runs = later }
  }

  func file(of frame: UInt64, in area: UInt32) throws(DeviceFailure) -> PageFile? { files[frame] }

  func ledger(from frame: UInt64) throws(DeviceFailure) -> Ledger {
    Ledger(
      isKept: isKept, most: most, live: UInt32(blocks.count), missed: missed, began: 5_000_000_000,
      block: blocks.first { $0.frames.upperBound > frame })
  }

  func witness(_ request: BlockRequest) throws(DeviceFailure) -> Witness {
    throw DeviceFailure(request.words, ENOTTY)
  }
}

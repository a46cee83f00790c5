// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
internal import CMATestDevice
internal import CMATestSystem

/// How often the bitmap is read, since other programs may take a page for a moment.
private let attempts = 3

/// Compares the blocks of a case with the allocator's own bitmap, where the kernel shows the bitmap.
struct BitmapWitness {
  private let run: CaseRun
  /// The bitmap before the case had any block; nil where the kernel does not show one, or others have a
  /// part of the area, which may change at any time.
  private let before: AreaBitmap?
  private var comparisons = 0

  init(_ run: CaseRun) throws(CaseEnd) {
    self.run = run
    before = try run.ownsTheArea() ? run.bitmap() : nil
  }

  /// Compares the bitmap with the blocks.
  ///
  /// - Parameters:
  ///   - blocks: all blocks that the case has now.
  ///   - when: the moment, for the message.
  /// - Throws: `failed` where the bitmap differs each time.
  mutating func agrees(with blocks: [Block], _ when: String) throws(CaseEnd) {
    guard let before else { return }
    let held = before.allocated.union(blocks.lazy.map(\.frames))
    let wanted = AreaBitmap(
      used: held.count, largestFree: held.gaps(in: before.frames).longest, frames: before.frames,
      allocated: held)
    var found: AreaBitmap?
    for attempt in 0..<attempts {
      if attempt > 0 { run.kernel.pause(nanoseconds: 100_000_000) }
      found = try run.bitmap()
      guard found != wanted else { break }
    }
    guard let found, found == wanted else {
      throw .failed("\(when) \(difference(found, wanted))")
    }
    comparisons += 1
  }

  /// Leaves for the report how often both agreed; 0 where the kernel shows no bitmap.
  func measure() { run.measure("bitmap_comparisons", comparisons) }

  private func difference(_ found: AreaBitmap?, _ wanted: AreaBitmap) -> String {
    guard let found else { return "debugfs shows no bitmap any more" }
    let strange = found.allocated.symmetricDifference(wanted.allocated)
    return "debugfs has \(found.used) pages used and \(found.largestFree) free in one piece, and "
      + "\(wanted.used) and \(wanted.largestFree) are right; its bitmap differs in \(strange.count) "
      + "pages\(strange.ranges.first.map { ", first at frame \($0.lowerBound.hexadecimal)" } ?? "")"
  }
}

extension CaseRun {
  fileprivate func bitmap() throws(CaseEnd) -> AreaBitmap? {
    guard let name = area.counterName else { return nil }
    return try observing(kernel.bitmap(of: name))
  }
}

// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
internal import CMATestDevice
internal import CMATestSystem

/// How often the bitmap is read: what else runs may take a page for a moment.
private let attempts = 3

/// Compares what a case holds with what the allocator's own bitmap says, where the kernel shows it.
struct BitmapWitness {
  private let run: CaseRun
  /// Before the case had any block; nil where the kernel does not show it, or others have a part of
  /// the area, which comes and goes with them.
  private let before: AreaBitmap?
  private var comparisons = 0

  init(_ run: CaseRun) throws(CaseEnd) {
    self.run = run
    before = try run.ownsTheArea() ? run.bitmap() : nil
  }

  /// - Parameters:
  ///   - blocks: all that the case has now.
  ///   - when: for the message.
  /// - Throws: `failed` where the allocator says otherwise, each time it is asked.
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

  /// Leaves for the report how often both agreed: 0 where there was nothing to compare with.
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

// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
internal import CMATestDevice

/// How often the free pages are counted, and the time between two counts in ns.
private let counts = 20
private let pause: UInt64 = 20_000_000

extension CaseRun {
  /// Watches how others take free pages of CMA, and give them back, while the suite has none: the kernel lends
  /// these pages to programs and files. No mistake of the allocator is in that, since nobody calls it.
  ///
  /// - Returns: the difference of the most and the fewest pages that were free.
  /// - Throws: `failed` where they cannot be counted.
  func pagesMovedByOthers() throws(CaseEnd) -> UInt64 {
    // What was released last is free at once then, and not only when the lists of the processors are emptied.
    try release(try allocate(1))
    var fewest = UInt64.max
    var most: UInt64 = 0
    for _ in 0..<counts {
      kernel.pause(nanoseconds: pause)
      try step()
      let free = try counters().free
      fewest = min(fewest, free)
      most = max(most, free)
    }
    return most.clampedDifference(fewest)
  }
}

// SPDX-License-Identifier: GPL-2.0-or-later

internal import Glibc

extension TestCase {
  /// All cases, in the order in which they run: a case that others build upon comes first.
  public static let all: [TestCase] = [
    .singlePage,
    .everyOrder,
    .oddCounts,
    .alignment,
    .contiguity,
    .insideArea,
    .patterns,
    .exhaust,
    .accounting,
    .tooLarge,
    .zero,
    .foreignPage,
    .releaseTwice,
    .releaseOrder,
    .fragmentation,
    .concurrency,
    .ownerKilled,
    .movableAnonymous,
    .movablePageCache,
    .pinnedPage,
  ]

  /// Finds the cases whose names match a pattern of glob(7).
  ///
  /// - Parameter pattern: the pattern; nil for all cases.
  /// - Returns: the cases, in their order.
  public static func all(matching pattern: String?) -> [TestCase] {
    guard let pattern else { return all }
    return all.filter { fnmatch(pattern, $0.name, 0) == 0 }
  }
}

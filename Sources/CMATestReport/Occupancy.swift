// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore

/// How many pages of an area belong to whom.
///
/// Others are drivers, the kernel itself (its pools for `GFP_ATOMIC` DMA, `kernel/dma/pool.c`), other
/// programs, and the module for the pages that it holds since it was loaded.
public struct Occupancy: Equatable, Sendable {
  /// All pages of the area; nil where nothing tells.
  public var pages: UInt64?
  /// The pages that others have allocated, at least.
  public var others: UInt64
  /// Whether others have no more than that: only a kernel with CONFIG_CMA_SYSFS tells.
  public var isExact: Bool

  public init(pages: UInt64?, others: UInt64, isExact: Bool) {
    self.pages = pages
    self.others = others
    self.isExact = isExact
  }

  /// The most pages that can be free or made free, in one piece or not; nil where the size of the
  /// area is not known.
  public var free: UInt64? { pages.map { $0.clampedDifference(others) } }

  /// Says in one line how many pages others have.
  public var words: String {
    let whole = pages.map { "\($0)" } ?? "?"
    return "\(isExact ? "" : "at least ")\(others) of its \(whole) pages are others'"
  }
}

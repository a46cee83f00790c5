// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore

/// Places blocks as the allocator does: the first range that is free and aligned. (`cma_alloc` in
/// `mm/cma.c`)
package struct Placement {
  /// Ranges without a block, ascending.
  private var holes: [Range<UInt64>]

  /// - Parameter holes: page frame numbers without a block, in ascending ranges.
  package init(holes: [Range<UInt64>]) {
    self.holes = holes.filter { !$0.isEmpty }
  }

  /// Places a block.
  ///
  /// - Parameters:
  ///   - count: its pages.
  ///   - order: the order of its alignment.
  /// - Returns: its first frame; nil where no range is large enough.
  package mutating func place(_ count: UInt64, order: UInt32) -> UInt64? {
    var first = 0
    return place(count, order: order, from: &first)
  }

  /// Places several blocks that are alike.
  ///
  /// - Parameters:
  ///   - count: pages of each.
  ///   - order: the order of their alignment.
  ///   - times: how many.
  /// - Returns: the end of the last page that one of them has; nil where not all find a place.
  package mutating func place(_ count: UInt64, order: UInt32, times: Int) -> UInt64? {
    var (first, end) = (0, UInt64(0))
    for _ in 0..<times {
      guard let start = place(count, order: order, from: &first) else { return nil }
      end = max(end, start + count)
    }
    return end
  }

  /// Places a block in the first hole that will do from one on.
  ///
  /// - Parameters:
  ///   - count: its pages.
  ///   - order: the order of its alignment.
  ///   - first: the first hole that is looked at; then, the one that was taken, before which none would do
  ///     for another of these.
  /// - Returns: its first frame; nil where no range is large enough.
  private mutating func place(_ count: UInt64, order: UInt32, from first: inout Int) -> UInt64? {
    guard order < 52 else { return nil }
    let mask = UInt64(1) << UInt64(order) - 1
    while first < holes.count {
      let hole = holes[first]
      let start = hole.lowerBound.clampedSum(mask) & ~mask
      guard start >= hole.lowerBound, start < hole.upperBound, hole.upperBound - start >= count
      else {
        first += 1
        continue
      }
      let rest = [hole.lowerBound..<start, start + count..<hole.upperBound]
      holes.replaceSubrange(first...first, with: rest.filter { !$0.isEmpty })
      return start
    }
    return nil
  }

  /// The largest range without a block.
  package var largest: Range<UInt64>? {
    holes.max { $0.upperBound - $0.lowerBound < $1.upperBound - $1.lowerBound }
  }
}

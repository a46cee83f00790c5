// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
package import CMATestDevice

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
    guard order < 52 else { return nil }
    let mask = UInt64(1) << UInt64(order) - 1
    for (index, hole) in holes.enumerated() {
      let start = hole.lowerBound.clampedSum(mask) & ~mask
      guard start >= hole.lowerBound, start < hole.upperBound, hole.upperBound - start >= count
      else { continue }
      let rest = [hole.lowerBound..<start, start + count..<hole.upperBound]
      holes.replaceSubrange(index...index, with: rest.filter { !$0.isEmpty })
      return start
    }
    return nil
  }

  /// The largest range without a block.
  package var largest: Range<UInt64>? {
    holes.max { $0.upperBound - $0.lowerBound < $1.upperBound - $1.lowerBound }
  }
}

/// Says how large an area must be for some blocks.
package enum RoomNeeded {
  /// The most places with pages that cannot move for which an answer makes sense.
  private static let mostObstacles: UInt64 = 3

  /// - Parameters:
  ///   - wanted: the blocks, in the order in which they are asked for.
  ///   - others: the pages of the blocks that others have, which are asked for before.
  ///   - obstacles: places with pages in use that could not be moved, anywhere in the area.
  ///   - block: pages of a page block, by which the kernel rounds.
  /// - Returns: pages, a multiple of `block`; nil where no size would do for sure.
  package static func pages(
    for wanted: [BlockRequest], besides others: [UInt64], obstacles: UInt64, block: UInt64
  ) -> UInt64? {
    guard obstacles <= mostObstacles else { return nil }
    // The area begins at some page block. The worst is the one behind a place to which all are aligned.
    let base = block
    var placement = Placement(holes: [base..<1 << 52])
    var end = base
    let before = others.map { BlockRequest(area: 0, count: $0, order: usualOrder(of: $0)) }
    for request in before + wanted {
      guard let start = placement.place(request.count, order: request.order) else { return nil }
      end = max(end, start + request.count)
    }
    var pages = end - base
    // Each such page may be in the middle of a range that would else do for the largest block.
    let largest = wanted.map { $0.count.clampedSum(1 << UInt64(min(51, $0.order))) }.max() ?? 0
    pages = pages.clampedSum(obstacles.clampedProduct(largest))
    guard pages < 1 << 52 else { return nil }
    return (pages + block - 1) / block * block
  }
}

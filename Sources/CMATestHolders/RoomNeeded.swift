// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore

/// Says how large an area must be for some blocks, wherever the kernel reserves the area.
package struct RoomNeeded {
  /// The most places with pages that cannot move for which an answer makes sense.
  private static let mostObstacles: UInt64 = 3
  /// The most blocks that are placed for one answer.
  private static let mostPlaced: UInt64 = 1 << 18
  /// Where the area ends that is tried: nowhere that matters.
  private static let endless: UInt64 = 1 << 52

  /// Some blocks that are alike.
  package struct Blocks: Equatable, Sendable {
    var pages: UInt64
    var order: UInt32
    var number: Int

    package init(pages: UInt64, order: UInt32, number: Int = 1) {
      self.pages = pages
      self.order = order
      self.number = number
    }
  }

  private let wanted: [Blocks]
  private let others: [UInt64]
  private let holes: [Range<UInt64>]
  private let block: UInt64

  /// - Parameters:
  ///   - wanted: the blocks, in the order in which they are asked for.
  ///   - others: the pages of each block that others have.
  ///   - holes: the ranges without a block, ascending, as page numbers from the area's first page on.
  ///   - pages: pages of the area.
  ///   - block: pages of a page block, by which the kernel rounds.
  package init(
    for wanted: [Blocks], besides others: [UInt64], holes: [Range<UInt64>], in pages: UInt64,
    block: UInt64
  ) {
    self.wanted = wanted
    self.others = others
    self.block = block
    // What is added comes behind the last page.
    var holes = holes
    if let last = holes.last, last.upperBound == pages {
      holes[holes.count - 1] = last.lowerBound..<Self.endless
    } else {
      holes.append(pages..<Self.endless)
    }
    self.holes = holes
  }

  /// Finds the size.
  ///
  /// Others may ask for their blocks first, after the next boot, or have them by then where they have them
  /// now, with holes between: the size is enough for either.
  ///
  /// - Parameter obstacles: places with pages in use that could not be moved, anywhere in the area.
  /// - Returns: pages, a multiple of a page block; nil where no size would do for sure.
  package func pages(obstacles: UInt64) -> UInt64? {
    guard obstacles <= Self.mostObstacles else { return nil }
    var pages: UInt64 = 0
    for base in bases {
      guard let first = end(behindOthersAt: base), let present = end(betweenOthersAt: base) else {
        return nil
      }
      pages = max(pages, first, present)
    }
    // Each such page may be in the middle of a range that would else do for the largest block.
    let largest = wanted.map { $0.pages.clampedSum(1 << UInt64(min(51, $0.order))) }.max() ?? 0
    pages = pages.clampedSum(obstacles.clampedProduct(largest))
    guard pages < Self.endless else { return nil }
    return (pages + block - 1) / block * block
  }

  /// The places where the area may begin: at each page block up to the largest alignment, or at some of
  /// these where they are too many, with the two worst.
  private var bases: [UInt64] {
    let largest = wanted.map { UInt64(1) << UInt64(min(51, $0.order)) }.max() ?? 1
    guard largest > block else { return [0] }
    let placed = wanted.reduce(UInt64(others.count)) { $0.clampedSum(UInt64($1.number)) }
    var step = block
    while (largest / step).clampedProduct(placed) > Self.mostPlaced, step < largest { step *= 2 }
    let bases = stride(from: 0, to: largest, by: UInt64.Stride(step)).map { $0 }
    return bases + [block, largest - block]
  }

  private func end(behindOthersAt base: UInt64) -> UInt64? {
    var placement = Placement(holes: [base..<Self.endless])
    for pages in others where placement.place(pages, order: usualOrder(of: pages)) == nil {
      return nil
    }
    return end(in: &placement, from: base)
  }

  private func end(betweenOthersAt base: UInt64) -> UInt64? {
    var placement = Placement(
      holes: holes.map { $0.lowerBound + base..<$0.upperBound.clampedSum(base) })
    return end(in: &placement, from: base)
  }

  private func end(in placement: inout Placement, from base: UInt64) -> UInt64? {
    var end = base
    for blocks in wanted {
      guard let last = placement.place(blocks.pages, order: blocks.order, times: blocks.number)
      else { return nil }
      end = max(end, last)
    }
    return end - base
  }
}

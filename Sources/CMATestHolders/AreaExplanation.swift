// SPDX-License-Identifier: GPL-2.0-or-later

package import CMATestDevice

/// Says whether a set of blocks fits into an area, and what was in the way where it does not.
package struct AreaExplanation: Sendable {
  /// How much of one request was had.
  package struct Answer: Equatable, Sendable {
    package var wanted: WantedBlocks
    package var request: BlockRequest
    package var allocated = 0

    package init(_ wanted: WantedBlocks, _ request: BlockRequest) {
      self.wanted = wanted
      self.request = request
    }
  }

  /// The block that was not had.
  package struct Failure: Equatable, Sendable {
    /// The place of the request in `answers`, and the number of the block, from 1.
    package var answer: Int
    package var block: Int
    package var witness: Witness
    /// The largest range without a block; nil where nothing tells.
    package var largestHole: UInt64?
    /// As many of its pages, or of another range's, as follow a page that is aligned as the block must be.
    package var largestAligned: UInt64?
    /// Who was in the way, the largest first.
    package var inTheWay: [Holder] = []
    /// The places of pages in use that could not be moved.
    package var obstacles: UInt64 = 0
    /// Why the block was not even asked for; nil where it was.
    package var shortage: MemoryShortage?
    /// Whether the same blocks fit in another order: then `order` has places in `answers`.
    package var order: [Int]?

    package init(answer: Int, block: Int, witness: Witness) {
      self.answer = answer
      self.block = block
      self.witness = witness
    }
  }

  package var title: String
  package var index: UInt32
  package var isDefault: Bool
  package var pageSize: UInt64
  /// Pages of the area, and those without a block before the first request; nil where nothing tells.
  package var pages: UInt64?
  package var available: UInt64?
  package var answers: [Answer] = []
  /// The time that all allocations took, in ns.
  package var nanoseconds: UInt64 = 0
  /// The largest range without a block that is left where all fit; nil where nothing tells.
  package var largestLeft: UInt64?
  package var failure: Failure?
  /// Pages that the area should have; nil where no size is known to do.
  package var pagesNeeded: UInt64?
  /// What is not known, and why, each in a line.
  package var notes: [String] = []

  package init(
    title: String, index: UInt32, isDefault: Bool, pageSize: UInt64, pages: UInt64?,
    available: UInt64?
  ) {
    self.title = title
    self.index = index
    self.isDefault = isDefault
    self.pageSize = pageSize
    self.pages = pages
    self.available = available
  }

  package var fits: Bool { failure == nil }
}

// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
package import CMATestDevice

/// Blocks of one size that somebody wants at the same time, as a user writes them: `16M`, `16M@1M`,
/// `1013px4`.
package struct WantedBlocks: Equatable, Sendable {
  /// The most blocks of one request, which is what one open file may have.
  private static let most: UInt64 = 65536

  /// As the user wrote it.
  package var text: String
  package var size: BlockSize
  /// nil for the alignment that the kernel gives a driver's block of this size.
  package var alignment: BlockSize?
  package var blocks: Int

  /// Reads `SIZE[@ALIGN][xN]`; nil for anything else.
  package init?(parsing text: String) {
    var (rest, blocks) = (Substring(text), 1)
    // In 0x1000 the x is no number of blocks.
    if let x = rest.lastIndex(of: "x"), rest[..<x] != "0", !rest[..<x].hasSuffix("@0") {
      guard let number = UInt64(rest[rest.index(after: x)...]), (1...Self.most).contains(number)
      else { return nil }
      blocks = Int(number)
      rest = rest[..<x]
    }
    let parts = rest.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
    guard let size = BlockSize(parsing: String(parts[0])) else { return nil }
    if parts.count == 2 {
      guard let alignment = BlockSize(parsing: String(parts[1])), alignment.isPowerOfTwo else {
        return nil
      }
      self.alignment = alignment
    }
    self.text = text
    self.size = size
    self.blocks = blocks
  }

  /// Returns the request for one of the blocks.
  ///
  /// - Parameters:
  ///   - area: the index of the area.
  ///   - pageSize: bytes of a page.
  /// - Returns: the request.
  package func request(in area: UInt32, pageSize: UInt64) -> BlockRequest {
    let pages = size.pages(of: pageSize)
    let aligned = alignment.map { $0.pages(of: pageSize) }
    return BlockRequest(
      area: area, count: pages, order: aligned.map(order) ?? usualOrder(of: pages))
  }
}

/// The order of a number of pages, rounded up: `get_order` (`include/asm-generic/getorder.h`).
private func order(_ pages: UInt64) -> UInt32 {
  pages <= 1 ? 0 : UInt32(64 - (pages - 1).leadingZeroBitCount)
}

/// The order by which the kernel aligns a driver's block: that of its size, but at most that of
/// CONFIG_CMA_ALIGNMENT, which is 8 in Debian's kernels. (`dma_alloc_from_contiguous` in
/// `kernel/dma/contiguous.c`)
func usualOrder(of pages: UInt64) -> UInt32 { min(8, order(pages)) }

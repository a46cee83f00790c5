// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
package import CMATestDevice

/// Blocks of one size that somebody wants at the same time, as a user writes them: `16M`, `16M@1M`,
/// `1013px4`.
package struct WantedBlocks: Equatable, Sendable {
  /// The most blocks of one request.
  private static let most: UInt64 = 65536

  /// As the user wrote it.
  package var text: String
  package var size: BlockSize
  /// nil for the alignment that the kernel gives a driver's block of this size.
  package var alignment: BlockSize?
  package var blocks: Int

  /// What is wrong with a text, each in one line for the user.
  package enum Fault: Error, Equatable, Sendable {
    case noSize(String)
    case zero(String)
    case tooLarge(String)
    case alignment(String)
    case number(String)

    package var message: String {
      switch self {
      case .noSize(let text):
        "'\(text)' is no size, as 16M, 16p, 16M@1M or 16M@1Mx3"
      case .zero(let text):
        "'\(text)': a block has one page at least"
      case .tooLarge(let text):
        "'\(text)': so large a size does not fit into 64 bits"
      case .alignment(let text):
        "'\(text)': an alignment is a power of two, as 1M or 256p"
      case .number(let text):
        "'\(text)': the number of blocks of one request is from 1 to \(WantedBlocks.most)"
      }
    }
  }

  /// Reads `SIZE[@ALIGN][xN]`; nil for anything else.
  package init?(parsing text: String) {
    guard let wanted = try? WantedBlocks(reading: text) else { return nil }
    self = wanted
  }

  /// Reads `SIZE[@ALIGN][xN]`.
  ///
  /// - Parameter text: as the user wrote it.
  /// - Throws: what is wrong with it.
  package init(reading text: String) throws(Fault) {
    var (rest, blocks) = (Substring(text), 1)
    // In 0x1000 the x is no number of blocks.
    if let x = rest.lastIndex(of: "x"), rest[..<x] != "0", !rest[..<x].hasSuffix("@0") {
      let digits = rest[rest.index(after: x)...]
      guard let number = UInt64(digits), (1...Self.most).contains(number) else {
        // What has no size before the x is no number of blocks either.
        throw x == rest.startIndex ? Fault.noSize(text) : Fault.number(text)
      }
      blocks = Int(number)
      rest = rest[..<x]
    }
    let parts = rest.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
    size = try Self.size(String(parts[0]), of: text)
    if parts.count == 2 {
      let alignment = BlockSize(parsing: String(parts[1]))
      guard let alignment, alignment.isPowerOfTwo else { throw .alignment(text) }
      self.alignment = alignment
    }
    self.text = text
    self.blocks = blocks
  }

  private static func size(_ word: String, of text: String) throws(Fault) -> BlockSize {
    if let size = BlockSize(parsing: word) { return size }
    if word.hasSuffix("p") {
      let digits = word.dropLast()
      guard !digits.isEmpty,
        digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
      else { throw .noSize(text) }
      throw UInt64(digits) == nil ? Fault.tooLarge(text) : Fault.zero(text)
    }
    var fault: CMAGrammarError?
    do throws(CMAGrammarError) {
      _ = try CMAReservation(parsing: word)
    } catch {
      fault = error
    }
    switch fault {
    case nil: throw .zero(text)
    case .tooLarge: throw .tooLarge(text)
    case .noNumber, .trailing: throw .noSize(text)
    }
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

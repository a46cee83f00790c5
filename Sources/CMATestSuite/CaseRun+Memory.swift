// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
internal import CMATestDevice

extension CaseRun {
  /// Looks whether the machine has memory enough for a block, and for everybody else besides.
  ///
  /// - Parameter pages: of the block.
  /// - Returns: nil where there is, or where nothing tells.
  func shortage(taking pages: UInt64) -> MemoryShortage? {
    // What has more pages than the area is refused, and takes nothing.
    guard let most = area.pages, pages <= most else { return nil }
    return kernel.shortage(taking: pages.clampedProduct(area.pageSize))
  }

  /// Ends the case where a block would leave too little memory for everybody else: the kernel would end some
  /// process for that.
  ///
  /// - Parameter pages: of the block.
  /// - Throws: `skipped`, with what is left.
  func leaveMemory(taking pages: UInt64) throws(CaseEnd) {
    guard let shortage = shortage(taking: pages) else { return }
    let what = pages == 1 ? "1 page was" : "\(pages) pages were"
    throw .skipped("\(what) not asked for, since \(shortage.words)")
  }

  /// Counts the pages that can be taken of so many, with enough memory left for everybody else.
  func affordable(_ pages: UInt64) -> UInt64 {
    guard let shortage = shortage(taking: pages) else { return pages }
    return min(pages, shortage.spare / area.pageSize)
  }
}

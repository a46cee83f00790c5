// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
internal import CMATestDevice
internal import CMATestReport
internal import CMATestSystem

extension CaseRun {
  /// Starts another process that owns blocks.
  func startOwner(_ request: BlockRequest, blocks: Int) throws(CaseEnd) -> any BlockOwner {
    try leaveMemory(taking: request.count.clampedProduct(UInt64(blocks)))
    return try observing(kernel.startOwner(request, blocks: blocks))
  }

  /// Ends another process that owns blocks, and waits for its end.
  func kill(_ owner: any BlockOwner) throws(CaseEnd) {
    try observing(owner.kill())
  }

  /// Places pages of this process in the area.
  ///
  /// - Throws: `skipped` where no page came to lie there.
  func placePages(_ kind: UserPageKind, wanted: Int) throws(CaseEnd) -> any UserPages {
    let frames = try frames()
    let seed = numbers.next()
    let pages: any UserPages
    do throws(PlacementFailure) {
      pages = try kernel.placePages(
        kind, in: area.index, frames, wanted: max(1, wanted), seed: seed,
        isEnding: { ending.reason != nil })
    } catch {
      throw CaseEnd(error)
    }
    try step()
    guard try !framesInArea(of: pages).isEmpty else {
      throw .skipped(
        "no page of this process came to lie in \(area.title): others took each page as it was "
          + "released, or the file system takes its page cache elsewhere")
    }
    return pages
  }

  /// Finds where pages of this process are; nil stands for a page that is not in memory.
  func frames(of pages: any UserPages) throws(CaseEnd) -> [UInt64?] {
    try observing(pages.frames())
  }

  /// Finds the frames of the area that have pages of this process.
  func framesInArea(of pages: any UserPages) throws(CaseEnd) -> [UInt64] {
    let area = try frames()
    return try frames(of: pages).compactMap { $0 }.filter { area.contains($0) }
  }

  /// Fails where a byte of the pages is not as this process wrote it.
  func expectUnharmed(_ pages: any UserPages) throws(CaseEnd) {
    if let page = pages.firstWrongPage() {
      throw .failed("page \(page) of this process is not as it was written")
    }
  }

  /// Pins a page: the kernel cannot move the page before `unpin`.
  func pin(_ page: Int, of pages: any UserPages) throws(CaseEnd) {
    try observing(pages.pin(page))
  }

  /// Lets the kernel move the pinned page again.
  ///
  /// - Returns: whether the page was read back as it was written.
  /// - Throws: `failed` where that cannot be done.
  func unpin(_ pages: any UserPages) throws(CaseEnd) -> Bool {
    try observing(pages.unpin())
  }
}

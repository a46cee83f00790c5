// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
internal import CMATestDevice
internal import CMATestReport
internal import CMATestSystem

extension CaseRun {
  func startOwner(_ request: BlockRequest, blocks: Int) throws(CaseEnd) -> any BlockOwner {
    try observing(kernel.startOwner(request, blocks: blocks))
  }

  func kill(_ owner: any BlockOwner) throws(CaseEnd) {
    try observing(owner.kill())
  }

  /// Pages of this process in the area.
  ///
  /// - Throws: `skipped` where none came to lie there.
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

  func frames(of pages: any UserPages) throws(CaseEnd) -> [UInt64?] {
    try observing(pages.frames())
  }

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

  func pin(_ page: Int, of pages: any UserPages) throws(CaseEnd) {
    try observing(pages.pin(page))
  }

  func unpin(_ pages: any UserPages) throws(CaseEnd) -> Bool {
    try observing(pages.unpin())
  }
}

// SPDX-License-Identifier: GPL-2.0-or-later

internal import CLinux
internal import CMATestSystem
internal import Glibc

/// The anonymous load, of which some pages cannot be moved for a moment: those that lie in a pipe.
///
/// Such a page is not moved out of the area before, as a driver's for a longer time is.
struct PinnedLoad {
  /// One stretch of `share` has a pinned page: so most blocks are without, and large ones meet one.
  private static let stretch = 512
  private static let share = 8

  private let work: LoadWork
  private let anonymous: AnonymousLoad

  init(_ work: LoadWork) throws(LoadObstacle) {
    self.work = work
    anonymous = try AnonymousLoad(work)
  }

  func run() throws(LoadObstacle) {
    try anonymous.begin()
    while !work.isOver {
      try pinForAMoment()
      try anonymous.turnOver()
    }
  }

  private func pinForAMoment() throws(LoadObstacle) {
    do throws(SystemFailure) {
      let pipe = try PagePipe()
      let pages = anonymous.memory.scattered(Self.stretch, share: Self.share, most: pipe.slots)
      for page in pages { try pipe.put(page, byteCount: work.pageSize) }
      work.pause(milliseconds: 20)
    } catch {
      throw .call(error)
    }
  }
}

/// A pipe that pages are put into without a copy. They can be moved again when it goes.
private final class PagePipe {
  /// F_SETPIPE_SZ and F_GETPIPE_SZ of fcntl(2), which Swift's Glibc module leaves out.
  private static let setSize: CInt = 1031
  private static let getSize: CInt = 1032

  private let readEnd: Descriptor
  private let writeEnd: Descriptor
  /// The pages that fit.
  let slots: Int

  init() throws(SystemFailure) {
    var ends: [CInt] = [-1, -1]
    try valueOrErrno(.pipe, "a pipe") { pipe(&ends) }
    readEnd = Descriptor(owning: ends[0], path: "a pipe")
    writeEnd = Descriptor(owning: ends[1], path: "a pipe")
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    // A user's pipes may not all be so large (/proc/sys/fs/pipe-user-pages-soft): then there are fewer pages.
    _ = fcntl(ends[1], Self.setSize, CInt(1 << 20))
    slots = max(1, Int(fcntl(ends[1], Self.getSize)) / Int(sysconf(CInt(_SC_PAGESIZE))))
  }

  func put(_ page: UnsafeMutableRawPointer, byteCount: Int) throws(SystemFailure) {
    try valueOrErrno(.vmsplice, "a pipe") { cma_test_vmsplice(writeEnd.raw, page, byteCount) }
  }
}

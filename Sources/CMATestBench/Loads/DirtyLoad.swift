// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
internal import CMATestMachine
internal import CMATestSystem
internal import Glibc

/// Pages of a file that are written round and round, and are on their way to the disk.
struct DirtyLoad {
  private static let piece = 1 << 20
  /// The most that the file has.
  private static let most = 256 << 20
  /// What is dirty before the load itself has it written; the kernel may begin earlier.
  private static let lag = 32 << 20
  /// The time for a piece, so that a measurement of days does not wear out a memory card.
  private static let milliseconds: UInt64 = 60

  private let work: LoadWork

  init(_ work: LoadWork) { self.work = work }

  func run() throws(LoadObstacle) {
    let file = try LoadFile(in: work.settings.folder)
    let byteCount = try size()
    let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.piece, alignment: 4096)
    defer { bytes.deallocate() }
    var word: UInt64 = 0
    func write(_ offset: Int) throws(LoadObstacle) {
      word += 1
      bytes.withMemoryRebound(to: UInt64.self) { words in
        for at in words.indices { words[at] = word &* 0x9E37_79B9_7F4A_7C15 &+ UInt64(at) }
      }
      // What is in the cache is clean by now: a new page is taken in its place.
      file.forget(offset, Self.piece)
      try file.write(UnsafeRawBufferPointer(bytes), at: offset)
      let lag = min(Self.lag, byteCount / 2)
      file.startWriteback((offset + byteCount - lag) % byteCount, Self.piece)
    }
    // Whether it reaches a disk at all is seen before memory is filled.
    let before = written()
    try write(0)
    try file.sync()
    if let before, let now = written(), now - before < UInt64(Self.piece / work.pageSize / 2) {
      throw .notWritten(folder: work.settings.folder)
    }
    let ballast = try Ballast(work)
    for offset in stride(from: 0, to: byteCount, by: Self.piece) where !work.isOver {
      try write(offset)
    }
    if work.isOver { return }
    work.loaded(
      held: UInt64(try file.pagesInMemory(byteCount, pageSize: work.pageSize)), inArea: nil)
    while true {
      for offset in stride(from: 0, to: byteCount, by: Self.piece) {
        if work.isOver { return }
        try write(offset)
        try ballast.yieldWhatOthersNeed()
        work.pause(milliseconds: Self.milliseconds)
      }
    }
  }

  /// The bytes of the file: never more than half of what is free on the disk.
  private func size() throws(LoadObstacle) -> Int {
    let folder = work.settings.folder
    var state = statvfs()
    do throws(SystemFailure) {
      try valueOrErrno(.statvfs, folder) { statvfs(folder, &state) }
    } catch {
      throw .file(folder: folder, error)
    }
    let free = UInt64(state.f_bavail).clampedProduct(UInt64(state.f_frsize))
    let least = UInt64(2 * Self.piece)
    // With less there is no space for one piece, as the write would say.
    guard free / 2 >= least else {
      throw .file(folder: folder, SystemFailure(.pwrite, folder, ENOSPC))
    }
    let wanted = max(least, min(UInt64(Self.most), min(free / 2, work.settings.most)))
    return Int(wanted) / Self.piece * Self.piece
  }

  /// The pages that the kernel has written to disks since boot; nil where it does not tell.
  private func written() -> UInt64? { statistic("nr_written", on: work.machine) }
}

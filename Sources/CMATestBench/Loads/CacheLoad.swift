// SPDX-License-Identifier: GPL-2.0-or-later

/// Clean page cache of a file that is read again and again.
///
/// The file is larger than the memory that is free, so that old pages make way for new ones all the time,
/// and new ones come into the area where others have left it. It is one hole: what is read of a hole is in
/// the page cache of file systems on disks like anything else, and takes no space on the disk.
struct CacheLoad {
  private static let piece = 256 << 10
  /// What is read before it is looked for in memory.
  private static let sample = 8 << 20

  private let work: LoadWork

  init(_ work: LoadWork) { self.work = work }

  func run() throws(LoadObstacle) {
    let available = try work.memory().availableOrFree
    let wanted = min(work.settings.most, available + available / 8)
    let byteCount = max(1 << 20, Int(clamping: wanted)) / Self.piece * Self.piece
    let file = try LoadFile(in: work.settings.folder)
    try file.extend(to: byteCount)
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.piece, alignment: 4096)
    defer { buffer.deallocate() }
    let sample = min(Self.sample, byteCount)
    try read(file, 0..<sample, buffer)
    // A part may have made way already.
    guard try file.pagesInMemory(sample, pageSize: work.pageSize) > sample / work.pageSize / 2
    else {
      throw work.isOver ? .givenUp : .notCached(folder: work.settings.folder)
    }
    try read(file, sample..<byteCount, buffer)
    if work.isOver { return }
    let held = try file.pagesInMemory(byteCount, pageSize: work.pageSize)
    work.loaded(held: UInt64(held), inArea: nil)
    while !work.isOver {
      try read(file, 0..<byteCount, buffer)
      if try file.pagesInMemory(byteCount, pageSize: work.pageSize) == 0, !work.isOver {
        throw .givenUp
      }
      work.pause(milliseconds: 1)
    }
  }

  private func read(
    _ file: LoadFile, _ bytes: Range<Int>, _ buffer: UnsafeMutableRawBufferPointer
  ) throws(LoadObstacle) {
    var offset = bytes.lowerBound
    while offset < bytes.upperBound, !work.isOver {
      let count = try file.read(into: buffer, at: offset)
      if count == 0 { return }
      offset += count
    }
  }
}

// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
internal import CMATestSystem

/// Sees to it that pages of this process lie in an area of CMA.
///
/// Nobody can ask for that. But the kernel takes a movable page from CMA once more than half of what
/// is free in a zone is CMA's (`rmqueue` and `__rmqueue` in `mm/page_alloc.c`), so that other memory
/// is not used up first. So this process takes memory as ballast until its pages come from the area,
/// keeps those that do, and gives the ballast back. It stops before others would be short of memory.
struct PagePlacement {
  let machine: Machine
  /// Bytes.
  let pageSize: Int
  /// The area.
  let frames: Range<UInt64>
  /// Pages that are to lie there.
  let wanted: Int

  /// - Parameters:
  ///   - kind: what pages.
  ///   - seed: of what is written into them.
  ///   - isEnding: asked between two steps; true ends it.
  /// - Returns: those that lie in the area; there may be none.
  /// - Throws: where memory cannot be mapped, or /proc not be read.
  func place(
    _ kind: UserPageKind, seed: UInt64, isEnding: () -> Bool
  ) throws(SystemFailure) -> PlacedPages {
    var ballast = try Stretch(
      Mapping(anonymous: try memory().available / pageSize * pageSize), pageSize)
    switch kind {
    case .anonymous:
      var found: [Int] = []
      while found.count < wanted, !isEnding(), try memory().isAmple {
        let step = ballast.touch(2 << 20)
        if step.isEmpty { break }
        found += try pagesInArea(ballast, step)
      }
      found = Array(found.prefix(wanted))
      ballast.forget(allBut: found)
      return PlacedPages(ballast.giveUp(), pages: found, pageSize: pageSize, seed: seed)
    case .pageCache:
      let byteCount = 4 * wanted * pageSize
      let file = try Descriptor.unnamedFile(in: folder, byteCount: byteCount)
      var cache = Stretch(try Mapping(of: file, byteCount: byteCount), pageSize)
      var found: [Int] = []
      while found.count < wanted, !isEnding(), try memory().isAmple {
        let step = cache.touch(256 << 10)
        if step.isEmpty { break }
        let inArea = try pagesInArea(cache, step)
        found += inArea
        // What is not in the area does not help, and on a disk it costs: so few are tried at once.
        if inArea.count < step.count / 8 { _ = ballast.touch(16 << 20) }
      }
      return PlacedPages(
        cache.giveUp(), pages: Array(found.prefix(wanted)), pageSize: pageSize, seed: seed)
    }
  }

  private func pagesInArea(
    _ stretch: borrowing Stretch, _ pages: Range<Int>
  ) throws(SystemFailure) -> [Int] {
    let places = try PageFrames(pageSize: pageSize).frames(of: stretch.bytes(of: pages))
    return zip(pages, places).compactMap { page, frame in
      frame.map { frames.contains($0) } == true ? page : nil
    }
  }

  /// A disk where there is one, as page cache mostly is of that.
  private var folder: String { machine.exists("/var/tmp") ? "/var/tmp" : "/tmp" }

  private func memory() throws(SystemFailure) -> Memory {
    let text = try contents(of: machine.path("/proc/meminfo"))
    let meminfo = MemoryInformation(parsing: text)
    let free = meminfo["MemFree"] ?? 0
    return Memory(
      total: meminfo["MemTotal"] ?? 0, available: Int(meminfo["MemAvailable"] ?? 0),
      // The kernel's own allocations cannot use CMA.
      free: free - min(free, meminfo["CmaFree"] ?? 0))
  }

  /// In bytes.
  private struct Memory {
    var total: UInt64
    var available: Int
    var free: UInt64

    /// Whether others are far from being short of it.
    var isAmple: Bool {
      available > Int(max(48 << 20, total / 32)) && free > max(20 << 20, total / 64)
    }
  }
}

/// A mapping of which the first pages are there already.
struct Stretch: ~Copyable {
  private var mapping: Mapping
  private let pageSize: Int
  /// Pages that are there.
  private(set) var touched = 0

  init(_ mapping: consuming Mapping, _ pageSize: Int) {
    self.mapping = mapping
    self.pageSize = pageSize
  }

  /// Writes to the next pages, so that they are there.
  ///
  /// - Parameter byteCount: how much.
  /// - Returns: their numbers; fewer at the end of the mapping.
  mutating func touch(_ byteCount: Int) -> Range<Int> {
    let first = touched
    touched = min(mapping.bytes.count / pageSize, first + max(1, byteCount / pageSize))
    for page in first..<touched {
      mapping.bytes.storeBytes(of: 1, toByteOffset: page * pageSize, as: UInt8.self)
    }
    return first..<touched
  }

  func bytes(of pages: Range<Int>) -> UnsafeMutableRawBufferPointer {
    UnsafeMutableRawBufferPointer(
      rebasing: mapping.bytes[pages.lowerBound * pageSize..<pages.upperBound * pageSize])
  }

  /// Gives back all pages but some.
  ///
  /// - Parameter kept: their numbers, ascending.
  func forget(allBut kept: [Int]) {
    var first = 0
    for page in kept + [touched] {
      mapping.forget(first * pageSize..<page * pageSize)
      first = page + 1
    }
  }

  consuming func giveUp() -> Mapping { mapping }
}

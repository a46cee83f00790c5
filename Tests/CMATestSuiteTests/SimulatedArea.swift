// SPDX-License-Identifier: GPL-2.0-or-later

/// One CMA area of a simulated kernel: a bitmap, and what the kernel counts of it.
struct SimulatedArea {
  var name: String?
  /// Page frame number of its first page.
  var base: UInt64
  private(set) var used: [Bool]
  private(set) var usedCount = 0
  /// Released pages that wait in a processor's list: free, but not counted so.
  var waiting = 0
  var counts = (allocated: UInt64(0), failed: UInt64(0), released: UInt64(0))
  /// Pages that the module has held since it was loaded.
  let loadedPages: UInt64

  /// - Parameters:
  ///   - name: as the kernel tells it; nil where it does not.
  ///   - base: a page frame number.
  ///   - pages: how many it has; none for an area that could not be activated.
  ///   - others: pages that somebody has allocated since boot.
  ///   - loaded: pages that the module holds since it was loaded.
  init(
    _ name: String?, base: UInt64, pages: Int, others: [Range<Int>] = [], loaded: [Range<Int>] = []
  ) {
    self.name = name
    self.base = base
    used = [Bool](repeating: false, count: pages)
    loadedPages = loaded.reduce(0) { $0 + UInt64($1.count) }
    for range in others + loaded { mark(range, true) }
  }

  var frames: Range<UInt64> { base..<base + UInt64(used.count) }

  mutating func mark(_ range: Range<Int>, _ isUsed: Bool) {
    for page in range where used[page] != isUsed {
      used[page] = isUsed
      usedCount += isUsed ? 1 : -1
    }
  }
}

// SPDX-License-Identifier: GPL-2.0-or-later

package import CMATestDevice

/// Shows who has the pages of an area, at about one moment: nothing stops for this.
package struct AreaMap: Sendable {
  /// Pages that follow each other and have the same holder.
  package struct Run: Equatable, Sendable {
    /// The first, counted from the beginning of the area.
    package var offset: UInt64
    package var pages: UInt64
    /// A place in `holders`.
    package var holder: Int

    package init(offset: UInt64, pages: UInt64, holder: Int) {
      self.offset = offset
      self.pages = pages
      self.holder = holder
    }
  }

  /// The name for reports, in one line, and the index.
  package var title: String
  package var index: UInt32
  /// Bytes of a page.
  package var pageSize: UInt64
  package var pages: UInt64
  /// When it was made, as RFC 3339 has it.
  package var time: String
  package var runs: [Run] = []
  /// Each once, what is free too; the largest first.
  package var holders: [Holder] = []
  package var ledger: Ledger
  /// What is not known, and why, each in a line.
  package var notes: [String] = []

  package init(
    title: String, index: UInt32, pageSize: UInt64, pages: UInt64, time: String, ledger: Ledger
  ) {
    self.title = title
    self.index = index
    self.pageSize = pageSize
    self.pages = pages
    self.time = time
    self.ledger = ledger
  }
}

/// The classes of pages that a map shows.
package enum MapClass: String, CaseIterable, Sendable {
  case free
  case blocks
  case anonymous
  case pageCache = "page-cache"
  case sharedMemory = "shared-memory"
  case hugePages = "huge-pages"
  case kernel
  /// Anonymous memory or page cache to which somebody holds a reference.
  case pinned
  case notKnown = "not-known"

  /// The class in words.
  package var words: String {
    switch self {
    case .free: "free"
    case .blocks: "blocks of the allocator"
    case .anonymous: "anonymous memory"
    case .pageCache: "page cache"
    case .sharedMemory: "shared memory"
    case .hugePages: "huge pages"
    case .kernel: "other use by the kernel"
    case .pinned: "pinned"
    case .notKnown: "not known"
    }
  }

  /// The letter in a picture of letters.
  package var letter: Character {
    switch self {
    case .free: "."
    case .blocks: "B"
    case .anonymous: "a"
    case .pageCache: "c"
    case .sharedMemory: "s"
    case .hugePages: "h"
    case .kernel: "k"
    case .pinned: "P"
    case .notKnown: "?"
    }
  }
}

extension Holder {
  /// The class of the pages in a map.
  package var mapClass: MapClass {
    if isPinned { return .pinned }
    return switch kind {
    case .free: .free
    case .block: .blocks
    case .anonymous: .anonymous
    case .pageCache: .pageCache
    case .sharedMemory: .sharedMemory
    case .hugePages: .hugePages
    case .kernel: .kernel
    case .notKnown: .notKnown
    }
  }
}

extension AreaMap {
  /// The pages of each class that has some, in the order of the classes.
  package var classes: [(of: MapClass, pages: UInt64)] {
    MapClass.allCases.compactMap { mapClass in
      let pages = holders.reduce(0) { $0 + ($1.mapClass == mapClass ? $1.pages : 0) }
      return pages > 0 ? (mapClass, pages) : nil
    }
  }

  /// Divides the area into cells of equal size.
  ///
  /// A pinned page keeps a whole range from being allocated, so one makes its cell pinned; else the class of
  /// most pages is the cell's.
  ///
  /// - Parameter count: the number of cells, at least 1; the last may be smaller.
  /// - Returns: the pages of a cell, and the class of each cell.
  package func cells(_ count: Int) -> (size: UInt64, classes: [MapClass]) {
    guard pages > 0, count > 0 else { return (0, []) }
    let size = (pages + UInt64(count) - 1) / UInt64(count)
    let number = Int((pages + size - 1) / size)
    let classes = MapClass.allCases
    let indices = holders.map { classes.firstIndex(of: $0.mapClass) ?? classes.count - 1 }
    var shares = [UInt64](repeating: 0, count: number * classes.count)
    for run in runs {
      var offset = run.offset
      let end = min(run.offset + run.pages, pages)
      while offset < end {
        let cell = offset / size
        let next = min(end, (cell + 1) * size)
        shares[Int(cell) * classes.count + indices[run.holder]] += next - offset
        offset = next
      }
    }
    let pinned = classes.firstIndex(of: .pinned) ?? 0
    let result = (0..<number).map { cell -> MapClass in
      let share = shares[cell * classes.count..<(cell + 1) * classes.count]
      if share[share.startIndex + pinned] > 0 { return .pinned }
      let most = share.indices.max { share[$0] < share[$1] } ?? share.startIndex
      return share[most] == 0 ? .notKnown : classes[most - share.startIndex]
    }
    return (size, result)
  }
}

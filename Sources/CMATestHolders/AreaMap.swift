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
  /// - Parameter count: the number of cells, at least 1; the last may be smaller.
  /// - Returns: the pages of a cell, and the class of each cell.
  package func cells(_ count: Int) -> (size: UInt64, classes: [MapClass]) {
    var cells = MapCells(of: pages, count: count)
    let classes = holders.map(\.mapClass)
    for run in runs { cells.add(classes[run.holder], from: run.offset, pages: run.pages) }
    return (cells.size, cells.found)
  }
}

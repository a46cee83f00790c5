// SPDX-License-Identifier: GPL-2.0-or-later

/// Counts the classes of an area's pages in cells of equal size, from run to run.
package struct MapCells {
  /// The pages of a cell; the last cell may be smaller.
  package let size: UInt64
  private let pages: UInt64
  private let count: Int
  /// The pages of each class, cell after cell.
  private var shares: [UInt64]

  private static let classes = MapClass.allCases
  private static let pinned = classes.firstIndex(of: .pinned) ?? 0

  /// - Parameters:
  ///   - pages: Pages of the area.
  ///   - wanted: The number of cells, at least 1 and at most one for each page.
  package init(of pages: UInt64, count wanted: Int) {
    guard pages > 0, wanted > 0 else {
      (size, self.pages, count, shares) = (0, 0, 0, [])
      return
    }
    let number = UInt64(wanted)
    let size = pages / number + (pages % number > 0 ? 1 : 0)
    let cells = pages / size + (pages % size > 0 ? 1 : 0)
    (self.size, self.pages, count) = (size, pages, Int(cells))
    shares = [UInt64](repeating: 0, count: Int(cells) * Self.classes.count)
  }

  /// Counts pages that follow each other; those beyond the area are left out.
  package mutating func add(_ mapClass: MapClass, from first: UInt64, pages number: UInt64) {
    guard size > 0, first < pages,
      let place = Self.classes.firstIndex(of: mapClass)
    else { return }
    let end = number > pages - first ? pages : first + number
    var offset = first
    while offset < end {
      let cell = offset / size
      // The end of the last cell may be beyond all numbers.
      let left = size - offset % size
      let next = left > end - offset ? end : offset + left
      shares[Int(cell) * Self.classes.count + place] += next - offset
      offset = next
    }
  }

  /// The class of each cell.
  ///
  /// A pinned page keeps a whole range from being allocated, so one makes its cell pinned; else the class of
  /// most pages is the cell's.
  package var found: [MapClass] {
    (0..<count).map { cell -> MapClass in
      let share = shares[cell * Self.classes.count..<(cell + 1) * Self.classes.count]
      if share[share.startIndex + Self.pinned] > 0 { return .pinned }
      let most = share.indices.max { share[$0] < share[$1] } ?? share.startIndex
      return share[most] == 0 ? .notKnown : Self.classes[most - share.startIndex]
    }
  }
}

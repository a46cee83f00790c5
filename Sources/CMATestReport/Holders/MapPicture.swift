// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
internal import CMATestHolders

/// What a picture of a map shows: the classes of its cells, and of all pages.
struct MapPicture: Hashable {
  /// The name of the area, in one line.
  var title: String
  var pages: UInt64
  /// Bytes of a page.
  var pageSize: UInt64
  /// When the map was made.
  var time: String
  /// Pages of a cell; the last cell may be smaller.
  var cellPages: UInt64
  var cells: [MapClass]
  var classes: [MapShare]

  /// The rows of a picture, if the area has as many pages.
  private static let rows = 16
  /// The cells of a row on a page, so that its text can be read on a narrow screen.
  static let columnsOfPage = 48

  /// The number of cells of a picture with so many in a row.
  static func count(columns: Int, pages: UInt64) -> Int {
    Int(clamping: min(pages, UInt64(columns * rows)))
  }

  /// So many pages as bytes.
  func bytes(_ pages: UInt64) -> String { byteCount(pages.clampedProduct(pageSize)) }

  /// The share of the area that pages are, with one decimal.
  func share(_ part: UInt64) -> String {
    guard pages > 0 else { return "" }
    let tenths = part.clampedProduct(1000) / pages
    return "\(tenths / 10).\(tenths % 10) %"
  }
}

/// The pages of a class.
struct MapShare: Hashable {
  var of: MapClass
  var pages: UInt64
}

extension AreaMap {
  /// The picture with so many cells in a row.
  func picture(columns: Int) -> MapPicture {
    let (size, cells) = cells(MapPicture.count(columns: columns, pages: pages))
    return MapPicture(
      title: title, pages: pages, pageSize: pageSize, time: time, cellPages: size, cells: cells,
      classes: classes.map { MapShare(of: $0.of, pages: $0.pages) })
  }
}

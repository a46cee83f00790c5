// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
package import CMATestHolders

extension AreaMap {
  /// Draws the map as an SVG picture by itself, light and dark.
  ///
  /// - Parameter columns: cells in a row.
  /// - Returns: the text of the picture.
  package func svg(columns: Int = 64) -> String {
    let columns = max(8, min(256, columns))
    let (size, cells) = cells(Int(clamping: min(pages, UInt64(columns * 16))))
    let (cell, left) = (12, 16)
    let rows = (cells.count + columns - 1) / columns
    let legendTop = 64 + rows * cell + 24
    let classes = self.classes
    let width = left * 2 + columns * cell
    let height = legendTop + classes.count * 20 + 8
    var text = """
      <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(width) \(height)" role="img" \
      aria-labelledby="map-title map-desc">
      <title id="map-title">\(xmlText("Who has the pages of the area \(title)"))</title>
      <desc id="map-desc">\(xmlText(description))</desc>
      \(Self.style)
      <rect class="ground" width="\(width)" height="\(height)"/>
      <text class="head" x="\(left)" y="26">\(xmlText("\(title): \(byteCount(pages.clampedProduct(pageSize)))"))</text>
      <text x="\(left)" y="46">\(xmlText("a cell is \(size) page\(size == 1 ? "" : "s"); \(time)"))</text>

      """
    // A run of equal cells in one row is one rectangle.
    var place = 0
    while place < cells.count {
      let rowEnd = min(cells.count, (place / columns + 1) * columns)
      var end = place + 1
      while end < rowEnd, cells[end] == cells[place] { end += 1 }
      text +=
        "<rect class=\"\(cells[place].rawValue)\" x=\"\(left + place % columns * cell)\" "
        + "y=\"\(64 + place / columns * cell)\" width=\"\((end - place) * cell - 1)\" "
        + "height=\"\(cell - 1)\"/>\n"
      place = end
    }
    for (line, (mapClass, pages)) in classes.enumerated() {
      let y = legendTop + line * 20
      text +=
        "<rect class=\"\(mapClass.rawValue)\" x=\"\(left)\" y=\"\(y - 10)\" width=\"12\" height=\"12\"/>"
        + "<text x=\"\(left + 20)\" y=\"\(y)\">\(xmlText("\(mapClass.words): \(pages) pages"))</text>\n"
    }
    return text + "</svg>\n"
  }

  /// The legend in one line.
  private var description: String {
    classes.map { "\($0.of.words): \($0.pages) of \(pages) pages" }.joined(separator: "; ")
  }

  private static let style = """
    <style>
    text { font: 13px sans-serif; fill: #1b1f24 } .head { font-weight: bold; font-size: 15px }
    .ground { fill: #ffffff } .free { fill: #e3e7ec } .blocks { fill: #0b7285 }
    .anonymous { fill: #2b8a3e } .page-cache { fill: #4c6ef5 } .shared-memory { fill: #868e96 }
    .huge-pages { fill: #9c36b5 } .kernel { fill: #e8a100 } .pinned { fill: #c92a2a }
    .not-known { fill: #343a40 }
    @media (prefers-color-scheme: dark) { .ground { fill: #14171a } text { fill: #e6e9ec }
    .free { fill: #2b3036 } .not-known { fill: #dee2e6 } }
    </style>
    """
}

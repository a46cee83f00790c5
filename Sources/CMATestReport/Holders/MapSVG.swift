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
    return MapSVG(columns: columns, cell: 12, line: 20).file(picture(columns: columns))
  }
}

/// Draws maps: by themselves, or as a part of a page.
struct MapSVG {
  /// Cells in a row.
  var columns: Int
  /// The width of a cell, and the height of a line of text, in units of SVG.
  var cell: Int
  var line: Int

  /// What a page shows.
  static let ofPage = MapSVG(columns: MapPicture.columnsOfPage, cell: 12, line: 24)

  private static let left = 16

  /// The picture as a file.
  func file(_ picture: MapPicture) -> String {
    let head = "\(picture.title): \(picture.bytes(picture.pages))"
    let size = "a cell is \(cellWords(picture)); \(picture.time)"
    return """
      <svg xmlns="http://www.w3.org/2000/svg" viewBox="\(viewBox(picture, from: 64))" role="img" \
      aria-labelledby="map-title map-desc">
      \(words(picture, id: "map", ending: ("title", "desc")))
      \(Self.style)
      <rect class="ground" width="100%" height="100%"/>
      <text class="head" x="\(Self.left)" y="26">\(xmlText(head))</text>
      <text x="\(Self.left)" y="46">\(xmlText(size))</text>
      \(cells(picture, from: 64) + legend(picture, from: 64))</svg>

      """
  }

  /// The picture as a part of a page, whose style has its colours.
  ///
  /// - Parameters:
  ///   - picture: The map.
  ///   - id: What no other picture of the page has.
  /// - Returns: The element.
  func element(_ picture: MapPicture, id: String) -> String {
    """
    <svg viewBox="\(viewBox(picture, from: 0))" role="img" aria-labelledby="\(id)-t \(id)-d" class="map">
    \(words(picture, id: id, ending: ("t", "d")))
    \(cells(picture, from: 0) + legend(picture, from: 0))</svg>

    """
  }

  /// The pages of a cell in words.
  func cellWords(_ picture: MapPicture) -> String {
    "\(picture.cellPages) page\(picture.cellPages == 1 ? "" : "s")"
  }

  /// The title, and the legend in one line, for readers that do not see the picture.
  private func words(
    _ picture: MapPicture, id: String, ending: (title: String, description: String)
  ) -> String {
    let legend = picture.classes.map { "\($0.of.words): \($0.pages) of \(picture.pages) pages" }
    return
      "<title id=\"\(id)-\(ending.title)\">\(xmlText("Who has the pages of the area \(picture.title)"))</title>\n"
      + "<desc id=\"\(id)-\(ending.description)\">\(xmlText(legend.joined(separator: "; ")))</desc>"
  }

  private func viewBox(_ picture: MapPicture, from top: Int) -> String {
    let height = legendTop(picture, from: top) + picture.classes.count * line + 8
    return "0 0 \(Self.left * 2 + columns * cell) \(height)"
  }

  private func legendTop(_ picture: MapPicture, from top: Int) -> Int {
    top + (picture.cells.count + columns - 1) / columns * cell + line + 4
  }

  /// A path for each class: cells that follow each other in a row are one rectangle of it.
  private func cells(_ picture: MapPicture, from top: Int) -> String {
    var paths: [MapClass: String] = [:]
    let cells = picture.cells
    var place = 0
    while place < cells.count {
      let rowEnd = min(cells.count, (place / columns + 1) * columns)
      var end = place + 1
      while end < rowEnd, cells[end] == cells[place] { end += 1 }
      let (x, y) = (Self.left + place % columns * cell, top + place / columns * cell)
      let width = (end - place) * cell - 1
      paths[cells[place], default: ""] += "M\(x) \(y)h\(width)v\(cell - 1)h-\(width)z"
      place = end
    }
    return MapClass.allCases.map { mapClass in
      paths[mapClass].map { "<path class=\"\(mapClass.rawValue)\" d=\"\($0)\"/>\n" } ?? ""
    }.joined()
  }

  private func legend(_ picture: MapPicture, from top: Int) -> String {
    var text = ""
    for (number, share) in picture.classes.enumerated() {
      let y = legendTop(picture, from: top) + number * line
      let words = "\(share.of.words): \(share.pages) pages, \(picture.share(share.pages))"
      text +=
        "<rect class=\"\(share.of.rawValue)\" x=\"\(Self.left)\" y=\"\(y - 10)\" width=\"12\" height=\"12\"/>"
        + "<text x=\"\(Self.left + 20)\" y=\"\(y)\">\(xmlText(words))</text>\n"
    }
    return text
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

  /// The colours for the style of a page.
  static let colors = """
    .map .free{fill:#e3e7ec}.map .blocks{fill:#0b7285}.map .anonymous{fill:#2b8a3e}
    .map .page-cache{fill:#4c6ef5}.map .shared-memory{fill:#868e96}.map .huge-pages{fill:#9c36b5}
    .map .kernel{fill:#e8a100}.map .pinned{fill:#c92a2a}.map .not-known{fill:#343a40}
    @media (prefers-color-scheme:dark){.map .free{fill:#2b3036}.map .not-known{fill:#dee2e6}}
    """
}

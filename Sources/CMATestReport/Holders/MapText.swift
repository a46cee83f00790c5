// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
package import CMATestHolders
package import CMATestSystem

extension AreaMap {
  /// The holders that are listed; the rest is summed up.
  private static let listed = 20
  private static let rows = 16

  /// Draws the map with a legend and the holders below.
  ///
  /// - Parameters:
  ///   - terminal: its abilities.
  ///   - width: the columns of the picture.
  /// - Returns: lines, each with its newline.
  package func text(on terminal: Terminal, width: Int) -> String {
    let width = max(8, width)
    let wanted = Int(clamping: min(pages, UInt64(width * Self.rows)))
    let (size, cells) = cells(max(1, wanted))
    var lines = [
      "\(title): \(bytes(pages)) in \(count(pages)) of \(byteCount(pageSize)), at \(time)",
      "A cell is \(count(size)); one with a pinned page is pinned.", "",
    ]
    var start = 0
    while start < cells.count {
      let row = cells[start..<min(start + width, cells.count)]
      lines.append(row.map { terminal.cell($0) }.joined())
      start += width
    }
    lines.append("")
    for (mapClass, pages) in classes {
      lines.append(
        "  \(terminal.cell(mapClass))  \(padded(mapClass.words, 24))"
          + "\(aligned("\(pages)", 10))  \(aligned(share(pages), 6))")
    }
    lines.append("")
    lines += table
    for note in notes { lines.append("not known: \(note)") }
    return lines.map { trimmed($0) + "\n" }.joined()
  }

  private var table: [String] {
    let others = holders.filter { $0.kind != .free }
    guard !others.isEmpty else { return ["Nobody has a page of the area."] }
    var rows = ["     PAGES  PIECES  MOVES    HOLDER"]
    for holder in others.prefix(Self.listed) {
      rows.append(
        aligned("\(holder.pages)", 10) + aligned("\(holder.pieces)", 8) + "  "
          + padded(holder.moves, 9) + holder.line)
    }
    let rest = others.dropFirst(Self.listed)
    if !rest.isEmpty {
      let pages = rest.reduce(0) { $0 + $1.pages }
      let pieces = rest.reduce(0) { $0 + $1.pieces }
      rows.append(
        aligned("\(pages)", 10) + aligned("\(pieces)", 8) + "           \(rest.count) more")
    }
    return rows
  }

  private func bytes(_ pages: UInt64) -> String { byteCount(pages.clampedProduct(pageSize)) }

  private func count(_ pages: UInt64) -> String { "\(pages) page\(pages == 1 ? "" : "s")" }

  /// The share of the area, in percent with one decimal.
  private func share(_ part: UInt64) -> String {
    guard pages > 0 else { return "" }
    let tenths = part.clampedProduct(1000) / pages
    return "\(tenths / 10).\(tenths % 10) %"
  }
}

extension Holder {
  /// The holder in words, with the time of its first block.
  var line: String {
    guard let since else { return printable(words) }
    return "\(printable(words)), since \(utcTimestamp(Int(clamping: since / 1_000_000_000)))"
  }

  /// Whether the kernel can move the pages, in one word.
  fileprivate var moves: String { movesWords(canMove) }
}

/// Whether the kernel can move pages, in one word; nil where that depends.
func movesWords(_ canMove: Bool?) -> String { canMove.map { $0 ? "yes" : "no" } ?? "depends" }

private func aligned(_ text: String, _ width: Int) -> String {
  String(repeating: " ", count: max(0, width - text.count)) + text
}

private func trimmed(_ line: String) -> String {
  String(line.reversed().drop { $0 == " " }.reversed())
}

extension Terminal {
  /// A cell of a class: a letter, which a terminal with colours shows on the colour of the class.
  fileprivate func cell(_ mapClass: MapClass) -> String {
    let letter = mapClass == .free && showsUnicode ? "·" : String(mapClass.letter)
    guard showsColor, let color = mapClass.color else { return letter }
    return "\u{1B}[\(color)m\(letter)\u{1B}[0m"
  }
}

extension MapClass {
  /// The colour as the parameters of a terminal's SGR sequence (console_codes(4)); nil for none.
  fileprivate var color: String? {
    switch self {
    case .free: nil
    case .blocks: "30;46"
    case .anonymous: "30;42"
    case .pageCache: "30;44"
    case .sharedMemory: "30;47"
    case .hugePages: "30;45"
    case .kernel: "30;43"
    case .pinned: "97;41"
    case .notKnown: "7"
    }
  }
}

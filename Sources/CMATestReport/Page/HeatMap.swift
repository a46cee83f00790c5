// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestBench
internal import CMATestCore
internal import CMATestDevice
internal import Glibc

/// Cells by percentile, the darker the slower.
enum HeatMap {
  private static let shares: [(name: String, q: Double)] = [
    ("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999), ("max", 1),
  ]
  /// More rows than this make no picture that fits a page.
  static let most = 40

  /// The class of a text that can be read on a color of this strength, on light and on dark pages.
  private static func ink(on opacity: Double) -> String {
    opacity > 0.88 ? " onheat" : opacity > 0.62 ? " onwarmth" : ""
  }

  static func picture(_ cells: [PlottedCell], id: String) -> String {
    let shown = Array(cells.filter { $0.allocations.count > 0 }.prefix(most))
    guard !shown.isEmpty else { return "" }
    let row = 26.0
    let frame = PlotFrame(height: row * Double(shown.count) + 50, left: 220, bottom: 36)
    let times = shown.map { cell in shares.map { cell.allocations.quantile($0.q) ?? 0 } }
    let axis = TimeAxis(times.joined())
    let width = frame.plotWidth / Double(shares.count)
    var content = ""
    for (line, cell) in shown.enumerated() {
      let y = frame.top + row * Double(line)
      content +=
        "<text x=\"\(place(frame.left - 8))\" y=\"\(place(y + row / 2))\" class=\"end middle\">"
        + "\(xmlText(label(cell.settings.words)))</text>\n"
      for (column, time) in times[line].enumerated() {
        let opacity = 0.08 + axis.share(time) * 0.92
        let x = frame.left + width * Double(column)
        content +=
          "<rect x=\"\(place(x))\" y=\"\(place(y))\" width=\"\(place(width - 2))\" "
          + "height=\"\(place(row - 2))\" class=\"heat\" style=\"fill-opacity:\(fixed(opacity, 2))\">"
          + "<title>\(xmlText(cell.settings.words)), \(shares[column].name): \(shortTime(time))</title></rect>"
          + "<text x=\"\(place(x + width / 2 - 1))\" y=\"\(place(y + row / 2 - 1))\" "
          + "class=\"centre middle small\(ink(on: opacity))\">\(shortTime(time))</text>\n"
      }
    }
    for (column, share) in shares.enumerated() {
      content +=
        "<text x=\"\(place(frame.left + width * (Double(column) + 0.5)))\" "
        + "y=\"\(place(frame.height - 12))\" class=\"centre\">\(share.name)</text>\n"
    }
    return frame.picture(
      title: "Allocation times by cell and percentile",
      description:
        "Each row is a cell, each column a percentile; darker is slower, on a logarithmic "
        + "scale.",
      id: id, content)
  }
}

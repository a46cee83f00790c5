// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestBench
internal import Glibc

/// The times of a cell by percentile, from the few that are kept of each round.
struct PercentileLine {
  var name: String
  /// Where p is the share of allocations that take no longer, -log10(1-p), and the time in ns.
  var points: [(nines: Double, time: Double)]

  /// The line of a cell, each point the median over its rounds; nil where nothing was allocated.
  init?(_ cell: BoardCell) {
    let allocated = Double(cell.requests - cell.failed) / Double(max(1, cell.rounds))
    guard allocated > 0, let most = cell.max.median else { return nil }
    // The slowest of n is at the share 1 - 1/n.
    let end = max(0, log10(allocated))
    name = cell.settings.words
    points = []
    let medians: [(Double, Double?)] = [
      (0, cell.least.median), (log10(2.0), cell.p50.median), (1, cell.p90.median),
      (2, cell.p99.median), (3, cell.p999.median),
    ]
    for (nines, time) in medians where nines < end {
      if let time { points.append((nines, time)) }
    }
    points.append((end, most))
  }
}

extension PercentileCurves {
  /// Draws a line for each of the first cells, through the points that are known.
  static func picture(_ lines: [PercentileLine], id: String) -> String {
    let shown = Array(lines.prefix(most))
    let points = shown.flatMap(\.points)
    guard !points.isEmpty else { return "" }
    let nines = max(1, points.map(\.nines).max() ?? 1)
    let rows = 24 * Double((shown.count + 1) / 2)
    let frame = PlotFrame(height: 400 + rows, bottom: 66 + rows)
    let axis = TimeAxis(points.map(\.time))
    var content = ""
    for tick in axis.ticks { content += frame.horizontal(axis.share(tick), shortTime(tick)) }
    for nine in 0...Int(nines) {
      content += frame.vertical(Double(nine) / nines, percentile(nines: nine))
    }
    for (number, line) in shown.enumerated() {
      let path = line.points.enumerated().map { index, point in
        (index == 0 ? "M" : "L") + place(frame.x(point.nines / nines)) + " "
          + place(frame.y(axis.share(point.time)))
      }.joined()
      content += "<path class=\"curve c\(number)\" d=\"\(path)\"/>\n"
    }
    content += legend(shown.map(\.name), frame)
    return frame.picture(
      title: title(.allocations),
      description:
        "For each cell, the time that a share of its allocations does not exceed, the median of its "
        + "rounds. The table of cells has the numbers.",
      id: id, content)
  }
}

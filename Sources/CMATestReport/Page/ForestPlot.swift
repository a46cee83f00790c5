// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestBench
internal import Glibc

/// The ratios of a comparison, a line for each cell.
enum ForestPlot {
  static func picture(_ comparison: Comparison, id: String) -> String {
    var rows: [(CellComparison, MedianRatio)] = []
    for cell in comparison.cells.prefix(HeatMap.most) {
      if let interval = cell.changes[comparison.rules.quantity]?.interval() {
        rows.append((cell, interval))
      }
    }
    guard !rows.isEmpty else { return "" }
    // As far to one side as to the other, and at least 10 %.
    var reach = log(1.1)
    for (_, interval) in rows {
      reach = max(reach, abs(log(interval.bounds.lowerBound)), abs(log(interval.bounds.upperBound)))
    }
    reach *= 1.05
    let row = 26.0
    let frame = PlotFrame(height: row * Double(rows.count) + 54, left: 220, bottom: 40)
    func share(_ ratio: Double) -> Double { (log(ratio) / reach + 1) / 2 }
    var content = frame.vertical(0.5, "same")
    for end in [exp(-reach * 0.85), exp(reach * 0.85)] {
      content += frame.vertical(share(end), changeInPercent(end))
    }
    for (line, (cell, interval)) in rows.enumerated() {
      let y = frame.top + row * (Double(line) + 0.5)
      let mark =
        cell.verdict.isRegression ? "worse" : cell.verdict == .better ? "better" : "same"
      let words =
        "\(cell.settings.words): \(changeInPercent(interval.ratio)), "
        + "\(changeInPercent(interval.bounds.lowerBound)) to "
        + "\(changeInPercent(interval.bounds.upperBound)): \(cell.verdict.words)"
      content +=
        "<text x=\"\(place(frame.left - 8))\" y=\"\(place(y))\" class=\"end middle\">"
        + "\(xmlText(label(cell.settings.words)))</text>"
        + "<path class=\"whisker \(mark)\" d=\"M\(place(frame.x(share(interval.bounds.lowerBound)))) "
        + "\(place(y))H\(place(frame.x(share(interval.bounds.upperBound))))\"/>"
        + "<circle class=\"\(mark)\" cx=\"\(place(frame.x(share(interval.ratio))))\" cy=\"\(place(y))\" r=\"5\">"
        + "<title>\(xmlText(words))</title></circle>\n"
    }
    return frame.picture(
      title: "Change of \(comparison.rules.quantity.rawValue)",
      description: "For each cell the second result's time divided by the first one's, with the "
        + "interval of 95 %; right of the middle is slower.",
      id: id, content)
  }
}

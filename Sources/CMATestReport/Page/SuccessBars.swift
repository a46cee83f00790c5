// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestBench
internal import CMATestCore
internal import CMATestDevice

/// How many requests of each cell succeeded, with the interval of the share.
enum SuccessBars {
  static func picture(_ cells: [PlottedCell], id: String) -> String {
    let shown = Array(cells.prefix(HeatMap.most))
    guard !shown.isEmpty else { return "" }
    let row = 26.0
    let frame = PlotFrame(height: row * Double(shown.count) + 54, left: 220, bottom: 40)
    var content = ""
    for percent in stride(from: 0, through: 100, by: 25) {
      content += frame.vertical(Double(percent) / 100, "\(percent) %")
    }
    for (line, cell) in shown.enumerated() {
      let y = frame.top + row * Double(line)
      content +=
        "<text x=\"\(place(frame.left - 8))\" y=\"\(place(y + row / 2))\" class=\"end middle\">"
        + "\(xmlText(label(cell.settings.words)))</text>\n"
      let all = cell.allocations.count + cell.failures.count
      guard let interval = ShareInterval(cell.allocations.count, of: all) else { continue }
      let words =
        "\(cell.settings.words): \(exactPercent(interval.share)) of \(all), "
        + "\(exactPercent(interval.bounds.lowerBound)) to \(exactPercent(interval.bounds.upperBound))"
      content +=
        "<rect x=\"\(place(frame.left))\" y=\"\(place(y + 4))\" "
        + "width=\"\(place(frame.plotWidth * interval.share))\" height=\"\(place(row - 10))\" class=\"bar\">"
        + "<title>\(xmlText(words))</title></rect>"
        + "<path class=\"whisker\" d=\"M\(place(frame.x(interval.bounds.lowerBound))) "
        + "\(place(y + row / 2 - 1))H\(place(frame.x(interval.bounds.upperBound)))\"/>\n"
    }
    return frame.picture(
      title: "Requests that succeeded",
      description:
        "For each cell the share of its requests that succeeded, with the interval of 95 %.",
      id: id, content)
  }
}

// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestBench
internal import CMATestCore
internal import Glibc

/// A curve of each cell: how long allocations take, up to the slowest of many.
///
/// The horizontal axis is log(1/(1-p)), so that each further nine has the same width.
enum PercentileCurves {
  /// More curves than this cannot be told apart.
  static let most = 8

  static func picture(_ cells: [PlottedCell], id: String) -> String {
    let shown = cells.filter { $0.allocations.count > 0 }.prefix(most)
    guard let largest = shown.map(\.allocations.count).max(), largest > 0 else { return "" }
    let nines = max(1, log10(Double(largest)))
    let frame = PlotFrame(height: 400 + 24 * Double((shown.count + 1) / 2), bottom: 66 + 24 * Double((shown.count + 1) / 2))
    let axis = TimeAxis(
      shown.flatMap { [Double($0.allocations.smallest), Double($0.allocations.largest)] })
    var content = ""
    for tick in axis.ticks { content += frame.horizontal(axis.share(tick), shortTime(tick)) }
    for nine in 0...Int(nines) {
      content += frame.vertical(Double(nine) / nines, label(nines: nine))
    }
    for (number, cell) in shown.enumerated() {
      content += curve(cell, number, frame, axis, nines)
    }
    content += legend(shown.map(\.settings.words), frame)
    return frame.picture(
      title: "Allocation times by percentile",
      description: "For each cell, the time that a share of its allocations does not exceed. The "
        + "table of cells has the numbers.",
      id: id, content)
  }

  private static func label(nines: Int) -> String {
    switch nines {
    case 0: "0"
    case 1: "90 %"
    case 2: "99 %"
    default: "99." + String(repeating: "9", count: nines - 2) + " %"
    }
  }

  private static func curve(
    _ cell: PlottedCell, _ number: Int, _ frame: PlotFrame, _ axis: TimeAxis, _ nines: Double
  ) -> String {
    let count = Double(cell.allocations.count)
    let end = log10(count)
    var points: [(Double, Double)] = []
    let steps = max(1, Int(end * 16))
    for step in 0..<steps {
      let at = Double(step) / Double(steps) * end
      guard let time = cell.allocations.quantile(1 - pow(10, -at)) else { continue }
      points.append((at / nines, axis.share(time)))
    }
    // The slowest of n is at the share 1 - 1/n.
    points.append((end / nines, axis.share(Double(cell.allocations.largest))))
    let path = points.enumerated().map { index, point in
      (index == 0 ? "M" : "L") + place(frame.x(point.0)) + " " + place(frame.y(point.1))
    }.joined()
    return "<path class=\"curve c\(number)\" d=\"\(path)\"/>\n"
  }

  static func legend(_ names: [String], _ frame: PlotFrame) -> String {
    var text = ""
    for (number, name) in names.enumerated() {
      let x = 12 + Double(number % 2) * PlotFrame.width / 2
      let y = frame.top + frame.plotHeight + 48 + Double(number / 2) * 24
      text += "<path class=\"curve c\(number)\" d=\"M\(place(x)) \(place(y))h26\"/>"
        + "<text x=\"\(place(x + 34))\" y=\"\(place(y))\" class=\"middle\">\(xmlText(name))</text>\n"
    }
    return text
  }
}

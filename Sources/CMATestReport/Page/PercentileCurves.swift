// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestBench
internal import CMATestCore
internal import CMATestDevice
internal import Glibc

/// A curve of each cell: how long allocations take, up to the slowest of many.
///
/// The horizontal axis is log(1/(1-p)), so that each further nine has the same width.
enum PercentileCurves {
  /// More curves than this cannot be told apart.
  static let most = 8

  /// What a curve is of.
  enum Kind {
    case allocations
    /// Allocations and, dashed, the same since their intended start.
    case responses
  }

  static func picture(_ cells: [PlottedCell], _ kind: Kind = .allocations, id: String) -> String {
    let usable = cells.filter { cell in
      kind == .allocations ? cell.allocations.count > 0 : cell.responses.count > 0
    }
    let shown = usable.prefix(most)
    guard let largest = shown.map(\.allocations.count).max(), largest > 0 else { return "" }
    let nines = max(1, log10(Double(largest)))
    let rows = 24 * Double((shown.count + 1) / 2)
    let frame = PlotFrame(height: 400 + rows, bottom: 66 + rows)
    let axis = TimeAxis(ends(Array(shown), kind))
    var content = ""
    for tick in axis.ticks { content += frame.horizontal(axis.share(tick), shortTime(tick)) }
    for nine in 0...Int(nines) {
      content += frame.vertical(Double(nine) / nines, percentile(nines: nine))
    }
    for (number, cell) in shown.enumerated() {
      content += curve(cell.allocations, "c\(number)", frame, axis, nines)
      if kind == .responses {
        content += curve(cell.responses, "dashed c\(number)", frame, axis, nines)
      }
    }
    content += legend(shown.map(\.settings.words), frame)
    return frame.picture(title: title(kind), description: description(kind), id: id, content)
  }

  private static func ends(_ cells: [PlottedCell], _ kind: Kind) -> [Double] {
    var times: [Double] = []
    for cell in cells {
      times += [Double(cell.allocations.smallest), Double(cell.allocations.largest)]
      if kind == .responses {
        times += [Double(cell.responses.smallest), Double(cell.responses.largest)]
      }
    }
    return times
  }

  static func title(_ kind: Kind) -> String {
    switch kind {
    case .allocations: "Allocation times by percentile"
    case .responses: "Allocation times, and those since the intended start, by percentile"
    }
  }

  private static func description(_ kind: Kind) -> String {
    switch kind {
    case .allocations:
      "For each cell, the time that a share of its allocations does not exceed. The table of cells "
        + "has the numbers."
    case .responses:
      "For each cell, the time that a share of its allocations does not exceed, as a line; and that "
        + "from the intended start of each, dashed, in which one that is late counts as long as its "
        + "user waits."
    }
  }

  static func percentile(nines: Int) -> String {
    switch nines {
    case 0: "0"
    case 1: "90 %"
    case 2: "99 %"
    default: "99." + String(repeating: "9", count: nines - 2) + " %"
    }
  }

  private static func curve(
    _ times: Histogram, _ mark: String, _ frame: PlotFrame, _ axis: TimeAxis, _ nines: Double
  ) -> String {
    guard times.count > 0 else { return "" }
    let count = Double(times.count)
    let end = log10(count)
    var points: [(Double, Double)] = []
    let steps = max(1, Int(end * 16))
    for step in 0..<steps {
      let at = Double(step) / Double(steps) * end
      guard let time = times.quantile(1 - pow(10, -at)) else { continue }
      points.append((at / nines, axis.share(time)))
    }
    // The slowest of n is at the share 1 - 1/n.
    points.append((end / nines, axis.share(Double(times.largest))))
    let path = points.enumerated().map { index, point in
      (index == 0 ? "M" : "L") + place(frame.x(point.0)) + " " + place(frame.y(point.1))
    }.joined()
    return "<path class=\"curve \(mark)\" d=\"\(path)\"/>\n"
  }

  static func legend(_ names: [String], _ frame: PlotFrame) -> String {
    var text = ""
    for (number, name) in names.enumerated() {
      let x = 12 + Double(number % 2) * PlotFrame.width / 2
      let y = frame.top + frame.plotHeight + 48 + Double(number / 2) * 24
      text +=
        "<path class=\"curve c\(number)\" d=\"M\(place(x)) \(place(y))h26\"/>"
        + "<text x=\"\(place(x + 34))\" y=\"\(place(y))\" class=\"middle\">\(xmlText(label(name, 26)))</text>\n"
    }
    return text
  }
}

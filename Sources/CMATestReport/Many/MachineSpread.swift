// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestBench

/// How a profile's times are distributed over machines: a line for each kernel.
struct MachineSpread {
  /// More kernels than this make no picture that fits a page.
  static let mostKernels = 20

  let profile: String
  /// The rows of each kernel, from the fastest to the slowest, the newest kernel last.
  private var kernels: [(kernel: KernelRelease, rows: [(time: Double, machine: String)])]

  /// Collects rows of a profile; nil where none has a time.
  init?(_ profile: String, _ rows: [BoardRow]) {
    self.profile = profile
    var groups: [String: [(time: Double, machine: String)]] = [:]
    for row in rows where row.profile == profile {
      if let slowest = row.slowest {
        groups[row.kernel, default: []].append((slowest.p99, row.machine))
      }
    }
    guard !groups.isEmpty else { return nil }
    kernels = groups.map { (KernelRelease($0.key), $0.value.sorted { $0.time < $1.time }) }
      .sorted { $0.0.isBefore($1.0) }
  }

  /// How many machines the picture is of.
  var count: Int { kernels.reduce(0) { max($0, $1.rows.count) } }
  var kernelCount: Int { kernels.count }

  /// Lines from the fastest machine to the slowest, with the middle half as a bar and the median as a dot.
  func picture(id: String) -> String {
    let shown = kernels.suffix(Self.mostKernels)
    let row = 28.0
    let frame = PlotFrame(height: row * Double(shown.count) + 54, left: 220, bottom: 40)
    let axis = TimeAxis(shown.flatMap { $0.rows.map(\.time) })
    var content = ""
    // The names of kernels leave room for five labels.
    let ticks = axis.ticks
    for (number, tick) in ticks.enumerated() where number % ((ticks.count + 4) / 5) == 0 {
      content += frame.vertical(axis.share(tick), shortTime(tick))
    }
    for (line, (kernel, rows)) in shown.enumerated() {
      content += Self.line(kernel.name, rows, frame, axis, y: frame.top + row * Double(line))
    }
    return frame.picture(
      title: "p99 of the slowest cell, profile \(profile)",
      description:
        "For each kernel a line from the fastest machine to the slowest one, a bar for the "
        + "middle half of them, and a dot for the median; the scale is logarithmic.",
      id: id, content)
  }

  private static func line(
    _ kernel: String, _ rows: [(time: Double, machine: String)], _ frame: PlotFrame,
    _ axis: TimeAxis, y: Double
  ) -> String {
    func x(_ share: Double) -> Double {
      frame.x(axis.share(rows[Int((Double(rows.count - 1) * share).rounded())].time))
    }
    let middle = rows[(rows.count - 1) / 2].time
    let words =
      "\(kernel), \(rows.count) machine\(rows.count == 1 ? "" : "s"): \(shortTime(rows[0].time)) "
      + "(\(rows[0].machine)), median \(shortTime(middle)), "
      + "\(shortTime(rows[rows.count - 1].time)) (\(rows[rows.count - 1].machine))"
    return "<text x=\"\(place(frame.left - 8))\" y=\"\(place(y + 13))\" class=\"end middle\">"
      + "\(xmlText(label(printable(kernel), 24)))</text>"
      + "<path class=\"whisker\" d=\"M\(place(x(0))) \(place(y + 13))H\(place(x(1)))\"/>"
      + "<rect class=\"bar\" x=\"\(place(x(0.25)))\" y=\"\(place(y + 6))\" "
      + "width=\"\(place(max(1, x(0.75) - x(0.25))))\" height=\"14\"/>"
      + "<circle cx=\"\(place(x(0.5)))\" cy=\"\(place(y + 13))\" r=\"5\">"
      + "<title>\(xmlText(printable(words)))</title></circle>\n"
  }
}

// SPDX-License-Identifier: GPL-2.0-or-later

package import CMATestBench
internal import CMATestCore
internal import CMATestDevice
internal import Glibc

/// Results of a measurement as a script for gnuplot(1), which has the data in itself and draws into
/// `cma-test.svg`, or into the file that the variable `output_file` names.
package enum BenchGnuplot {
  package static func text(_ result: ResultSummary) -> String { text([result]) }

  /// - Parameter results: results that were read with their times.
  /// - Returns: The script.
  package static func text(_ results: [ResultSummary]) -> String {
    var plots: [Plot] = []
    for (number, result) in results.enumerated() { plots += Plot.all(of: result, number) }
    var text = """
      #!/usr/bin/gnuplot
      # Results of cma-test bench: gnuplot -e "output_file='plots.svg'" THIS
      if (!exists('output_file')) output_file = 'cma-test.svg'

      """
    for plot in plots { text += plot.data }
    let height = max(1, plots.count) * 480
    text += "set terminal svg size 960,\(height) noenhanced background rgb 'white'\n"
    text += "set output output_file\nset grid\nset key outside below\nset encoding utf8\n"
    if plots.isEmpty { text += "set label 1 'nothing was measured' at graph 0.5,0.5 center\n" }
    text += "set multiplot layout \(max(1, plots.count)),1\n"
    if plots.isEmpty { text += "plot [0:1][0:1] 0 notitle\n" }
    for plot in plots { text += plot.commands }
    return text + "unset multiplot\nunset output\n"
  }
}

/// One plot of a script.
private struct Plot {
  var data: String
  var commands: String

  /// More curves than this cannot be told apart.
  private static let most = 8

  static func all(of result: ResultSummary, _ number: Int) -> [Plot] {
    let measured = result.cells.filter { ($0.times?.allocations.count ?? 0) > 0 }
    var plots = [
      percentiles(result.name, measured, number), quantiles(result.name, measured, number),
      success(result.name, result.cells, number),
    ].compactMap { $0 }
    for (place, line) in result.cells.compactMap(TimeLine.init).prefix(4).enumerated() {
      plots.append(soak(result.name, line, "\(number)_\(place)"))
    }
    return plots
  }

  private static func percentiles(_ name: String, _ cells: [CellSummary], _ number: Int) -> Plot? {
    guard !cells.isEmpty else { return nil }
    var (data, curves) = ("", [String]())
    for (place, cell) in cells.prefix(most).enumerated() {
      let times = cell.times ?? PooledTimes()
      for (kind, histogram) in [("", times.allocations), (" since intended", times.responses)]
      where histogram.count > 0 {
        let block = "$curve\(number)_\(place)\(kind.isEmpty ? "" : "r")"
        data += "\(block) << EOD\n" + points(histogram) + "EOD\n"
        let dash = kind.isEmpty ? "" : " dashtype 2"
        curves.append(
          "\(block) using 1:2 with lines lw 2 lc \(place + 1)\(dash) title \(quoted(cell.settings.words + kind))"
        )
      }
    }
    let commands =
      "reset\nset grid\nset key outside below\nset title \(quoted("\(name): allocation times by percentile"))\n"
      + "set logscale xy\nset xlabel '1 / (1 - p)'\nset ylabel 'microseconds'\n"
      + "plot " + curves.joined(separator: ", \\\n  ") + "\n"
    return Plot(data: data, commands: commands)
  }

  /// Lines of 1/(1-p) and the time in µs.
  private static func points(_ times: Histogram) -> String {
    let end = log10(Double(times.count))
    let steps = max(1, Int(end * 16))
    var text = ""
    for step in 0..<steps {
      let at = Double(step) / Double(steps) * end
      guard let time = times.quantile(1 - pow(10, -at)) else { continue }
      text += "\(pow(10, at)) \(number(time / 1000))\n"
    }
    return text + "\(times.count) \(number(Double(times.largest) / 1000))\n"
  }

  /// A time of 0 has no place on an axis of logarithms.
  private static func number(_ value: Double) -> String { "\(max(value, 1e-4))" }

  private static func quantiles(_ name: String, _ cells: [CellSummary], _ number: Int) -> Plot? {
    let shown = Array(cells.prefix(40))
    guard !shown.isEmpty else { return nil }
    var data = "$quantiles\(number) << EOD\n"
    for (place, cell) in shown.enumerated() {
      var fields = ["\(place)"]
      for quantity in [Quantity.p50, .p99] {
        let interval = MedianInterval(cell.values(of: quantity))
        let median = interval?.median ?? 0
        let bounds = interval?.bounds ?? median...median
        fields += [median, bounds.lowerBound, bounds.upperBound].map { Self.number($0 / 1000) }
      }
      data += fields.joined(separator: " ") + "\n"
    }
    data += "EOD\n"
    let commands =
      head("\(name): p50 and p99 over rounds, with intervals of 95 %", shown)
      + "set logscale y\nset ylabel 'microseconds'\n"
      + "plot $quantiles\(number) using 1:2:3:4 with yerrorbars lw 2 pt 7 title 'p50', \\\n"
      + "  $quantiles\(number) using 1:5:6:7 with yerrorbars lw 2 pt 5 title 'p99'\n"
    return Plot(data: data, commands: commands)
  }

  private static func success(_ name: String, _ cells: [CellSummary], _ number: Int) -> Plot? {
    let shown = Array(cells.filter { $0.requests > 0 }.prefix(40))
    guard !shown.isEmpty else { return nil }
    var data = "$success\(number) << EOD\n"
    for (place, cell) in shown.enumerated() {
      guard let interval = ShareInterval(cell.allocated, of: cell.requests) else { continue }
      let shares = [interval.share, interval.bounds.lowerBound, interval.bounds.upperBound]
      data += "\(place) " + shares.map { "\($0 * 100)" }.joined(separator: " ") + "\n"
    }
    data += "EOD\n"
    let commands =
      head("\(name): requests that succeeded, with intervals of 95 %", shown)
      + "set yrange [0:105]\nset ylabel 'percent'\nset style fill solid 0.5\nset boxwidth 0.6\n"
      + "plot $success\(number) using 1:2 with boxes notitle, \\\n"
      + "  $success\(number) using 1:2:3:4 with yerrorbars lw 2 lc 'black' notitle\n"
    return Plot(data: data, commands: commands)
  }

  private static func soak(_ name: String, _ line: TimeLine, _ id: String) -> Plot {
    var data = "$soak\(id) << EOD\n"
    for slice in line.slices {
      let times = [slice.p50, slice.p99, slice.largest.map { Double($0) }]
      let fields = times.map { $0.map { number($0 / 1000) } ?? "NaN" }
      data += "\(Double(slice.time) / 3600e9) " + fields.joined(separator: " ")
      data += " " + (slice.freePages.map { "\($0)" } ?? "NaN") + "\n"
    }
    data += "EOD\n"
    let isKnown = line.slices.contains { $0.freePages != nil }
    var commands =
      "reset\nset grid\nset key outside below\nset title \(quoted("\(name): over time, \(line.settings.words)"))\n"
    commands += "set xlabel 'hours'\nset ylabel 'microseconds'\nset logscale y\n"
    if isKnown { commands += "set ytics nomirror\nset y2tics\nset y2label 'free pages'\n" }
    commands += "plot $soak\(id) using 1:2 with lines lw 2 title 'p50', \\\n"
    commands += "  $soak\(id) using 1:3 with lines lw 2 title 'p99', \\\n"
    commands += "  $soak\(id) using 1:4 with lines lw 2 title 'max'"
    if isKnown {
      commands += ", \\\n  $soak\(id) using 1:5 axes x1y2 with lines lw 2 title 'free pages'"
    }
    return Plot(data: data, commands: commands + "\n")
  }

  private static func head(_ title: String, _ cells: [CellSummary]) -> String {
    let names = cells.enumerated().map { "\(quoted($1.settings.words)) \($0)" }
    return "reset\nset grid\nset key outside below\nset title \(quoted(title))\n"
      + "set xrange [-0.7:\(fixed(Double(cells.count) - 0.3, 1))]\n"
      + "set xtics rotate by -30 (\(names.joined(separator: ", ")))\n"
  }

  /// A string of gnuplot in single quotes, where nothing but the quote is special.
  private static func quoted(_ text: String) -> String {
    let safe = printable(text).map { $0 == "'" ? "''" : String($0) }
    return "'" + safe.joined() + "'"
  }
}

// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestBench
internal import CMATestCore

/// The times of a cell, and the free pages of the area, from the beginning of a measurement to its end.
enum SoakTimeLine {
  /// More cells than this make a page too long.
  static let most = 4
  /// More pieces than this are put together, each of them with its slowest allocation.
  private static let mostPoints = 240

  static func picture(_ line: TimeLine, id: String) -> String {
    let points = reduced(line.slices)
    let times = points.flatMap { [$0.p50, $0.p99, $0.largest.map { Double($0) }] }.compactMap { $0 }
    guard let first = points.first, let last = points.last, !times.isEmpty else { return "" }
    let pages = points.compactMap(\.freePages)
    let frame = PlotFrame(height: 340, bottom: 90)
    let axis = TimeAxis(times)
    let clock = Clock(from: Double(first.time), to: Double(last.time))
    var content = ""
    for tick in axis.ticks { content += frame.horizontal(axis.share(tick), shortTime(tick)) }
    for (share, label) in clock.ticks { content += frame.vertical(share, label) }
    let curves: [(Int, (SliceSummary) -> Double?)] = [
      (0, { $0.p50 }), (1, { $0.p99 }), (4, { $0.largest.map { Double($0) } }),
    ]
    for (color, value) in curves {
      content += path(points, color, frame, clock) { point in value(point).map(axis.share) }
    }
    content += legend(["p50", "p99", "max"], [0, 1, 4], frame)
    let picture = frame.picture(
      title: "Allocation times over the measurement, \(line.settings.words)",
      description: "The p50, the p99 and the largest time of each piece of the measurement.",
      id: id, content)
    return picture + pagesPicture(points, pages, clock, line.settings.words, id: id + "p")
  }

  private static func pagesPicture(
    _ points: [SliceSummary], _ pages: [UInt64], _ clock: Clock, _ name: String, id: String
  ) -> String {
    guard let least = pages.min(), let most = pages.max(), pages.count > 1 else { return "" }
    let frame = PlotFrame(height: 190, bottom: 58)
    // A line that does not move is in the middle, not at the edge.
    let room = max(Double(most) - Double(least), max(4, Double(most) / 100))
    let low = max(0, (Double(least) + Double(most)) / 2 - room * 0.6)
    let high = low + room * 1.2
    var content = ""
    for share in [0.0, 0.5, 1] {
      content += frame.horizontal(share, fixed(low + (high - low) * share, 0))
    }
    for (share, label) in clock.ticks { content += frame.vertical(share, label) }
    content += path(points, 2, frame, clock) { point in
      point.freePages.map { (Double($0) - low) / (high - low) }
    }
    content += frame.caption("free pages of the area")
    return frame.picture(
      title: "Free pages over the measurement, \(name)",
      description: "How many pages of the area were free at the end of each piece.", id: id, content
    )
  }

  private static func path(
    _ points: [SliceSummary], _ color: Int, _ frame: PlotFrame, _ clock: Clock,
    _ share: (SliceSummary) -> Double?
  ) -> String {
    var data = ""
    var isPenDown = false
    for point in points {
      guard let y = share(point) else {
        isPenDown = false
        continue
      }
      data += (isPenDown ? "L" : "M") + place(frame.x(clock.share(Double(point.time)))) + " "
      data += place(frame.y(y))
      isPenDown = true
    }
    return data.isEmpty ? "" : "<path class=\"curve c\(color)\" d=\"\(data)\"/>\n"
  }

  private static func legend(_ names: [String], _ colors: [Int], _ frame: PlotFrame) -> String {
    var text = ""
    for (number, (name, color)) in zip(names, colors).enumerated() {
      let x = frame.left + Double(number) * 130
      let y = frame.top + frame.plotHeight + 56
      text +=
        "<path class=\"curve c\(color)\" d=\"M\(place(x)) \(place(y))h26\"/>"
        + "<text x=\"\(place(x + 34))\" y=\"\(place(y))\" class=\"middle\">\(name)</text>\n"
    }
    return text
  }

  /// As many pieces as a picture has room for; of several that are put together the slowest one's times
  /// and the fewest free pages remain.
  private static func reduced(_ slices: [SliceSummary]) -> [SliceSummary] {
    guard slices.count > mostPoints else { return slices }
    return (0..<mostPoints).map { part in
      let range = part * slices.count / mostPoints..<(part + 1) * slices.count / mostPoints
      let group = slices[range]
      let medians = (
        group.compactMap(\.p50).median, group.compactMap(\.p99).median
      )
      return SliceSummary(
        time: slices[range.upperBound - 1].time, p50: medians.0, p99: medians.1,
        largest: group.compactMap(\.largest).max(), freePages: group.compactMap(\.freePages).min())
    }
  }

  /// What changed over the measurement, in sentences.
  static func words(_ line: TimeLine) -> String {
    var words = "Over \(clockWords(line.span)), \(line.settings.words): "
    let drifts = [
      drift("the p50", line.drift { $0.p50 }), drift("the p99", line.drift { $0.p99 }),
    ].compactMap { $0 }
    words += drifts.isEmpty ? "too few allocations for a drift" : drifts.joined(separator: "; ")
    let known = line.slices.compactMap(\.freePages)
    guard let first = known.first, let last = known.last else { return words + "." }
    let sure = line.driftOfFreePages?.isSure ?? false
    if last >= first {
      words += ". No page was lost: \(first) were free at first, \(last) at the end."
    } else {
      words += ". \(first - last) pages fewer were free at the end (\(first), then \(last))"
      words +=
        sure
        ? ", and they became fewer all the while: something keeps pages, or leaks them."
        : ", without a trend: others have allocated these meanwhile."
    }
    return words
  }

  private static func drift(_ name: String, _ drift: TimeLine.Drift?) -> String? {
    guard let drift else { return nil }
    let values = "\(shortTime(drift.before)) to \(shortTime(drift.after))"
    return drift.isSure
      ? "\(name) went from \(values) (\(changeInPercent(drift.after / drift.before)))"
      : "\(name) has no drift that is more than chance"
  }

  static func clockWords(_ nanoseconds: Double) -> String {
    let units = [("s", 1e9), ("min", 60e9), ("h", 3600e9), ("d", 86_400e9)]
    let unit = units.last { nanoseconds >= $0.1 * 2 } ?? units[0]
    return threeDigits(nanoseconds / unit.1) + " " + unit.0
  }

  /// The table behind the picture.
  static func table(_ line: TimeLine) -> String {
    let most = 24
    let count = min(most, line.slices.count)
    let rows = (0..<count).map { part -> [String] in
      let slice = line.slices[count > 1 ? part * (line.slices.count - 1) / (count - 1) : 0]
      return [
        clockWords(Double(slice.time)), "\(slice.allocated)", "\(slice.failed)",
        slice.p50.map(shortTime) ?? "?", slice.p99.map(shortTime) ?? "?",
        slice.largest.map { shortTime(Double($0)) } ?? "?", slice.freePages.map { "\($0)" } ?? "?",
      ]
    }
    let head = ["at", "allocated", "failed", "p50", "p99", "max", "free pages"]
    let note = line.slices.count > most ? ", \(count) of \(line.slices.count) pieces" : ""
    return "<details><summary>The time line in numbers\(note)</summary>\n"
      + htmlTable(head, rows) + "</details>\n"
  }
}

/// The time since a measurement began, as a horizontal axis.
private struct Clock {
  let from: Double
  let to: Double

  func share(_ time: Double) -> Double { to > from ? (time - from) / (to - from) : 0 }

  /// A time in s, without decimals where it is whole.
  private static func words(_ time: Double) -> String {
    let units = [("s", 1.0), ("min", 60), ("h", 3600), ("d", 86_400)]
    let unit = units.last { time >= $0.1 } ?? units[0]
    let number = time / unit.1
    let isWhole = abs(number - number.rounded()) < 1e-9
    return (isWhole ? fixed(number, 0) : threeDigits(number)) + " " + unit.0
  }

  /// About five labels at whole units.
  var ticks: [(Double, String)] {
    let units = [
      1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21_600, 43_200, 86_400, 172_800,
      604_800, 1_209_600, 2_592_000,
    ]
    let span = (to - from) / 1e9
    let step = units.map { Double($0) }.first { span / $0 <= 6 } ?? span / 6
    var ticks: [(Double, String)] = []
    var time = (from / 1e9 / step).rounded(.up) * step
    while time <= to / 1e9 {
      ticks.append((share(time * 1e9), Self.words(time)))
      time += step
    }
    return ticks
  }
}

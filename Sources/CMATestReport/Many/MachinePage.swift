// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestBench

/// The page of one machine, beside that of all.
enum MachinePage {
  private enum Most {
    static let cells = 200
    static let comparisons = 20
    static let causes = 100
    static let files = 500
    static let maps = 6
    static let curves = 4
    static let explanations = 20
  }

  /// Makes the page.
  ///
  /// - Parameters:
  ///   - machine: All of its results.
  ///   - rows: The same by kernel and profile.
  ///   - changes: Its kernels, compared.
  ///   - failures: What failed on it, and how often.
  ///   - back: The address of the page of all machines, relative to this one.
  /// - Returns: The page.
  static func html(
    _ machine: BoardResults, _ rows: [BoardRow], _ changes: [KernelChange],
    _ failures: [FailureCause: UInt64], back: String
  ) -> String {
    let name = PageTables.name(machine.name)
    var body = "<h1>\(xmlText(name))</h1>\n"
    let count = machine.results.count
    body += "<p class=\"lead\">\(count) result\(count == 1 ? "" : "s"). "
    body += TableField("All machines", link: back).html + "</p>\n"
    body += profiles(rows) + causes(failures) + maps(machine.maps())
    body += explanations(machine.explanations())
    body += comparisons(changes) + cells(rows) + files(machine)
    if !machine.facts.isEmpty {
      let facts = machine.facts.map { [$0.name, label(printable($0.value), 500)] }
      body += "<details><summary>The machine when it was last measured</summary>\n"
      body += htmlTable(["property", "value"], facts, classes: ["", "words"]) + "</details>\n"
    }
    return PageFrame.html("Contiguous memory allocation: \(name)", body)
  }

  private static func profiles(_ rows: [BoardRow]) -> String {
    guard !rows.isEmpty else { return "" }
    let worst = rows.sorted { $0.isWorse(than: $1) }
    let shown = rows.count > Most.cells ? Array(worst.prefix(Most.cells)) : rows
    return "<h2>Kernels and profiles</h2>\n"
      + PageTables.leftOut(shown.count, of: rows.count, "rows") + PageTables.rows(shown, links: nil)
  }

  /// The newest map of each area, with each kernel.
  private static func maps(_ maps: [MapSummary]) -> String {
    guard !maps.isEmpty else { return "" }
    let shown = maps.prefix(Most.maps)
    var text = "<h2>Who has the pages</h2>\n"
    if shown.count < maps.count {
      text += "<p>The first \(shown.count) of \(maps.count) areas and kernels.</p>\n"
    }
    for (number, map) in shown.enumerated() {
      let title = "\(map.picture.title), \(map.facts.kernel)"
      text += "<h3>\(xmlText(PageTables.name(title)))</h3>\n"
      text += MapSection.html(map, id: "map\(number)")
    }
    return text
  }

  private static func explanations(_ explanations: [ExplanationSummary]) -> String {
    guard !explanations.isEmpty else { return "" }
    // What does not fit is what somebody looks for.
    let sorted = explanations.filter { !$0.fits } + explanations.filter(\.fits)
    let shown = sorted.prefix(Most.explanations)
    var text = "<h2>Sets of blocks</h2>\n"
    if shown.count < sorted.count {
      text += "<p>The first \(shown.count) of \(sorted.count).</p>\n"
    }
    for explanation in shown {
      text += "<h3>\(xmlText(PageTables.name(explanation.wanted)))</h3>\n"
      text += ExplanationSection.html(explanation)
    }
    return text
  }

  private static func causes(_ failures: [FailureCause: UInt64]) -> String {
    guard !failures.isEmpty else { return "" }
    let causes = failures.map { cause, count -> (FailureCause, CauseCounts) in
      var counts = CauseCounts()
      counts.add(count, of: "")
      return (cause, counts)
    }.sorted { one, other in
      if one.1.count != other.1.count { return one.1.count > other.1.count }
      return one.0.sortKey < other.0.sortKey
    }
    let shown = Array(causes.prefix(Most.causes))
    return "<h2>Failures by cause</h2>\n"
      + PageTables.leftOut(shown.count, of: causes.count, "causes")
      + PageTables.causes(shown, links: [:], isOneMachine: true)
  }

  /// Each kernel with the next newer one, the newest last.
  private static func comparisons(_ changes: [KernelChange]) -> String {
    guard !changes.isEmpty else { return "" }
    let worst =
      changes.filter { $0.comparison.outcome == .regression }
      + changes.filter { $0.comparison.outcome != .regression }
    let shown = changes.count > Most.comparisons ? Array(worst.prefix(Most.comparisons)) : changes
    var text = "<h2>Kernels compared</h2>\n"
    text += PageTables.leftOut(shown.count, of: changes.count, "comparisons")
    for (number, change) in shown.enumerated() {
      let title = "\(change.profile): \(change.before), and then \(change.after)"
      text += "<h3>\(xmlText(PageTables.name(title)))</h3>\n"
      text += "<p>\(xmlText(change.comparison.words.capitalizedFirst)).</p>\n"
      let picture = ForestPlot.picture(change.comparison, id: "forest\(number)")
      if !picture.isEmpty { text += "<figure>\n\(picture)</figure>\n" }
    }
    return text
  }

  /// The cells of all kernels, those of one setting together.
  private static func cells(_ rows: [BoardRow]) -> String {
    var all: [(row: Int, cell: BoardCell, p99: Double)] = []
    for (number, row) in rows.enumerated() {
      for cell in row.cells { all.append((number, cell, cell.p99.median ?? 0)) }
    }
    guard !all.isEmpty else { return "" }
    let shown =
      all.count > Most.cells ? Array(all.sorted { $0.p99 > $1.p99 }.prefix(Most.cells)) : all
    let fields = shown.map { place, cell, _ in
      [
        PageTables.name(rows[place].kernel), PageTables.name(rows[place].profile),
        PageTables.name(cell.settings.words), "\(cell.rounds)", "\(cell.requests)",
        PageTables.percent(
          cell.requests == 0 ? 0 : Double(cell.failed) / Double(cell.requests)),
        words(cell.p50), words(cell.p99), cell.max.max().map(shortTime) ?? "?",
      ]
    }
    return "<h2>Cells</h2>\n" + curves(rows)
      + PageTables.leftOut(shown.count, of: all.count, "cells")
      + htmlTable(
        ["kernel", "profile", "cell", "rounds", "requests", "failed", "p50", "p99", "max"], fields,
        classes: ["words", "words", "words"])
  }

  /// Curves by percentile, a picture for each profile, of the newest kernels.
  private static func curves(_ rows: [BoardRow]) -> String {
    var text = ""
    for (number, row) in rows.filter({ !$0.cells.isEmpty }).suffix(Most.curves).enumerated() {
      let lines = row.cells.compactMap(PercentileLine.init)
      let picture = PercentileCurves.picture(lines, id: "curves\(number)")
      guard !picture.isEmpty else { continue }
      text += "<h3>\(xmlText(PageTables.name("\(row.kernel), \(row.profile)")))</h3>\n"
      text += "<figure>\n\(picture)<figcaption>Allocation times by percentile"
      if lines.count > PercentileCurves.most {
        text += ", the first \(PercentileCurves.most) of \(lines.count) cells"
      }
      text += ".</figcaption>\n</figure>\n"
    }
    return text
  }

  /// The median of rounds, with its interval.
  private static func words(_ times: [Double]) -> String {
    guard let interval = MedianInterval(times) else { return "?" }
    let bounds = interval.bounds.map {
      " (\(shortTime($0.lowerBound)) to \(shortTime($0.upperBound)))"
    }
    return shortTime(interval.median) + (bounds ?? "")
  }

  private static func files(_ machine: BoardResults) -> String {
    let results = machine.results.sorted { $0.time > $1.time }
    let shown = results.prefix(Most.files)
    let fields = shown.map { result in
      [
        label(printable(result.file), 300), PageTables.name(result.kernel),
        PageTables.name(result.content.profile), result.time,
      ]
    }
    let note =
      shown.count < results.count ? "<p>The newest \(shown.count) of \(results.count).</p>\n" : ""
    return "<h2>Files</h2>\n<p>'cma-test report FILE' draws one of them.</p>\n" + note
      + htmlTable(
        ["file", "kernel", "profile", "begun"], fields, classes: ["words", "words", "words", ""])
  }
}

extension String {
  fileprivate var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}

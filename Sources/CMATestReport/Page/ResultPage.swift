// SPDX-License-Identifier: GPL-2.0-or-later

package import CMATestBench
internal import CMATestCore

/// Results as one page of HTML that needs nothing else: no network, no script, no other file.
package enum ResultPage {
  /// More cells than this are not each in the table; the slowest are.
  private static let mostRows = 200

  /// Makes the page.
  ///
  /// - Parameters:
  ///   - results: What to show, read with their times.
  ///   - runs: Results of `cma-test run`.
  ///   - holders: Results of `cma-test map` and `cma-test explain`.
  ///   - comparison: The comparison of results, where there is one.
  /// - Returns: The page.
  package static func html(
    _ results: [ResultSummary], runs: [NamedRun] = [], holders: [NamedHolderResult] = [],
    comparison: Comparison? = nil
  ) -> String {
    var body = "<h1>Contiguous memory allocation</h1>\n"
    if let comparison { body += section(comparison) }
    let isOnly = results.count + runs.count + holders.count == 1
    for (number, result) in results.enumerated() { body += section(result, number, isOnly: isOnly) }
    for run in runs { body += RunSection.html(run) }
    for (number, named) in holders.enumerated() { body += section(named, number) }
    return PageFrame.html("Contiguous memory allocation", body)
  }

  private static func section(_ named: NamedHolderResult, _ number: Int) -> String {
    let name = xmlText(printable(named.name))
    return switch named.result {
    case .map(let map):
      "<h2>Map \(name)</h2>\n" + MapSection.html(map, id: "map\(number)")
    case .explanation(let explanation):
      "<h2>Explanation \(name)</h2>\n" + ExplanationSection.html(explanation)
    }
  }

  private static func section(_ result: ResultSummary, _ number: Int, isOnly: Bool) -> String {
    let cells = result.cells.map(PlottedCell.init)
    var text = isOnly ? "" : "<h2>\(xmlText(result.name))</h2>\n"
    text += "<p class=\"lead\">\(xmlText(sentence(result)))</p>\n"
    let allocating = cells.count(where: \.hasAllocations)
    text += figure(
      "Allocation times by percentile", PercentileCurves.picture(cells, id: "curves\(number)"),
      shown(PercentileCurves.most, of: allocating, "cells in which blocks were allocated"))
    text += figure(
      "Allocation times by cell", HeatMap.picture(cells, id: "heat\(number)"),
      shown(HeatMap.most, of: allocating, "cells in which blocks were allocated"))
    text += figure(
      "Requests that succeeded", SuccessBars.picture(cells, id: "success\(number)"),
      shown(HeatMap.most, of: cells.count, "cells"))
    text += table(cells)
    text += responses(cells, "responses\(number)")
    text += timeLines(result, "soak\(number)")
    if !result.environment.isEmpty {
      text +=
        "<details><summary>The machine</summary>\n"
        + htmlTable(
          ["property", "value"], result.environment.map { [$0.name, $0.value] },
          classes: ["", "words"]) + "</details>\n"
    }
    return text
  }

  /// Says that a picture has the first of all; nil where it has all.
  private static func shown(_ most: Int, of all: Int, _ what: String) -> String? {
    all > most ? "The first \(most) of \(all) \(what)." : nil
  }

  /// Service times beside those since the intended start, where there is an interval.
  private static func responses(_ cells: [PlottedCell], _ id: String) -> String {
    let rows = cells.compactMap(\.responseRow)
    guard !rows.isEmpty else { return "" }
    return "<h3>Since the intended start</h3>\n"
      + figure(
        nil, PercentileCurves.picture(cells, .responses, id: id),
        "A line for allocations; dashed since the intended start, which is what a user waits.")
      + "<details><summary>Both times in numbers</summary>\n"
      + htmlTable(PlottedCell.responseNames, Array(rows.prefix(mostRows))) + "</details>\n"
  }

  private static func timeLines(_ result: ResultSummary, _ id: String) -> String {
    let lines = result.cells.compactMap(TimeLine.init)
    guard !lines.isEmpty else { return "" }
    var text = "<h3>Over time</h3>\n"
    for (number, line) in lines.prefix(SoakTimeLine.most).enumerated() {
      text += "<p>\(xmlText(SoakTimeLine.words(line)))</p>\n"
      text += figure(nil, SoakTimeLine.picture(line, id: "\(id)-\(number)"), nil)
      text += SoakTimeLine.table(line)
    }
    if lines.count > SoakTimeLine.most {
      text += "<p>The first \(SoakTimeLine.most) of \(lines.count) cells with a time line.</p>\n"
    }
    return text
  }

  private static func sentence(_ result: ResultSummary) -> String {
    func fact(_ name: String) -> String? {
      result.environment.first { $0.name == name }?.value
    }
    let requests = result.cells.reduce(UInt64(0)) { $0 + $1.requests }
    let rounds = result.cells.map(\.rounds.count).max() ?? 0
    var words =
      "\(requests) requests in \(result.cells.count) cell\(result.cells.count == 1 ? "" : "s"), up to "
      + "\(rounds) round\(rounds == 1 ? "" : "s") each, of the area \(printable(result.area)) with "
      + byteCount(result)
    if let kernel = fact("kernel") { words += ", on Linux \(kernel)" }
    if !result.time.isEmpty { words += ", begun \(result.time)" }
    words += "."
    if let slow = result.slow { words += " " + sentence(slow, result.cells) }
    if !result.isComplete {
      let cause = result.endedBy.map { ", by \($0)" } ?? ""
      words += " This is a part: the measurement was ended before its time\(cause)."
    }
    return words
  }

  private static func sentence(_ slow: SlowSummary, _ cells: [CellSummary]) -> String {
    var words = "An allocation took \(shortTime(Double(slow.nanoseconds)))"
    if slow.cell < UInt64(cells.count) { words += " (\(cells[Int(slow.cell)].settings.words))" }
    if let retries = slow.retries { words += ", with " + counted(retries, "busy retr", "y", "ies") }
    if let migrated = slow.migrated {
      words += ", " + counted(migrated, "page", "", "s") + " migrated"
    }
    if let use = slow.inTheWay { words += "; the last page in its way: \(use)" }
    return words + "."
  }

  private static func byteCount(_ result: ResultSummary) -> String {
    let (bytes, overflow) = result.areaPages.multipliedReportingOverflow(by: result.pageSize)
    return overflow || bytes == 0 ? "\(result.areaPages) pages" : CMATestCore.byteCount(bytes)
  }

  private static func figure(_ title: String?, _ picture: String, _ caption: String?) -> String {
    guard !picture.isEmpty else { return "" }
    let head = title.map { "<h3>\(xmlText($0))</h3>\n" } ?? ""
    let words = caption.map { "<figcaption>\(xmlText($0))</figcaption>\n" } ?? ""
    return head + "<figure>\n\(picture)\(words)</figure>\n"
  }

  private static func table(_ cells: [PlottedCell]) -> String {
    var shown = cells
    var note = ""
    if cells.count > mostRows {
      shown = Array(
        cells.sorted { ($0.p99?.median ?? 0) > ($1.p99?.median ?? 0) }.prefix(mostRows))
      note = "<p>The \(mostRows) of \(cells.count) cells whose p99 is the largest.</p>\n"
    }
    return "<details open><summary>The numbers</summary>\n" + note
      + htmlTable(PlottedCell.names, shown.map(\.row)) + "</details>\n"
  }

  private static func section(_ comparison: Comparison) -> String {
    var rows: [[String]] = []
    for cell in comparison.cells.prefix(mostRows) {
      let change = cell.changes[comparison.rules.quantity]
      let interval = change?.interval()
      rows.append([
        cell.settings.words, change.map { shortTime($0.before) } ?? "?",
        change.map { shortTime($0.after) } ?? "?",
        change.map { changeInPercent($0.ratio) } ?? "?",
        interval.map {
          "\(changeInPercent($0.bounds.lowerBound)) to \(changeInPercent($0.bounds.upperBound))"
        } ?? "?",
        cell.verdict.words,
      ])
    }
    let quantity = comparison.rules.quantity.rawValue
    let told = comparison.words
    var words = told.prefix(1).uppercased() + told.dropFirst()
    words += ", by the \(quantity) of their rounds."
    if let needed = comparison.roundsNeeded { words += " \(needed) rounds of either would tell." }
    if comparison.cells.count > mostRows { words += " The first \(mostRows) cells are shown." }
    let differences = comparison.differences.map {
      [$0.name, $0.before ?? "not told", $0.after ?? "not told"]
    }
    return "<h2>Comparison</h2>\n<p class=\"lead\">\(xmlText(words))</p>\n"
      + figure(
        "Change, and its interval of 95 %", ForestPlot.picture(comparison, id: "forest"),
        shown(HeatMap.most, of: comparison.cells.count, "cells"))
      + htmlTable(
        ["cell", "\(quantity) before", "\(quantity) after", "change", "95 %", "verdict"], rows,
        classes: ["", "", "", "", "", "words"])
      + (differences.isEmpty
        ? ""
        : "<details open><summary>What differs beside the times</summary>\n"
          + htmlTable(
            ["property", "before", "after"], differences, classes: ["", "words", "words"])
          + "</details>\n")
  }
}

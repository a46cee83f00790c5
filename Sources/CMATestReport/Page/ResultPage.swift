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
  ///   - comparison: The comparison of two of them, where there is one.
  package static func html(_ results: [ResultSummary], comparison: Comparison? = nil) -> String {
    var body = "<h1>Contiguous memory allocation</h1>\n"
    for (number, result) in results.enumerated() {
      body += section(result, number, isOnly: results.count == 1)
    }
    if let comparison { body += section(comparison) }
    return """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="color-scheme" content="light dark">
      <title>Contiguous memory allocation</title>
      <style>
      \(PageStyle.sheet)
      </style>
      </head>
      <body>
      <main>
      \(body)</main>
      </body>
      </html>

      """
  }

  private static func section(_ result: ResultSummary, _ number: Int, isOnly: Bool) -> String {
    let cells = result.cells.map(PlottedCell.init)
    var text = isOnly ? "" : "<h2>\(xmlText(result.name))</h2>\n"
    text += "<p class=\"lead\">\(xmlText(sentence(result)))</p>\n"
    text += figure(
      PercentileCurves.picture(cells, id: "curves\(number)"),
      cells.count > PercentileCurves.most
        ? "The first \(PercentileCurves.most) of \(cells.count) cells." : nil)
    text += figure(HeatMap.picture(cells, id: "heat\(number)"), nil)
    text += figure(
      SuccessBars.picture(cells, id: "success\(number)"),
      cells.count > HeatMap.most ? "The first \(HeatMap.most) of \(cells.count) cells." : nil)
    text += table(cells)
    if !result.environment.isEmpty {
      text += "<details><summary>The machine</summary>\n"
        + htmlTable(["property", "value"], result.environment.map { [$0.name, $0.value] })
        + "</details>\n"
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
      + "\(rounds) round\(rounds == 1 ? "" : "s") each, of the area \(result.area) with "
      + byteCount(result)
    if let kernel = fact("kernel") { words += ", on Linux \(kernel)" }
    return words + (result.isComplete ? "." : ". The measurement was ended before its time.")
  }

  private static func byteCount(_ result: ResultSummary) -> String {
    let (bytes, overflow) = result.areaPages.multipliedReportingOverflow(by: result.pageSize)
    return overflow || bytes == 0 ? "\(result.areaPages) pages" : CMATestCore.byteCount(bytes)
  }

  private static func figure(_ picture: String, _ caption: String?) -> String {
    guard !picture.isEmpty else { return "" }
    let words = caption.map { "<figcaption>\(xmlText($0))</figcaption>\n" } ?? ""
    return "<figure>\n\(picture)\(words)</figure>\n"
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
        interval.map { changeInPercent($0.ratio) } ?? "?",
        interval.map {
          "\(changeInPercent($0.bounds.lowerBound)) to \(changeInPercent($0.bounds.upperBound))"
        } ?? "?",
        cell.verdict.words,
      ])
    }
    return "<h2>Comparison</h2>\n<p class=\"lead\">\(xmlText(comparison.words)).</p>\n"
      + figure(ForestPlot.picture(comparison, id: "forest"), nil)
      + htmlTable(["cell", "before", "after", "change", "95 %", "verdict"], rows)
  }
}

// SPDX-License-Identifier: GPL-2.0-or-later

package import CMATestBench

extension Comparison {
  /// The comparison as continuous integration reads results: a regression is a failure, and a cell that
  /// cannot be told, or that only one of the results has, is skipped, with the reason.
  package var junit: String {
    let failed = cells.count { $0.verdict.isRegression }
    let alone =
      onlyBefore.map { ($0, "only in the first result") }
      + onlyAfter.map { ($0, "only in the second result") }
    let skipped = cells.count { $0.verdict.reason != nil } + alone.count
    let counts = "tests=\"\(cells.count + alone.count)\" failures=\"\(failed)\" errors=\"0\""
    var text = """
      <?xml version="1.0" encoding="UTF-8"?>
      <testsuites \(counts)>
        <testsuite name="cma-test compare" \(counts) skipped="\(skipped)">

      """
    func head(_ settings: CellSettings) -> String {
      "    <testcase name=\"\(xmlText(settings.words))\" classname=\"cma-test.compare\""
    }
    for cell in cells {
      let head = head(cell.settings)
      let change = cell.changes[rules.quantity].map { change in
        "\(rules.quantity.rawValue) \(shortTime(change.before)) -> \(shortTime(change.after)), "
          + changeInPercent(change.ratio)
      }
      let words = xmlText([cell.verdict.words, change].compactMap { $0 }.joined(separator: ": "))
      if cell.verdict.isRegression {
        text += head + ">\n      <failure message=\"\(words)\"/>\n    </testcase>\n"
      } else if cell.verdict.reason != nil {
        text += head + ">\n      <skipped message=\"\(words)\"/>\n    </testcase>\n"
      } else {
        text += head + ">\n      <system-out>\(words)</system-out>\n    </testcase>\n"
      }
    }
    for (settings, words) in alone {
      text += head(settings) + ">\n      <skipped message=\"\(words)\"/>\n    </testcase>\n"
    }
    return text + "  </testsuite>\n</testsuites>\n"
  }
}

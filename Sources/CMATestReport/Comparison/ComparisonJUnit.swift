// SPDX-License-Identifier: GPL-2.0-or-later

package import CMATestBench

extension Comparison {
  /// The comparison as continuous integration reads results: a regression is a failure, and a cell that
  /// cannot be told is skipped, with the reason.
  package var junit: String {
    let failed = cells.count { $0.verdict.isRegression }
    let skipped = cells.count { $0.verdict.reason != nil }
    let counts = "tests=\"\(cells.count)\" failures=\"\(failed)\" errors=\"0\""
    var text = """
      <?xml version="1.0" encoding="UTF-8"?>
      <testsuites \(counts)>
        <testsuite name="cma-test compare" \(counts) skipped="\(skipped)">

      """
    for cell in cells {
      let head =
        "    <testcase name=\"\(xmlText(cell.settings.words))\" classname=\"cma-test.compare\""
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
    return text + "  </testsuite>\n</testsuites>\n"
  }
}

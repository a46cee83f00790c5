// SPDX-License-Identifier: GPL-2.0-or-later

package import CMATestBench

/// Results of a measurement as a table for people.
package enum BenchText {
  package static func text(_ result: ResultSummary) -> String {
    var rows = [
      [
        "CELL", "N", "FAILED", "P50", "P90", "P99", "P99.9", "MAX", "RELEASE P50", "RELEASE P99",
      ]
    ]
    rows += result.cells.map { PlottedCell($0).row }
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    var text = rows.map { row in
      let line = zip(row, widths).map(padded).joined(separator: "  ")
      return String(line.reversed().drop { $0 == " " }.reversed()) + "\n"
    }.joined()
    if !result.isComplete { text += "this is a part: the measurement was ended\n" }
    return text
  }
}

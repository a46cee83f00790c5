// SPDX-License-Identifier: GPL-2.0-or-later

package import CMATestBench

extension Comparison {
  /// The comparison as a table for people: a line for each quantity of each cell.
  package var text: String {
    var text = ""
    for cell in cells { text += Self.text(cell, rules) }
    for cell in onlyBefore { text += "\(cell.words): only in the first result\n" }
    for cell in onlyAfter { text += "\(cell.words): only in the second result\n" }
    if !differences.isEmpty {
      text += "what differs beside the times:\n"
      for difference in differences {
        text +=
          "  \(printable(difference.name)): \(difference.before.map(printable) ?? "not told") -> "
          + "\(difference.after.map(printable) ?? "not told")\n"
      }
    }
    text += words + "\n"
    if let roundsNeeded { text += "\(roundsNeeded) rounds of either result would tell\n" }
    return text
  }

  private static func text(_ cell: CellComparison, _ rules: Rules) -> String {
    var rows: [[String]] = []
    for quantity in Quantity.allCases {
      guard let change = cell.changes[quantity] else { continue }
      let bounds = change.interval().map { interval in
        "(\(changeInPercent(interval.bounds.lowerBound)) to "
          + "\(changeInPercent(interval.bounds.upperBound)))"
      }
      rows.append([
        quantity.rawValue, shortTime(change.before), shortTime(change.after),
        changeInPercent(change.ratio), bounds ?? "",
        quantity == rules.quantity ? cell.timeP.map(probability) ?? "" : "",
      ])
    }
    if cell.failed.before + cell.failed.after > 0 {
      rows.append([
        "failed", share(cell.failed.before, cell.requests.before),
        share(cell.failed.after, cell.requests.after), "", "",
        cell.failureP.map(probability) ?? "",
      ])
    }
    let widths = [8, 10, 10, 10, 24, 0]
    let rounds = "\(cell.rounds.before) and \(cell.rounds.after) rounds"
    return "\(cell.settings.words) (\(rounds)): \(cell.verdict.words)\n"
      + rows.map { row in
        let line = "  " + zip(row, widths).map(padded).joined(separator: "  ")
        return String(line.reversed().drop { $0 == " " }.reversed()) + "\n"
      }.joined()
  }

  private static func share(_ part: UInt64, _ all: UInt64) -> String {
    all == 0 ? "?" : exactPercent(part, of: all)
  }
}

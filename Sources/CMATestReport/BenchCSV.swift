// SPDX-License-Identifier: GPL-2.0-or-later

package import CMATestBench

/// Results of a measurement as comma-separated values (RFC 4180): a row for each round of each cell.
///
/// The first line has the names of the columns. Times are in ns, a field is empty where a number is not
/// known, and lines end with CR LF.
package enum BenchCSV {
  /// The columns that say what was measured.
  private static let settings = ["result", "pages", "order", "threads", "hold", "every_ns", "load"]
  /// The columns that a round counts.
  private static let counts = [
    "round", "elapsed_ns", "allocated", "failed", "refused", "involuntary_switches",
    "cpu_migrations", "busy_retries", "no_hole", "migrated_pages", "unmigrated_pages",
    "filled_pages",
  ]
  /// What is told of each kind of times.
  private static let spread = ["min", "mean", "p50", "p90", "p99", "p99.9", "max"]
  private static let kinds = ["alloc", "response", "failure", "release"]

  /// The names of all columns, in their order.
  package static var columns: [String] {
    var columns = settings + counts
    for kind in kinds { columns += spread.map { "\(kind)_\($0)_ns" } }
    return columns
  }

  package static func text(_ result: ResultSummary) -> String { text([result]) }

  /// - Parameter results: results that were read with their times.
  /// - Returns: The table.
  package static func text(_ results: [ResultSummary]) -> String {
    var text = line(columns)
    for result in results {
      for cell in result.cells {
        for (index, round) in cell.rounds.enumerated() {
          text += line(row(round, UInt64(index + 1), cell.settings, result.name))
        }
      }
    }
    return text
  }

  private static func row(
    _ round: RoundSummary, _ number: UInt64, _ cell: CellSettings, _ name: String
  ) -> [String] {
    let details = round.details ?? RoundDetails()
    var row = [
      name, "\(cell.pages)", "\(cell.order)", "\(cell.threads)", "\(cell.hold)", "\(cell.every)",
      cell.load,
    ]
    row += ["\(number)", "\(details.elapsed)", "\(round.allocated)", "\(round.failed)"]
    row += ["\(details.refused)", "\(details.switches)", "\(details.moves)"]
    row += [
      details.retries, details.withoutHole, details.migrated, details.unmigrated, details.filled,
    ].map { $0.map { "\($0)" } ?? "" }
    for times in [details.allocations, details.responses, details.failures, details.releases] {
      row += fields(times)
    }
    return row
  }

  private static func fields(_ times: RoundDetails.Spread?) -> [String] {
    guard let times else { return spread.map { _ in "" } }
    let quantiles = [times.p50, times.p90, times.p99, times.p999].map { fixed($0, 1) }
    return ["\(times.least)", fixed(times.mean, 1)] + quantiles + ["\(times.most)"]
  }

  private static func line(_ fields: [String]) -> String {
    fields.map(quoted).joined(separator: ",") + "\r\n"
  }

  private static func quoted(_ field: String) -> String {
    let special: Set<Unicode.Scalar> = ["\"", ",", "\r", "\n"]
    guard field.unicodeScalars.contains(where: { special.contains($0) }) else { return field }
    var text = "\""
    for scalar in field.unicodeScalars {
      if scalar == "\"" { text += "\"" }
      text.unicodeScalars.append(scalar)
    }
    return text + "\""
  }
}

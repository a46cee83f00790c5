// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestBench
internal import CMATestCore
internal import CMATestDevice

/// A cell of a result, with the times of all its rounds.
struct PlottedCell {
  let settings: CellSettings
  let rounds: Int
  let allocations: Histogram
  /// Since the intended start; empty without an interval.
  let responses: Histogram
  let failures: Histogram
  let releases: Histogram
  /// The medians over the rounds, with their intervals.
  let p50: MedianInterval?
  let p99: MedianInterval?

  init(_ cell: CellSummary) {
    settings = cell.settings
    rounds = cell.rounds.count
    let times = cell.times ?? PooledTimes()
    allocations = times.allocations
    responses = times.responses
    failures = times.failures
    releases = times.releases
    p50 = MedianInterval(cell.values(of: .p50))
    p99 = MedianInterval(cell.values(of: .p99))
  }

  /// Whether there are times to draw.
  var hasAllocations: Bool { allocations.count > 0 }

  /// The row of a table, as `names` has its head.
  var row: [String] {
    let all = allocations.count + failures.count
    return [
      settings.words, "\(all)",
      all == 0 ? "?" : exactPercent(failures.count, of: all),
      words(p50), time(0.9), words(p99), time(0.999), time(1),
      releases.quantile(0.5).map(shortTime) ?? "?", releases.quantile(0.99).map(shortTime) ?? "?",
    ]
  }

  static let names = [
    "cell", "requests", "failed", "p50", "p90", "p99", "p99.9", "max", "release p50", "release p99",
  ]

  /// The row of the table of times since the intended start; `nil` without an interval.
  var responseRow: [String]? {
    guard responses.count > 0 else { return nil }
    let quantiles = [0.5, 0.99, 0.999, 1].map { q in
      [allocations, responses].map { $0.quantile(q).map(shortTime) ?? "?" }
    }
    return [settings.words] + quantiles.flatMap { $0 }
  }

  static let responseNames = [
    "cell", "p50", "p50 since intended", "p99", "p99 since intended", "p99.9",
    "p99.9 since intended", "max", "max since intended",
  ]

  private func time(_ q: Double) -> String { allocations.quantile(q).map(shortTime) ?? "?" }

  private func words(_ interval: MedianInterval?) -> String {
    guard let interval else { return "?" }
    let bounds = interval.bounds.map {
      " (\(shortTime($0.lowerBound)) to \(shortTime($0.upperBound)))"
    }
    return shortTime(interval.median) + (bounds ?? "")
  }
}

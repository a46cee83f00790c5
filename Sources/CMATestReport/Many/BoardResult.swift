// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestBench

/// What a page of many results keeps of a file: a few numbers of each round, and what failed.
struct BoardResult {
  var file: String
  /// The name that the machine gives itself; nil where the file does not tell.
  var host: String?
  var kernel: String
  /// When the measurement began, in UTC.
  var time: String
  /// What the machine was; empty for a run.
  var facts: [ResultSummary.Fact] = []
  var content: BoardContent
}

/// What was found; equal for copies of one file.
enum BoardContent: Hashable {
  case bench(BoardBench)
  case run(BoardRun)
  case map(MapSummary)
  case explanation(ExplanationSummary)
}

/// What is kept of a measurement.
struct BoardBench: Hashable {
  var time: String
  var kernel: String
  /// The profile; nil where the settings were the user's own.
  var profile: String?
  var area: String
  var areaPages: UInt64
  var pageSize: UInt64
  /// Whether all rounds were measured: only then it is compared.
  var isWhole: Bool
  var cells: [BoardCell]
  var failures: [FailureCount]
}

/// What is kept of a cell: `p50`, `p99`, `max` and what follows have a number for each round with an allocation, in ns.
struct BoardCell: Hashable {
  var settings: CellSettings
  var rounds: Int
  var requests: UInt64
  var failed: UInt64
  var p50: [Double]
  var p99: [Double]
  var max: [Double]
  /// For the curve by percentile, the same.
  var least: [Double] = []
  var p90: [Double] = []
  var p999: [Double] = []

  /// Adds the rounds of another result of the same cell.
  mutating func add(_ other: BoardCell) {
    rounds += other.rounds
    requests += other.requests
    failed += other.failed
    p50 += other.p50
    p99 += other.p99
    max += other.max
    least += other.least
    p90 += other.p90
    p999 += other.p999
  }

  /// A comparison takes at most so many rounds of a cell, evenly chosen: its cost grows with their square.
  private static let mostCompared = 60

  /// The cell as a comparison takes it: the sums of all rounds are in the first one.
  var summary: CellSummary {
    var list: [RoundSummary] = []
    let count = min(rounds, Self.mostCompared)
    for number in 0..<count {
      var round = RoundSummary(allocated: 0, failed: 0, times: nil)
      let place = number * rounds / count
      if place < p50.count {
        round.times = .init(p50: p50[place], p99: p99[place], max: max[place])
      }
      if number == 0 { (round.allocated, round.failed) = (requests - failed, failed) }
      list.append(round)
    }
    return CellSummary(settings: settings, rounds: list)
  }
}

/// What is kept of `cma-test run`.
struct BoardRun: Hashable {
  var time: String
  var kernel: String
  var seed: UInt32
  var nanoseconds: UInt64
  var passed: Int
  var failed: Int
  var skipped: Int
  var failures: [FailureCount]
}

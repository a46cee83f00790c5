// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
internal import CMATestDevice

extension BenchPlan {
  /// Sums up what is to be measured.
  ///
  /// - Parameters:
  ///   - area: the name of the area, and its pages.
  ///   - pageSize: the bytes of a page.
  /// - Returns: a result without rounds.
  package func summary(area: (name: String, pages: UInt64), pageSize: UInt64) -> ResultSummary {
    ResultSummary(
      name: "this measurement", area: area.name, areaPages: area.pages, pageSize: pageSize,
      cells: cells.map { CellSummary(settings: $0, rounds: []) })
  }
}

extension BenchResult {
  /// The result without its bins, as comparisons and reports need it: what a reader of the file gets.
  package var summary: ResultSummary {
    var summary = ResultSummary(
      name: "this measurement", isComplete: isComplete, area: area, areaPages: areaPages,
      pageSize: environment.first { $0.name == "page_size" }.flatMap { UInt64($0.value) } ?? 0,
      environment: environment, cells: cells.map { Self.summary($0.settings, $0.rounds) })
    summary.endedBy = endedBy
    summary.program = version
    summary.time = time
    summary.seed = seed
    summary.profile = profile
    summary.freePages = freePages
    summary.slow = slow.map(SlowSummary.init)
    return summary
  }

  private static func summary(_ settings: CellSettings, _ rounds: [BenchRound]) -> CellSummary {
    var times = PooledTimes()
    var summaries: [RoundSummary] = []
    for (index, round) in rounds.enumerated() {
      times.allocations.add(round.measured.allocations)
      times.responses.add(round.measured.responses)
      times.failures.add(round.measured.failures)
      times.releases.add(round.measured.releases)
      summaries.append(RoundSummary(round, number: UInt64(index + 1)))
    }
    return CellSummary(settings: settings, rounds: summaries, times: times)
  }
}

extension SlowSummary {
  fileprivate init(_ slow: BenchResult.Slow) {
    self.init()
    cell = UInt64(slow.cell)
    round = UInt64(slow.round)
    nanoseconds = slow.seen.time
    retries = slow.seen.retries
    migrated = slow.seen.migrated
    inTheWay = slow.inTheWay
  }
}

extension RoundSummary {
  fileprivate init(_ round: BenchRound, number: UInt64) {
    let measured = round.measured
    var details = RoundDetails()
    details.number = number
    details.elapsed = measured.elapsed
    details.refused = measured.refused
    details.switches = measured.switches
    details.moves = measured.moves
    details.retries = measured.retries
    details.withoutHole = measured.withoutHole
    details.migrated = measured.migrated
    details.unmigrated = measured.unmigrated
    details.filled = round.filledPages
    details.inTheWay = round.inTheWay
    details.allocations = .init(measured.allocations)
    details.responses = .init(measured.responses)
    details.failures = .init(measured.failures)
    details.releases = .init(measured.releases)
    details.slices = round.slices
    self.init(
      allocated: measured.allocations.count, failed: measured.failures.count,
      times: Times(measured.allocations, releases: measured.releases), details: details)
  }
}

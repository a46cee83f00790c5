// SPDX-License-Identifier: GPL-2.0-or-later

import CMATestBench
import CMATestDevice
import CMATestReport
import Foundation
import Testing

/// SplitMix64 with normal numbers, so that simulations are the same each time.
private struct Numbers: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }
  mutating func normal() -> Double {
    let radius = (-2 * log(Double.random(in: Double.ulpOfOne..<1, using: &self))).squareRoot()
    return radius * cos(2 * .pi * Double.random(in: 0..<1, using: &self))
  }
}

/// A result of rounds whose times differ by `noise`, as times `shift` of 20 µs.
private func result(
  cells: Int, rounds: Int, noise: Double = 0.05, shift: Double = 1, failed: UInt64 = 0,
  _ numbers: inout Numbers
) -> ResultSummary {
  let measured = (0..<cells).map { cell in
    CellSummary(
      settings: CellSettings(pages: UInt64(cell + 1)),
      rounds: (0..<rounds).map { _ in
        let factor = max(0.01, shift + noise * numbers.normal())
        return RoundSummary(
          allocated: 1000 - failed, failed: failed,
          times: .init(p50: 20_000 * factor, p99: 90_000 * factor, max: 400_000 * factor))
      })
  }
  return ResultSummary(
    name: "simulated", area: "reserved", areaPages: 65536, pageSize: 4096, cells: measured)
}

@Suite struct ComparisonTests {
  @Test(arguments: [(1, 9), (10, 15)])
  func equalResultsSeldomRaiseAnAlarm(_ cells: Int, _ rounds: Int) {
    var numbers = Numbers(state: 1)
    var alarms = 0
    for _ in 0..<1000 {
      let before = result(cells: cells, rounds: rounds, &numbers)
      let after = result(cells: cells, rounds: rounds, &numbers)
      if Comparison([before], with: [after]).outcome == .regression { alarms += 1 }
    }
    // A one-sided alarm is half of a two-sided level of 5 %.
    #expect(alarms <= 50, "\(alarms)")
  }

  @Test(arguments: [(1, 9), (10, 15)])
  func aShiftOfTwiceTheNoiseIsFound(_ cells: Int, _ rounds: Int) {
    var numbers = Numbers(state: 2)
    var found = 0
    for _ in 0..<1000 {
      let before = result(cells: cells, rounds: rounds, &numbers)
      var after = result(cells: cells, rounds: rounds, &numbers)
      // One cell of all is slower.
      after.cells[0] = result(cells: 1, rounds: rounds, shift: 1.1, &numbers).cells[0]
      let comparison = Comparison([before], with: [after])
      if comparison.cells[0].verdict == .slower { found += 1 }
    }
    #expect(found >= 950, "\(found)")
  }

  @Test func moreFailuresAreARegression() {
    var numbers = Numbers(state: 3)
    let before = result(cells: 2, rounds: 9, failed: 2, &numbers)
    let after = result(cells: 2, rounds: 9, failed: 9, &numbers)
    #expect(Comparison([before], with: [after]).cells.map(\.verdict) == [.failsMore, .failsMore])
    #expect(Comparison([after], with: [before]).outcome != .regression)
  }

  /// Rounds in each of which all requests fail, or none, as beside one page that stays in use.
  private func grouped(_ chance: Double, cells: Int, rounds: Int, _ numbers: inout Numbers)
    -> ResultSummary
  {
    var made = result(cells: cells, rounds: rounds, &numbers)
    for cell in made.cells.indices {
      for round in made.cells[cell].rounds.indices
      where Double.random(in: 0..<1, using: &numbers) < chance {
        made.cells[cell].rounds[round] = RoundSummary(allocated: 0, failed: 1000, times: nil)
      }
    }
    return made
  }

  @Test(arguments: [(0.5, 1, 9), (0.2, 1, 9), (0.05, 1, 9), (0.3, 10, 15)])
  func failuresThatComeInGroupsSeldomRaiseAnAlarm(_ chance: Double, _ cells: Int, _ rounds: Int) {
    var numbers = Numbers(state: 11)
    var alarms = 0
    for _ in 0..<1000 {
      let before = grouped(chance, cells: cells, rounds: rounds, &numbers)
      let after = grouped(chance, cells: cells, rounds: rounds, &numbers)
      if Comparison([before], with: [after]).outcome == .regression { alarms += 1 }
    }
    #expect(alarms <= 50, "\(alarms)")
  }

  @Test func groupsThatBecomeManyAreARegression() {
    var numbers = Numbers(state: 12)
    let before = grouped(0.05, cells: 1, rounds: 20, &numbers)
    let after = grouped(0.7, cells: 1, rounds: 20, &numbers)
    #expect(Comparison([before], with: [after]).cells[0].verdict == .failsMore)
  }

  @Test func failuresOneByOneCountEach() throws {
    let rounds = { (failed: [UInt64]) in
      failed.map { FailureRates.Round(failed: $0, requests: 1000) }
    }
    // As scattered as chance has it.
    let rates = FailureRates(rounds([2, 1, 4, 2, 3, 1]), rounds([9, 12, 8, 11, 10, 7]))
    #expect(rates.dispersion == 1)
    #expect(rates.p == FisherExact.p(failed: (13, 57), of: (6000, 6000)))
    // One round tells nothing of how rounds differ.
    #expect(FailureRates(rounds([5]), rounds([50])).dispersion == 1)
    let grouped = FailureRates(rounds([0, 1000, 0, 0]), rounds([1000, 0, 1000, 1000]))
    #expect(grouped.dispersion > 900 && grouped.p > 0.1)
    #expect(FailureRates([], []).p == 1)
  }

  @Test(arguments: [(Quantity.release, 5.0), (.pair, 1.4)])
  func aSlowerReleaseIsFoundWhereItDecides(_ quantity: Quantity, _ ratio: Double) {
    func result(_ release: UInt64) -> ResultSummary {
      let rounds = (0..<9).map { round in
        let (allocations, releases) = (9000 + UInt64(round), release + UInt64(round))
        let times = RoundSummary.Times(histogram(allocations), releases: histogram(releases))
        return RoundSummary(allocated: 1, failed: 0, times: times)
      }
      return ResultSummary(
        name: "simulated", area: "reserved", areaPages: 65536, pageSize: 4096,
        cells: [CellSummary(settings: CellSettings(pages: 16384), rounds: rounds)])
    }
    var rules = Comparison.Rules()
    #expect(Comparison([result(1000)], with: [result(5000)], rules: rules).outcome != .regression)
    rules.quantity = quantity
    let comparison = Comparison([result(1000)], with: [result(5000)], rules: rules)
    #expect(comparison.cells[0].verdict == .slower)
    #expect(abs((comparison.cells[0].changes[quantity]?.ratio ?? 0) - ratio) < 0.03)
    #expect(
      Comparison([result(5000)], with: [result(1000)], rules: rules).cells[0].verdict == .better)
  }

  private func histogram(_ time: UInt64) -> Histogram {
    var histogram = Histogram()
    histogram.add(time)
    return histogram
  }

  @Test func tooFewRoundsAreNoPass() {
    var numbers = Numbers(state: 4)
    let before = result(cells: 1, rounds: 3, &numbers)
    let after = result(cells: 1, rounds: 3, shift: 3, &numbers)
    let comparison = Comparison([before], with: [after])
    #expect(comparison.outcome == .notKnown)
    guard case .notKnown(.tooFewRounds(let needed)) = comparison.cells[0].verdict else {
      Issue.record("\(comparison.cells[0].verdict)")
      return
    }
    #expect(needed > 3)
    // And so many are enough, four times of five.
    var enough = 0
    for _ in 0..<200 {
      let first = result(cells: 1, rounds: needed, &numbers)
      let second = result(cells: 1, rounds: needed, shift: 1.1, &numbers)
      if Comparison([first], with: [second]).outcome == .regression { enough += 1 }
    }
    #expect(enough > 140, "\(needed) rounds: \(enough)")
  }

  @Test func roundsWithoutATimeAreNoEvidence() {
    var numbers = Numbers(state: 9)
    var (before, after) = (
      result(cells: 1, rounds: 40, &numbers), result(cells: 1, rounds: 40, &numbers)
    )
    #expect(Comparison([before], with: [after]).outcome == .noRegression)
    for round in 4..<40 {
      before.cells[0].rounds[round] = RoundSummary(allocated: 0, failed: 1000, times: nil)
      after.cells[0].rounds[round] = before.cells[0].rounds[round]
    }
    let comparison = Comparison([before], with: [after])
    #expect(comparison.outcome == .notKnown && comparison.cells[0].timed == (4, 4))
    // One of ten has a time, so it takes ten times as many.
    #expect((comparison.roundsNeeded ?? 0) > 40 && (comparison.roundsNeeded ?? 0) % 10 == 0)
  }

  @Test func oneRoundEachDoesNotTellHowMuchRoundsDiffer() {
    var numbers = Numbers(state: 10)
    let before = result(cells: 1, rounds: 1, &numbers)
    let after = result(cells: 1, rounds: 1, shift: 3, &numbers)
    let comparison = Comparison([before], with: [after])
    #expect(comparison.cells[0].verdict == .notKnown(.noSpread(fewest: 4)))
    #expect(comparison.roundsNeeded == nil)
    #expect(comparison.cells[0].changes[.p50]?.interval() == nil)
    #expect(comparison.text.contains("not known: how much rounds differ is seen in two of them"))
    #expect(!comparison.text.contains("would tell") && !comparison.text.contains(" to +"))
  }

  @Test func noiseThatNoNumberOfRoundsMendsIsSaid() {
    var numbers = Numbers(state: 13)
    var before = result(cells: 1, rounds: 4, &numbers)
    for round in 0..<4 { before.cells[0].rounds[round].times?.p50 = [1, 1e30, 1, 1e30][round] }
    let comparison = Comparison([before], with: [before])
    #expect(comparison.outcome == .notKnown && comparison.roundsNeeded == nil)
    #expect(comparison.text.contains("that no number of them would do"), "\(comparison.text)")
  }

  @Test func noisyRoundsAreNoPass() {
    var numbers = Numbers(state: 5)
    let before = result(cells: 1, rounds: 9, noise: 0.5, &numbers)
    let after = result(cells: 1, rounds: 9, noise: 0.5, &numbers)
    #expect(Comparison([before], with: [after]).outcome == .notKnown)
  }

  @Test func nothingAllocatedIsNoPass() {
    let empty = ResultSummary(
      name: "none", area: "reserved", areaPages: 1, pageSize: 4096,
      cells: [
        CellSummary(
          settings: CellSettings(pages: 9),
          rounds: [RoundSummary](
            repeating: RoundSummary(allocated: 0, failed: 10, times: nil), count: 9))
      ])
    let comparison = Comparison([empty], with: [empty])
    #expect(comparison.cells[0].verdict == .notKnown(.nothingAllocated))
    #expect(comparison.outcome == .notKnown)
    #expect(Comparison([], with: []).outcome == .notKnown)
  }

  @Test func resultsOfOtherAreasCannotBeCompared() {
    var numbers = Numbers(state: 6)
    let one = result(cells: 1, rounds: 2, &numbers)
    var other = one
    #expect(Comparison.hindrance([one], [other]) == nil)
    other.areaPages = 1
    #expect(Comparison.hindrance([one], [other]) != nil)
    other = one
    other.pageSize = 65536
    #expect(Comparison.hindrance([one], [other]) != nil)
  }

  @Test func measurementThatCannotBeComparedIsKnownBefore() {
    var numbers = Numbers(state: 14)
    let earlier = result(cells: 2, rounds: 2, &numbers)
    var settings = BenchSettings()
    func hindrance(_ name: String, _ pages: UInt64) -> String? {
      let plan = BenchPlan(settings, pageSize: 4096, seed: 1)
      return Comparison.hindrance(
        earlier, toMeasuring: plan.summary(area: (name, pages), pageSize: 4096))
    }
    #expect(hindrance("reserved", 65536) == nil)
    #expect(hindrance("reserved", 1024)?.contains("65536 pages") == true)
    settings.threads = [3]
    #expect(
      hindrance("reserved", 65536) == "simulated has none of the cells that are to be measured")
  }

  @Test func roundsOfSeveralFilesAreOneResult() {
    var numbers = Numbers(state: 7)
    let halves = (0..<4).map { _ in result(cells: 1, rounds: 5, &numbers) }
    let comparison = Comparison([halves[0], halves[1]], with: [halves[2], halves[3]])
    #expect(comparison.cells[0].rounds == (10, 10))
    #expect(comparison.outcome == .noRegression)
  }

  @Test func aCellOfOneResultOnlyIsNamed() {
    var numbers = Numbers(state: 8)
    let long = result(cells: 3, rounds: 9, &numbers)
    let short = result(cells: 2, rounds: 9, &numbers)
    #expect(Comparison([long], with: [short]).onlyBefore.map(\.pages) == [3])
    #expect(Comparison([short], with: [long]).onlyAfter.map(\.pages) == [3])
  }

}

// SPDX-License-Identifier: GPL-2.0-or-later

import CMATestBench
import CMATestDevice
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
